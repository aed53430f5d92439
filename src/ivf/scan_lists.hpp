#pragma once
// Scans of inverted lists: which rows of a query's best lists may be among its k best.
//
// Queries come in batches. Each ranks the lists; then the lists are visited one after the other, each once for all the
// queries that want it, four at a time while a piece of it is in the first-level cache. That goes in rounds: every query's
// best list, its next three, the next twelve, the rest; so a query knows good rows, and rules out most others, before most
// of its lists come. A list that cannot reach the k-th best any more is left out (under inner product).

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codes/code_front.hpp"
#include "codes/filter_plan.hpp"
#include "codes/scan_codes.hpp"
#include "codes/scan_piece.hpp"
#include "ivf/centroids.hpp"
#include "ivf/list_rows.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

struct Lists {
  const Centroids& centroids;
  const ListBlocks& blocks;
  ListWorth worth;
};

struct ListScanMemory : ScanCodesMemory {
  RankMemory ranking;
  std::vector<std::uint32_t> ranked;  // by codes: somewhat more than will be visited
  std::vector<Candidate> order;
  std::vector<std::uint32_t> visited;
  std::vector<std::uint32_t> lists;  // the best of each query, best first
  Buffer<float> offsets;             // a query's value at the centre of each of them, in units of its scale
  Buffer<float> tails;               // and what the tail of a row there is multiplied by
  std::vector<float> costs;
  std::vector<std::uint32_t> starts;
  std::vector<std::uint32_t> visits;
  PreparedQuery prepared;
  StoreScorer stored;
  ListScorer listed;
};

struct ListScanOptions {
  std::size_t k = 10;
  std::size_t nprobe = 1;
  // No upper bound below this value is wanted; one a query, or none.
  std::span<const float> thresholds = {};
  // Of the filter, where there is one; its marks, or the copy of what has one, are what is allowed. nprobe counts lists that
  // are not barred.
  const FilterPlan* filter = nullptr;
};

// memory.coded[q] is prepared from queries[q]. Fills memory.fronts and adds to stats[q]. Where fewer than k rows were found,
// further lists are scanned until there are k or no more lists.
void scan_lists(const Lists& lists, std::span<const float* const> queries, const ListScanOptions& options, const Allowed& allowed,
                const Deadline& deadline, ListScanMemory& memory, std::span<WalkStats> stats);

}  // namespace segue
