#pragma once
// One query on an HnswState, from the prepared vector to the sorted answers.
//
// The plan, by what is known before the first score (docs/decisions/0015-filtered-graph.md):
//   * few items match the filter, or half under inner product: scan their packed codes, and decide by rows;
//   * some match: score those region by region, nearest first, until they bring nothing new (hnsw/scan_matches.hpp);
//   * ef is so large that a walk would score everything: score everything;
//   * inner product: scan codes by falling norm until the bound ends it or ef is spent, then walk on from what was found;
//   * otherwise walk; through a gate where something must not be returned.
// Where a walk finds fewer than k although more may match, everything is scored: fewer than k means there are no more.
//
// A walk does not look exclusions up one by one: of what it found it asks which are excluded, and only where those are many
// it goes again, through a gate.

#include <cstdint>
#include <limits>
#include <vector>

#include "hnsw/hnsw_state.hpp"
#include "hnsw/scan_head.hpp"
#include "hnsw/scan_matches.hpp"
#include "items/exact_costs.hpp"
#include "items/gate.hpp"
#include "items/named_among.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

struct HnswSearchMemory {
  WalkMemory walk;
  PreparedQuery prepared;
  HeadMemory head;
  HeadScanMemory head_scan;
  MatchScanMemory match_scan;
  ExactCostMemory rescoring;
  std::vector<float> normalized;
  std::vector<Candidate> vertices;
  std::vector<Candidate> piece;
  std::vector<float> costs;
  NamedAmong named;
  std::vector<std::uint32_t> left_out;
  std::vector<Candidate> found;
  std::vector<VisitedSet> excluded;
  std::vector<Gate> gates;
  std::vector<const float*> queries;
  std::vector<WalkStats> stats;
};

// The scan of codes is still to be done.
inline constexpr std::size_t kNoHead = std::numeric_limits<std::size_t>::max();

// `query` is normalised under cosine; ef >= k. `plan`: of the filter, which the gate asks too; null: there is none.
// The answers, at most k, are in memory.found: item slots with exact costs,
// by cost and then by id. Exclusions that the gate has not marked are seen to. `head`: the number of this query in
// memory.head_scan, where scan_heads has been there already.
void search_graph(const HnswState& state, const float* query, std::size_t k, std::size_t ef, const MatchPlan* plan,
                  Gate& gate, const Deadline& deadline, HnswSearchMemory& memory, WalkStats& stats,
                  std::size_t head = kNoHead);

}  // namespace segue
