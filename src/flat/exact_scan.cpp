#include "flat/exact_scan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "items/check_input.hpp"
#include "items/exact_costs.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

using kernels::kDot;
using kernels::kSquaredL2;

unsigned kernel_metric(RowMetric metric) noexcept { return metric == RowMetric::kDot ? kDot : kSquaredL2; }
float sign(RowMetric metric) noexcept { return metric == RowMetric::kDot ? -1.0f : 1.0f; }

// Offers every accepted score at or below the collector's bound. `slot(i)` names the row of scores[i].
template <class Slot>
void offer_scores(const ScanTarget& target, const float* scores, std::size_t n, const Slot& slot, const Gate& gate,
                  std::vector<std::uint32_t>& selected, TopCollector& top) {
  const float s = sign(target.metric);
  const auto& table = target.store.table();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (top.bound() == kInfinity) {
    // Too few are known yet to leave any out. Scores beyond float (finite vectors can have them) rank last.
    for (std::uint32_t i = 0; i < n; ++i) {
      const float cost = s * scores[i];
      if (const std::uint32_t row = slot(i); gate.accepts(row)) top.offer(cost == cost ? cost : kInfinity, row);
    }
    return;
  }
  // The comparison is strict, ties are wanted.
  const std::size_t passed =
      target.metric == RowMetric::kDot
          ? table.select_greater(scores, n, std::nextafter(-top.bound(), -kInfinity), selected.data())
          : table.select_less(scores, n, std::nextafter(top.bound(), kInfinity), selected.data());
  for (std::size_t i = 0; i < passed; ++i) {
    const std::uint32_t at = selected[i];
    const std::uint32_t row = slot(at);
    if (gate.accepts(row)) top.offer(s * scores[at], row);
  }
}

void finish(const ScanTarget& target, const float* query, std::size_t k, bool exact_already, const IdMap& ids,
            TopCollector& top, ScanMemory& memory) {
  const std::vector<Candidate>& kept = top.finish();
  memory.exact.assign(kept.begin(), kept.end());
  if (!exact_already) exact_costs(target.store, target.metric, query, memory.exact, memory.rescoring);
  sort_by_cost_then_id(memory.exact, ids);
  if (memory.exact.size() > k) memory.exact.resize(k);
}

}  // namespace

bool ScanTarget::first_pass_is_exact(bool tiled) const noexcept {
  return !tiled && kernel_costs_are_exact(store.storage());
}

float ScanTarget::error(const float* query, bool tiled) const noexcept {
  if (first_pass_is_exact(tiled)) return 0;
  const std::size_t dim = store.dim();
  const double q = norm(query, dim);
  const double x = max_norm;
  constexpr double u = 0x1.0p-24;
  // Rounding of the sums, as the kernel table states it; both passes, and the decision between two rows.
  double error = 2.0 * (1.5 * static_cast<double>(dim) + 48.0) * u * (metric == RowMetric::kDot ? q * x : (q + x) * (q + x));
  if (store.storage() == Storage::kSq8) {
    // The query moves by at most half a step in each dimension.
    float largest = 0;
    for (std::size_t i = 0; i < dim; ++i) largest = std::max(largest, std::fabs(query[i]));
    const double moved = std::sqrt(static_cast<double>(dim)) * largest / 254.0 * 1.001;
    error += metric == RowMetric::kDot ? moved * x : moved * (2 * (q + x) + moved);
  }
  return static_cast<float>(2.0 * error);
}

void scan_one(const ScanTarget& target, const float* query, std::size_t k, const Gate& gate, const IdMap& ids,
              const std::vector<std::uint32_t>* subset, const Deadline& deadline, ScanMemory& memory,
              WalkStats& stats) {
  const VectorStore& store = target.store;
  memory.prepared.prepare(store, query);
  memory.scores.resize(std::max(memory.scores.size(), kScanRows));
  memory.selected.resize(std::max(memory.selected.size(), kScanRows));
  memory.tops.resize(std::max<std::size_t>(memory.tops.size(), 1));
  TopCollector& top = memory.tops[0];
  top.reset(k, target.error(query, false));
  const std::size_t total = subset == nullptr ? target.rows : subset->size();
  const unsigned metric = kernel_metric(target.metric);
  const kernels::FamilyKernels& family = store.kernels();
  for (std::size_t first = 0; first < total; first += kScanRows) {
    const std::size_t n = std::min(kScanRows, total - first);
    if (subset == nullptr) {
      family.score_block[metric](memory.prepared.data(), store.row(first), store.stride(), n, store.dim(),
                                 memory.scores.data());
      offer_scores(target, memory.scores.data(), n, [&](std::uint32_t i) { return static_cast<std::uint32_t>(first) + i; },
                   gate, memory.selected, top);
    } else {
      const std::uint32_t* slots = subset->data() + first;
      family.score_list[metric](memory.prepared.data(), store.rows(), store.stride(), slots, n, store.dim(),
                                memory.scores.data());
      offer_scores(target, memory.scores.data(), n, [&](std::uint32_t i) { return slots[i]; }, gate, memory.selected,
                   top);
    }
    stats.distances += n;
    stats.visited += n;
    if (first + n < total && deadline.passed()) {
      stats.cut = true;
      break;
    }
  }
  finish(target, query, k, target.first_pass_is_exact(false), ids, top, memory);
}

