#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/index_io.h>

#include <algorithm>

#include "interop/faiss_file.hpp"
#include "interop/faiss_parts.hpp"
#include "interop/guard_faiss.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/interop/faiss.hpp"
#include "segue/ivf.hpp"

namespace segue {
namespace {

using Made = Result<std::unique_ptr<Index>>;

Result<Metric> metric_of(const faiss::Index& index) {
  const int number = number_in(index.metric_type);
  if (number == faiss::METRIC_L2) return Metric::kL2;
  if (number == faiss::METRIC_INNER_PRODUCT) return Metric::kInnerProduct;
  static constexpr struct {
    faiss::MetricType metric;
    const char* name;
  } kNames[] = {{faiss::METRIC_L1, "METRIC_L1"},
                {faiss::METRIC_Linf, "METRIC_Linf"},
                {faiss::METRIC_Lp, "METRIC_Lp"},
                {faiss::METRIC_Canberra, "METRIC_Canberra"},
                {faiss::METRIC_BrayCurtis, "METRIC_BrayCurtis"},
                {faiss::METRIC_JensenShannon, "METRIC_JensenShannon"}};
  std::string name = "metric " + std::to_string(number);
  for (const auto& known : kNames) {
    if (known.metric == number) name = known.name;
  }
  return unsupported("the FAISS index has " + name + "; Segue has METRIC_L2 and METRIC_INNER_PRODUCT");
}

Status fill(Index& index, MatrixView vectors, std::span<const Id> ids) {
  if (vectors.empty()) return {};
  const Status added = index.add(vectors, ids);
  return added.ok() ? added : Status(added.code(), "the FAISS index: " + added.message());
}

// `names`: what IDMap calls row i, or null: it is i.
Made from_rows(std::unique_ptr<Index> made, const faiss::Index& index, const std::vector<Id>* names) {
  std::vector<float> rows(static_cast<std::size_t>(index.ntotal) * made->dim());
  if (!rows.empty()) index.reconstruct_n(0, index.ntotal, rows.data());
  const std::span<const Id> ids = names != nullptr ? std::span<const Id>(*names) : std::span<const Id>();
  SEGUE_RETURN_IF_ERROR(fill(*made, MatrixView(rows, made->dim()), ids));
  return made;
}

Made from_lists(const faiss::IndexIVF& index, Metric metric, const std::vector<Id>* names) {
  Result<ListedRows> rows = decode_lists(index);
  if (!rows.ok()) return rows.status();
  if (names != nullptr) {
    for (Id& id : rows->ids) {
      if (id < 0 || static_cast<std::size_t>(id) >= names->size()) {
        return corrupt_file("the FAISS index: a list has row " + std::to_string(id) + ", its IndexIDMap knows " +
                            std::to_string(names->size()) + " rows");
      }
      id = (*names)[static_cast<std::size_t>(id)];
    }
  }
  const auto dim = static_cast<std::size_t>(index.d);
  auto made = IvfIndex::create(dim, metric, {.nlist = index.nlist, .storage = Storage::kF32});
  if (!made.ok()) return made.status();
  const MatrixView vectors(rows->vectors, dim);
  if (const std::vector<float> centres = centres_of(index); !centres.empty()) {
    SEGUE_RETURN_IF_ERROR((*made)->train(vectors, MatrixView(centres, dim)));
  }
  SEGUE_RETURN_IF_ERROR(fill(**made, vectors, rows->ids));
  return std::unique_ptr<Index>(std::move(made).value());
}

Made from_graph(const faiss::IndexHNSWFlat& index, Metric metric, const std::vector<Id>* names) {
  if (index.storage == nullptr || index.storage->d != index.d || index.storage->ntotal != index.ntotal) {
    return corrupt_file("the FAISS index is a " + faiss_type(index) + " whose graph and rows do not fit each other");
  }
  // 2 to 256 links and an ef_construction from 1 to 65,536 are what HnswIndex takes.
  const HnswOptions options{
      .m = static_cast<std::size_t>(std::clamp(index.hnsw.nb_neighbors(1), 2, 256)),
      .ef_construction = static_cast<std::size_t>(std::clamp(index.hnsw.efConstruction, 1, 65536)),
      .storage = Storage::kF32};
  auto made = HnswIndex::create(static_cast<std::size_t>(index.d), metric, options);
  if (!made.ok()) return made.status();
  return from_rows(std::move(made).value(), index, names);
}

Made from_flat(const faiss::IndexFlat& index, Metric metric, const std::vector<Id>* names) {
  auto made = FlatIndex::create(static_cast<std::size_t>(index.d), metric);
  if (!made.ok()) return made.status();
  return from_rows(std::move(made).value(), index, names);
}

Made convert(const faiss::Index& whole) {
  const faiss::Index* index = &whole;
  std::vector<Id> named;
  const std::vector<Id>* names = nullptr;
  if (const auto* map = dynamic_cast<const faiss::IndexIDMapTemplate<faiss::Index>*>(index)) {
    index = map->index;
    named.assign(map->id_map.begin(), map->id_map.end());
    names = &named;
    if (named.size() != static_cast<std::size_t>(index->ntotal)) {
      return corrupt_file("the FAISS index: IndexIDMap names " + std::to_string(named.size()) + " rows of " +
                          std::to_string(index->ntotal));
    }
  }
  const Result<Metric> metric = metric_of(*index);
  if (!metric.ok()) return metric.status();
  if (const auto* lists = dynamic_cast<const faiss::IndexIVF*>(index)) return from_lists(*lists, *metric, names);
  if (const auto* graph = dynamic_cast<const faiss::IndexHNSWFlat*>(index)) return from_graph(*graph, *metric, names);
  if (const auto* flat = dynamic_cast<const faiss::IndexFlat*>(index)) return from_flat(*flat, *metric, names);
  return unsupported(
      "the FAISS index is " + faiss_type(*index) +
      "; Segue reads IndexFlat, IndexIVFFlat, IndexIVFScalarQuantizer, IndexIVFPQ and IndexHNSWFlat, under "
      "IndexIDMap or not");
}

}  // namespace

Made from_faiss(const faiss::Index& index) {
  return guard_faiss(StatusCode::kUnsupported, "the FAISS index cannot be read", [&] { return convert(index); });
}

Made from_faiss(const std::string& path) {
  const Result<std::unique_ptr<faiss::Index>> read = read_faiss(path);
  if (!read.ok()) return read.status();
  Made made = from_faiss(**read);
  if (made.ok()) return made;
  return Status(made.status().code(), "'" + path + "': " + made.status().message());
}

}  // namespace segue
