#include "hnsw/select_neighbors.hpp"

#include <algorithm>

namespace segue {
namespace {

// Rows scored at once against those already taken. The nearest come first and reject most, so short lists waste little.
constexpr std::size_t kChecked = 8;

}  // namespace

const void* RowQuery::prepare(const VectorStore& store, std::uint32_t slot) {
  floats_.resize(store.dim());
  prepared_.prepare_row(store, slot, floats_.data());
  return prepared_.data();
}

std::size_t select_neighbors(const VectorStore& store, RowMetric metric, const std::vector<Candidate>& candidates,
                             std::size_t most, RowQuery& memory, std::vector<std::uint32_t>& selected) {
  selected.clear();
  return select_more_neighbors(store, metric, candidates, most, memory, selected);
}

std::size_t select_more_neighbors(const VectorStore& store, RowMetric metric, const std::vector<Candidate>& candidates,
                                  std::size_t most, RowQuery& memory, std::vector<std::uint32_t>& selected) {
  std::size_t scored = 0;
  for (const Candidate c : candidates) {
    if (selected.size() >= most) break;
    const float own = cost_of(c);
    bool taken = true;
    if (!selected.empty()) {
      const RowScorer scorer(store, metric, memory.prepare(store, vertex_of(c)));
      float costs[kChecked];
      for (std::size_t first = 0; taken && first < selected.size(); first += kChecked) {
        const std::size_t n = std::min(kChecked, selected.size() - first);
        scorer.score(selected.data() + first, n, costs);
        scored += n;
        taken = std::none_of(costs, costs + n, [own](float cost) { return cost < own; });
      }
    }
    if (taken) selected.push_back(vertex_of(c));
  }
  return scored;
}

}  // namespace segue
