#include "items/exact_costs.hpp"

#include <algorithm>

#include "kernels/kernel_table.hpp"
#include "segue/core/scorer.hpp"

namespace segue {

void exact_costs(const VectorStore& store, RowMetric metric, const float* query, std::vector<Candidate>& candidates,
                 ExactCostMemory& memory) {
  const bool decoded = !kernel_costs_are_exact(store.storage());
  const auto m = static_cast<unsigned>(metric);
  const kernels::FamilyKernels& rows = store.kernels();
  const kernels::FamilyKernels& queries = decoded ? store.table().families[kernels::kFamilyF32] : rows;
  const kernels::ScoreListFn score = decoded ? rows.score_decoded_list[m] : rows.score_list[m];
  memory.query.resize(std::max(memory.query.size(), queries.query_bytes(store.dim())));
  queries.prepare_query(query, store.dim(), memory.query.data());
  std::uint32_t slots[kMaxScoreList];
  float scores[kMaxScoreList];
  for (std::size_t first = 0; first < candidates.size(); first += kMaxScoreList) {
    const std::size_t n = std::min(kMaxScoreList, candidates.size() - first);
    for (std::size_t i = 0; i < n; ++i) slots[i] = vertex_of(candidates[first + i]);
    score(memory.query.data(), store.rows(), store.stride(), slots, n, store.dim(), scores);
    for (std::size_t i = 0; i < n; ++i) {
      candidates[first + i] = make_candidate(metric == RowMetric::kDot ? -scores[i] : scores[i], slots[i]);
    }
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
