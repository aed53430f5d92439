#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFFlat.h>

#include <numeric>

#include "interop/faiss_file.hpp"
#include "interop/guard_faiss.hpp"
#include "segue/hnsw.hpp"
#include "segue/interop/faiss.hpp"
#include "segue/ivf.hpp"

namespace segue {
namespace {

using Made = std::unique_ptr<faiss::Index>;

// What is to be in it.
struct Items {
  std::vector<Id> ids;
  std::vector<float> vectors;
  std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
};

faiss::MetricType metric_of(const Index& index) {
  return index.metric() == Metric::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
}

// Each row goes to the list nearest by l2, as in IvfIndex. Left alone FAISS would deal out by the product where the
// metric is that, and the longest centres would get most rows.
Made make_lists(const IvfIndex& index, const std::vector<float>& centres, const Items& items) {
  const auto d = static_cast<std::int64_t>(index.dim());
  const auto lists = static_cast<std::int64_t>(centres.size() / index.dim());
  faiss::IndexFlatL2 nearest(d);
  nearest.add(lists, centres.data());
  std::vector<std::int64_t> list_of(items.ids.size());
  if (items.size() != 0) nearest.assign(items.size(), items.vectors.data(), list_of.data());

  // Under cosine too Segue ranks lists by l2.
  const bool products = index.metric() == Metric::kInnerProduct;
  auto ranked = std::make_unique<faiss::IndexFlat>(d, products ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2);
  ranked->add(lists, centres.data());
  auto made = std::make_unique<faiss::IndexIVFFlat>(ranked.get(), index.dim(), static_cast<std::size_t>(lists),
                                                    metric_of(index));
  ranked.release();
  made->own_fields = true;
  made->is_trained = true;
  if (items.size() != 0) made->add_core(items.size(), items.vectors.data(), items.ids.data(), list_of.data());
  return made;
}

// Rows in their order; other names than that are IDMap's.
Made fill(Made made, const Items& items) {
  std::vector<Id> plain(items.ids.size());
  std::iota(plain.begin(), plain.end(), Id{0});
  if (items.ids == plain) {
    if (items.size() != 0) made->add(items.size(), items.vectors.data());
    return made;
  }
  auto named = std::make_unique<faiss::IndexIDMap2>(made.get());
  made.release();
  named->own_fields = true;
  named->add_with_ids(items.size(), items.vectors.data(), items.ids.data());
  return named;
}

Result<Made> convert(const Index& index) {
  Items items{index.ids(), {}};
  Result<std::vector<float>> vectors = index.get(items.ids);
  if (!vectors.ok()) return vectors.status();
  items.vectors = std::move(vectors).value();
  const auto d = static_cast<int>(index.dim());
  if (const auto* lists = dynamic_cast<const IvfIndex*>(&index)) {
    if (const std::vector<float> centres = lists->centroids(); !centres.empty())
      return make_lists(*lists, centres, items);
  }
  if (const auto* graph = dynamic_cast<const HnswIndex*>(&index)) {
    auto made = std::make_unique<faiss::IndexHNSWFlat>(d, static_cast<int>(graph->options().m), metric_of(index));
    made->hnsw.efConstruction = static_cast<int>(graph->options().ef_construction);
    return fill(std::move(made), items);
  }
  return fill(std::make_unique<faiss::IndexFlat>(d, metric_of(index)), items);
}

}  // namespace

Result<std::unique_ptr<faiss::Index>> to_faiss(const Index& index) {
  return guard_faiss(StatusCode::kUnsupported, "FAISS cannot take the index", [&] { return convert(index); });
}

Status to_faiss(const Index& index, const std::string& path) {
  const Result<std::unique_ptr<faiss::Index>> made = to_faiss(index);
  return made.ok() ? write_faiss(**made, path) : made.status();
}

}  // namespace segue
