#pragma once
// The true nearest of many queries, whatever the index: an exact scan over what it holds, a block of items at a time.
//
// A block is read with get(), scanned by a FlatIndex that lives as long as the block, and merged with what came before.
// So the scan is the fast one, and memory is two copies of a block, 64 MiB each, plus queries x k answers.

#include <functional>
#include <span>
#include <vector>

#include "segue/index.hpp"

namespace segue {

// queries.rows() rows of k ids, best first, equal scores by id, kMissingId where there are fewer. `items` are ids of
// the index. `metric` may be another than the index's; for an index of cosine take inner product, see search_metric_of.
// progress(items done) returns false to stop, which gives kCancelled.
Result<std::vector<Id>> exact_answers(const Index& index, std::span<const Id> items, Metric metric, MatrixView queries,
                                      std::size_t k, int threads, const std::function<bool(std::size_t)>& progress);

// The metric that ranks stored vectors as the index does. Under cosine they are normalised already, up to rounding;
// dividing by their norms again would rank by other scores, and |query| is the same for all.
constexpr Metric search_metric_of(Metric metric) noexcept {
  return metric == Metric::kCosine ? Metric::kInnerProduct : metric;
}

}  // namespace segue
