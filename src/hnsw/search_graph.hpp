#pragma once
// One query on an HnswState, from the prepared vector to the sorted answers.
//
// The plan, by what is known before the first score:
//   * few items match the filter, or ef is so large that a walk would score everything: score those, exactly;
//   * inner product: scan by falling norm until the bound ends it or ef is spent, then walk on from what was found;
//   * otherwise walk; through a gate where something must not be returned.
// Where a walk finds fewer than k although more may match, everything is scored: fewer than k means there are no more.

#include <cstdint>
#include <vector>

#include "hnsw/hnsw_state.hpp"
#include "items/exact_costs.hpp"
#include "items/gate.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

struct HnswSearchMemory {
  WalkMemory walk;
  PreparedQuery prepared;
  HeadMemory head;
  ExactCostMemory rescoring;
  std::vector<float> normalized;
  std::vector<Candidate> vertices;
  std::vector<Candidate> found;
  VisitedSet excluded;
};

// `query` is normalised under cosine; ef >= k. The answers, at most k, are in memory.found: item slots with exact costs,
// by cost and then by id.
void search_graph(const HnswState& state, const float* query, std::size_t k, std::size_t ef, const SearchOptions& options,
                  const Gate& gate, const Deadline& deadline, HnswSearchMemory& memory, WalkStats& stats);

}  // namespace segue
