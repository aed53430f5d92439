#include "items/exact_costs.hpp"

#include <algorithm>

#include "kernels/kernel_table.hpp"
#include "segue/core/scorer.hpp"

namespace segue {
namespace {

constexpr std::size_t kDecodedTogether = 4;

void score_by_lists(const VectorStore& store, RowMetric metric, const float* query, std::vector<Candidate>& candidates,
                    ExactCostMemory& memory) {
  memory.prepared.prepare(store, query);
  const RowScorer scorer(store, metric, memory.prepared.data());
  std::uint32_t slots[kMaxScoreList];
  float costs[kMaxScoreList];
  for (std::size_t first = 0; first < candidates.size(); first += kMaxScoreList) {
    const std::size_t n = std::min(kMaxScoreList, candidates.size() - first);
    for (std::size_t i = 0; i < n; ++i) slots[i] = vertex_of(candidates[first + i]);
    scorer.score(slots, n, costs);
    for (std::size_t i = 0; i < n; ++i) candidates[first + i] = make_candidate(costs[i], slots[i]);
  }
}

// A few rows at a time, the next of them on their way meanwhile: they lie anywhere.
void score_decoded(const VectorStore& store, RowMetric metric, const float* query, std::vector<Candidate>& candidates,
                   ExactCostMemory& memory) {
  const kernels::FamilyKernels& f32 = store.table().families[kernels::kFamilyF32];
  const std::size_t dim = store.dim();
  memory.decoded.resize(kDecodedTogether * dim);
  memory.query.resize(std::max(memory.query.size(), f32.query_bytes(dim)));
  f32.prepare_query(query, dim, memory.query.data());
  const auto* rows = reinterpret_cast<const unsigned char*>(memory.decoded.data());
  const std::size_t total = candidates.size();
  for (std::size_t i = 0; i < std::min(kDecodedTogether, total); ++i) store.prefetch(vertex_of(candidates[i]));
  for (std::size_t first = 0; first < total; first += kDecodedTogether) {
    const std::size_t n = std::min(kDecodedTogether, total - first);
    for (std::size_t i = first + n; i < std::min(first + n + kDecodedTogether, total); ++i) {
      store.prefetch(vertex_of(candidates[i]));
    }
    for (std::size_t i = 0; i < n; ++i) store.read(vertex_of(candidates[first + i]), memory.decoded.data() + i * dim);
    float scores[kDecodedTogether];
    f32.score_block[static_cast<unsigned>(metric)](memory.query.data(), rows, dim * sizeof(float), n, dim, scores);
    for (std::size_t i = 0; i < n; ++i) {
      Candidate& c = candidates[first + i];
      c = make_candidate(metric == RowMetric::kDot ? -scores[i] : scores[i], vertex_of(c));
    }
  }
}

}  // namespace

void exact_costs(const VectorStore& store, RowMetric metric, const float* query, std::vector<Candidate>& candidates,
                 ExactCostMemory& memory) {
  if (kernel_costs_are_exact(store.storage())) {
    score_by_lists(store, metric, query, candidates, memory);
  } else {
    score_decoded(store, metric, query, candidates, memory);
  }
}

void sort_by_cost_then_id(std::vector<Candidate>& candidates, const IdMap& ids) {
  std::sort(candidates.begin(), candidates.end(), [&](Candidate a, Candidate b) {
    const auto cost_a = static_cast<std::uint32_t>(a >> 32);
    const auto cost_b = static_cast<std::uint32_t>(b >> 32);
    return cost_a != cost_b ? cost_a < cost_b : ids.id(vertex_of(a)) < ids.id(vertex_of(b));
  });
}

}  // namespace segue
