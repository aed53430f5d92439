#include "interop/faiss_parts.hpp"

#include <cxxabi.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexScalarQuantizer.h>

#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace segue {
namespace {

// Kinds that derive from these keep rows otherwise (IndexIVFFlatDedup: equal ones once), so the type itself counts.
template <class Kind>
const Kind* exactly(const faiss::Index& index) {
  return typeid(index) == typeid(Kind) ? static_cast<const Kind*>(&index) : nullptr;
}

// FAISS decodes without looking: a file may say anything of the tables that it decodes by.
bool tables_fit(const faiss::IndexIVF& index) {
  const auto d = static_cast<std::size_t>(index.d);
  if (const auto* lists = exactly<faiss::IndexIVFPQ>(index)) {
    const faiss::ProductQuantizer& pq = lists->pq;
    return pq.d == d && pq.M * pq.dsub == d && pq.centroids.size() == pq.ksub * d && pq.code_size == index.code_size &&
           pq.nbits <= 24 && pq.ksub == std::size_t{1} << pq.nbits && pq.code_size == (pq.nbits * pq.M + 7) / 8;
  }
  if (const auto* lists = exactly<faiss::IndexIVFScalarQuantizer>(index)) {
    using Quantizer = faiss::ScalarQuantizer;
    const Quantizer& sq = lists->sq;
    // Later versions than 1.7 have more types, and refuse themselves what is none.
    constexpr int kLastType = FAISS_VERSION_MAJOR > 1 || FAISS_VERSION_MINOR > 7 ? 15 : Quantizer::QT_6bit;
    if (const int type = number_in(sq.qtype); type < Quantizer::QT_8bit || type > kLastType) return false;
    const bool uniform = sq.qtype == Quantizer::QT_8bit_uniform || sq.qtype == Quantizer::QT_4bit_uniform;
    const bool ranged =
        sq.qtype == Quantizer::QT_8bit || sq.qtype == Quantizer::QT_6bit || sq.qtype == Quantizer::QT_4bit;
    Quantizer sizes(d, sq.qtype);
    return sq.d == d && sq.code_size == index.code_size && sq.code_size == sizes.code_size &&
           sq.trained.size() >= (uniform  ? 2
                                 : ranged ? 2 * d
                                          : 0);
  }
  return index.code_size == d * sizeof(float);
}

bool parts_fit(const faiss::IndexIVF& index) {
  const faiss::InvertedLists& lists = *index.invlists;
  if (index.quantizer == nullptr || index.quantizer->d != index.d || lists.nlist != index.nlist) return false;
  if (lists.code_size != index.code_size || !tables_fit(index)) return false;
  return index.quantizer->ntotal == static_cast<std::int64_t>(index.nlist) &&
         lists.compute_ntotal() == static_cast<std::size_t>(index.ntotal);
}

}  // namespace

std::string faiss_type(const faiss::Index& index) {
  const char* mangled = typeid(index).name();
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr),
                                                         &std::free);
  return name != nullptr ? name.get() : mangled;
}

std::vector<float> centres_of(const faiss::IndexIVF& index) {
  const auto lists = static_cast<std::int64_t>(index.nlist);
  if (number_in(index.is_trained) == 0 || index.quantizer == nullptr || index.quantizer->ntotal != lists ||
      index.quantizer->d != index.d) {
    return {};
  }
  std::vector<float> centres(index.nlist * static_cast<std::size_t>(index.d));
  index.quantizer->reconstruct_n(0, lists, centres.data());
  return centres;
}

Result<ListedRows> decode_lists(const faiss::IndexIVF& index) {
  if (exactly<faiss::IndexIVFFlat>(index) == nullptr && exactly<faiss::IndexIVFScalarQuantizer>(index) == nullptr &&
      exactly<faiss::IndexIVFPQ>(index) == nullptr) {
    return unsupported("the FAISS index is " + faiss_type(index) +
                       "; of inverted lists Segue reads IndexIVFFlat, IndexIVFScalarQuantizer and IndexIVFPQ");
  }
  ListedRows rows;
  if (index.ntotal == 0) return rows;
  if (index.invlists == nullptr || !parts_fit(index)) {
    return corrupt_file("the FAISS index is a " + faiss_type(index) +
                        " whose lists, centres and tables do not fit each other");
  }
  const auto d = static_cast<std::size_t>(index.d);
  const auto total = static_cast<std::size_t>(index.ntotal);
  rows.vectors.resize(total * d);
  rows.ids.reserve(total);
  for (std::size_t list = 0; list < index.nlist; ++list) {
    const std::size_t size = index.invlists->list_size(list);
    const faiss::InvertedLists::ScopedIds ids(index.invlists, list);
    for (std::size_t i = 0; i < size; ++i) {
      index.reconstruct_from_offset(static_cast<std::int64_t>(list), static_cast<std::int64_t>(i),
                                    rows.vectors.data() + rows.ids.size() * d);
      rows.ids.push_back(ids[i]);
    }
  }
  return rows;
}

}  // namespace segue