void scan_tile(const ScanTarget& target, const float* queries, std::size_t count, std::size_t k,
               std::span<const Gate> gates, const IdMap& ids, ScanMemory& memory,
               const std::function<void(std::size_t query)>& results) {
  const VectorStore& store = target.store;
  const kernels::FamilyKernels& family = store.kernels();
  const std::size_t dim = store.dim();
  const std::size_t query_bytes = family.query_bytes(dim);
  memory.tile_queries.resize(std::max(memory.tile_queries.size(), count * query_bytes));
  memory.tile_scratch.resize(std::max(memory.tile_scratch.size(), family.tile_scratch_bytes(dim)));
  memory.scores.resize(std::max(memory.scores.size(), count * kScanRows));
  memory.selected.resize(std::max(memory.selected.size(), kScanRows));
  memory.tops.resize(std::max(memory.tops.size(), count));
  for (std::size_t q = 0; q < count; ++q) {
    family.prepare_query(queries + q * dim, dim, memory.tile_queries.data() + q * query_bytes);
    memory.tops[q].reset(k, target.error(queries + q * dim, true));
  }
  const unsigned metric = kernel_metric(target.metric);
  for (std::size_t first = 0; first < target.rows; first += kScanRows) {
    const std::size_t n = std::min(kScanRows, target.rows - first);
    family.score_tile[metric](memory.tile_queries.data(), query_bytes, count, store.row(first), store.stride(), n, dim,
                              memory.scores.data(), kScanRows, memory.tile_scratch.data());
    for (std::size_t q = 0; q < count; ++q) {
      offer_scores(target, memory.scores.data() + q * kScanRows, n,
                   [&](std::uint32_t i) { return static_cast<std::uint32_t>(first) + i; }, gates[q], memory.selected,
                   memory.tops[q]);
    }
  }
  for (std::size_t q = 0; q < count; ++q) {
    finish(target, queries + q * dim, k, false, ids, memory.tops[q], memory);
    results(q);
  }
}

void scan_range(const ScanTarget& target, const float* query, float bound, const Gate& gate, const IdMap& ids,
                const Deadline& deadline, ScanMemory& memory, WalkStats& stats) {
  const VectorStore& store = target.store;
  memory.prepared.prepare(store, query);
  memory.scores.resize(std::max(memory.scores.size(), kScanRows));
  memory.exact.clear();
  const unsigned metric = kernel_metric(target.metric);
  const float s = sign(target.metric);
  const float reach = bound + target.error(query, false);
  for (std::size_t first = 0; first < target.rows; first += kScanRows) {
    const std::size_t n = std::min(kScanRows, target.rows - first);
    store.kernels().score_block[metric](memory.prepared.data(), store.row(first), store.stride(), n, store.dim(),
                                        memory.scores.data());
    for (std::size_t i = 0; i < n; ++i) {
      const float cost = s * memory.scores[i];
      const auto slot = static_cast<std::uint32_t>(first + i);
      if (!(cost > reach) && gate.accepts(slot)) memory.exact.push_back(make_candidate(cost, slot));
    }
    stats.distances += n;
    stats.visited += n;
    if (first + n < target.rows && deadline.passed()) {
      stats.cut = true;
      break;
    }
  }
  if (!target.first_pass_is_exact(false)) {
    exact_costs(target.store, target.metric, query, memory.exact, memory.rescoring);
  }
  std::erase_if(memory.exact, [&](Candidate c) { return !(cost_of(c) <= bound); });
  sort_by_cost_then_id(memory.exact, ids);
}

}  // namespace segue
