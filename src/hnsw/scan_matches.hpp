#pragma once
// Searches among the matches of a filter alone, without the graph: all of them by packed codes, or region by region.
//
// Regions are visited nearest first until so many rows in a row have brought nothing new among the k best. So a filter
// that has nothing to do with nearness ends after a few hundred rows, and one whose matches lie far from the query, where
// the nearest region says little about the nearest match, goes on for longer by itself; in the end all have been scored.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codes/code_query.hpp"
#include "hnsw/match_plan.hpp"
#include "items/gate.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

struct MatchScanMemory {
  CodeLevels query;
  std::vector<CodedQuery> coded;
  CodeQueryMemory coding;
  Buffer<std::uint32_t> positions;
  Buffer<float> values;
  Buffer<float> work;
  Buffer<std::uint32_t> passed;
  std::vector<Candidate> best;
  std::vector<Candidate> nearest;
  float costs[kMaxScoreList];
  RankMemory ranking;
  std::vector<std::uint32_t> regions;
};

// What a search asks of the matches.
struct MatchScan {
  const HnswState& state;
  const MatchPlan& plan;
  const float* query;
  const float* numbers;  // the query as rows are: what HnswState::walk_numbers() says
  const Gate& gate;
  const Deadline& deadline;
};

// All matches (under inner product the vertices that stand for them, of a query that CodeBlocks::covers), by packed
// codes: the `keep` best in memory.best, best first. Their costs are those of a walk over codes but
// for what they have in common.
void scan_packed(const MatchScan& scan, std::size_t keep, MatchScanMemory& memory, WalkStats& stats);

// All matches, by rows: the `keep` best in memory.best, best first.
void score_matches(const MatchScan& scan, const RowScorer& scorer, std::size_t keep, MatchScanMemory& memory,
                   WalkStats& stats);

// By rows, until `patience` of them in a row have brought nothing among the k best, the `keep` best of all (k or more) in
// memory.best, best first. There are regions.
void scan_regions(const MatchScan& scan, const RowScorer& scorer, std::size_t k, std::size_t patience, std::size_t keep,
                  MatchScanMemory& memory, WalkStats& stats);

}  // namespace segue
