#pragma once
// Scans of codes: which rows may be among the k best of a query, and which of them are.
//
//   prepare a CodedQuery for each query; scan_codes(...) fills memory.fronts; decide(...) scores what reached exactly.
//
// One query and many go the same way: several share each piece of codes while it is in the first-level cache.
//
// Under inner product a scan goes by falling norm, and a query leaves it as soon as the norm bound says so. Otherwise
// pieces are visited far apart, so that those seen are a fair sample, and a few times on the way the best rows so far
// are scored exactly: the k-th of them is a threshold without the width of the bounds, and far fewer rows pass it.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "codes/code_blocks.hpp"
#include "codes/code_front.hpp"
#include "codes/scan_piece.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

struct ScanCodesMemory : CodeFronts {
  std::vector<std::uint32_t> active;
  std::vector<std::size_t> ends;  // the sorted block where each query's scan ends at the latest
  PieceMemory piece;
  StoreScorer scorer;
};

struct ScanCodesOptions {
  std::size_t k = 10;
  // Rows of the sorted part that may be looked at; rows behind it are always.
  std::size_t budget = std::numeric_limits<std::size_t>::max();
  // So many more where that completes the scan.
  std::size_t overdraft = 0;
  // No upper bound below this value is wanted; one a query, or none.
  std::span<const float> thresholds = {};
};

// What is scanned, and what decides on the way; null: nothing does.
struct CodedRows {
  const CodeBlocks& blocks;
  const VectorStore* rows;
};

// memory.coded[q] is prepared from queries[q]. Fills memory.fronts and adds to stats[q]. left[q], where that is asked
// for: how many rows that the budget or the deadline left out might still be among the k best; 0: the scan is complete.
void scan_codes(const CodedRows& coded, std::span<const float* const> queries, const ScanCodesOptions& options,
                const Allowed& allowed, const Deadline& deadline, ScanCodesMemory& memory,
                std::span<WalkStats> stats, std::span<std::size_t> left = {});

}  // namespace segue
