#include "metrics/exact_scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "items/check_input.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/scorer.hpp"

namespace segue {
namespace {

// An index may have scored a row by another kernel than this one: the last bits differ.
float with_rounding(float cost) noexcept { return cost + 1e-6f * std::fabs(cost); }

}  // namespace

ScanQuery::ScanQuery(std::span<const float> query, std::size_t k, const IdSet* filter, std::span<const Id> exclude,
                     std::span<const Id> found)
    : query_(query.begin(), query.end()),
      k_(k),
      filter_(filter == nullptr ? IdSet() : *filter),
      filtered_(filter != nullptr),
      exclude_(exclude.begin(), exclude.end()) {
  std::sort(exclude_.begin(), exclude_.end());
  std::copy_if(found.begin(), found.end(), std::back_inserter(found_), [](Id id) { return id != kMissingId; });
  std::sort(found_.begin(), found_.end());
}

bool ScanQuery::accepts(Id id) const noexcept {
  return (!filtered_ || filter_.contains(id)) && !std::binary_search(exclude_.begin(), exclude_.end(), id);
}

float ScanQuery::worst() const noexcept {
  return best_.size() < k_ ? std::numeric_limits<float>::infinity() : with_rounding(best_.front().first);
}

void ScanQuery::offer(float cost, Id id) {
  const auto same = [id](const auto& other) { return other.second == id; };
  // An item that moved to another slot while the scan went on.
  if (std::any_of(best_.begin(), best_.end(), same)) return;
  if (std::binary_search(found_.begin(), found_.end(), id)) found_costs_.push_back(cost);
  if (best_.size() == k_ && cost >= best_.front().first) return;
  best_.emplace_back(cost, id);
  std::push_heap(best_.begin(), best_.end());
  if (best_.size() <= k_) return;
  std::pop_heap(best_.begin(), best_.end());
  best_.pop_back();
}

std::size_t ScanQuery::hits() const noexcept {
  const float last = worst();
  const auto n = std::count_if(found_costs_.begin(), found_costs_.end(), [last](float cost) { return cost <= last; });
  return std::min(static_cast<std::size_t>(n), wanted());
}

ExactScan::ExactScan(std::size_t dim, Metric metric, std::span<ScanQuery* const> queries)
    : queries_(queries),
      rows_(kernels::active_kernels(), Storage::kF32, dim),
      metric_(metric == Metric::kL2 ? RowMetric::kSquaredL2 : RowMetric::kDot),
      prepared_(queries.size()),
      slots_(kMaxScoreList),
      costs_(kMaxScoreList) {
  std::iota(slots_.begin(), slots_.end(), 0u);
  rows_.resize(kMaxScoreList);
  // Under cosine rows are normalised, and a query's norm orders nothing.
  for (std::size_t q = 0; q < queries.size(); ++q) prepared_[q].prepare(rows_, queries[q]->query_.data());
}

void ExactScan::take(std::span<const Id> ids, std::span<const float> rows) {
  for (std::size_t i = 0; i < ids.size(); ++i) rows_.write(i, rows.data() + i * rows_.dim());
  for (std::size_t q = 0; q < queries_.size(); ++q) {
    ScanQuery& query = *queries_[q];
    RowScorer(rows_, metric_, prepared_[q].data()).score(slots_.data(), ids.size(), costs_.data());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (costs_[i] <= query.worst() && query.accepts(ids[i])) query.offer(costs_[i], ids[i]);
    }
  }
}

}  // namespace segue
