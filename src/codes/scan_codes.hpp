#pragma once
// Scans of codes: which rows may be among the k best of a query, and which of them are.
//
//   prepare a CodedQuery for each query; scan_codes(...) fills memory.reached; decide(...) scores those exactly.
//
// A scan keeps the k best lower bounds seen so far. A row whose upper bound does not reach the k-th of them cannot be
// among the k best; all others are kept with their bounds. With a wider k the same scan serves a graph's search.
// One query and many go the same way: several share each piece of codes while it is in the first-level cache.
//
// Under inner product a scan goes by falling norm, and a query leaves it as soon as the norm bound says so. Otherwise
// pieces are visited far apart, so that those seen are a fair sample, and a few times on the way the best rows so far
// are scored exactly: the k-th of them is a threshold without the width of the bounds, and far fewer rows pass it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "codes/code_blocks.hpp"
#include "items/exact_costs.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/candidate.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

// A row and what its value (in units of its query's scale) is at least and at most.
struct Reached {
  float upper;
  float value;
  std::uint32_t slot;
};

// What is known of one query on its way through the codes.
class CodeFront {
 public:
  // The k-th best lower bound raises the threshold; k = 0: none does.
  void reset(std::size_t k, float threshold);
  // Rows whose upper bound is below this cannot be among the k best.
  float threshold() const noexcept { return threshold_; }
  void keep(Reached row, float lower) {
    reached_.push_back(row);
    if (lowers_.size() > kShifted) return push(lower);
    // Those that are less move down by one: nothing to predict, and several places an instruction.
    float* place = lowers_.data();
    for (std::size_t i = 1; i < lowers_.size(); ++i) place[i - 1] = std::max(place[i - 1], std::min(lower, place[i]));
    if (!lowers_.empty()) lowers_.back() = std::max(lowers_.back(), lower);
  }
  // Takes what was kept into the threshold. `slack`: what rounding may move any bound by.
  void settle(float slack);
  void raise(float threshold) noexcept { threshold_ = threshold > threshold_ ? threshold : threshold_; }
  // Without those that the threshold has left behind.
  std::vector<Reached>& reached() {
    std::erase_if(reached_, [this](const Reached& r) { return r.upper < threshold_; });
    return reached_;
  }

 private:
  static constexpr std::size_t kShifted = 32;  // so many lower bounds lie sorted; more form a heap

  void push(float lower);

  float threshold_ = 0;
  std::vector<float> lowers_;  // the k best, the least first: ascending or, where they are many, a heap
  std::vector<Reached> reached_;
};

struct ScanCodesMemory {
  std::vector<CodedQuery> coded;
  std::vector<CodeFront> fronts;
  std::vector<std::uint32_t> active;
  std::vector<std::size_t> ends;  // the sorted block where each query's scan ends at the latest
  Buffer<std::uint32_t> positions;
  Buffer<float> values;
  std::vector<Candidate> piece;
  std::vector<Candidate> heap;
  ExactCostMemory rescoring;
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

// Whether a slot may be an answer of a query. Asked only about rows that passed their bound; empty: all may.
using AcceptsSlot = std::function<bool(std::size_t query, std::uint32_t slot)>;

// What is scanned, and what decides.
struct CodedRows {
  const CodeBlocks& blocks;
  const VectorStore& rows;
};

// memory.coded[q] is prepared from queries[q]. Fills memory.fronts and adds to stats[q]. left[q], where that is asked
// for: how many rows that the budget or the deadline left out might still be among the k best; 0: the scan is complete.
void scan_codes(const CodedRows& coded, std::span<const float* const> queries, const ScanCodesOptions& options,
                const AcceptsSlot& accepts, const Deadline& deadline, ScanCodesMemory& memory,
                std::span<WalkStats> stats, std::span<std::size_t> left = {});

// The k best of what query q reached, by exact scores, in `found`: sorted by cost and slot, with all that tie with the
// k-th.
void decide(const CodedRows& coded, std::size_t q, const float* query, std::size_t k, ScanCodesMemory& memory,
            std::vector<Candidate>& found, WalkStats& stats);

// All that reached and cost at most `bound`, exactly.
void decide_within(const CodedRows& coded, std::size_t q, const float* query, float bound, ScanCodesMemory& memory,
                   std::vector<Candidate>& found, WalkStats& stats);

}  // namespace segue
