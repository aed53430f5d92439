#pragma once
// What a scan of codes knows of one query: which rows may be among its k best. And which of them are.
//
// A scan keeps the k best lower bounds seen so far. A row whose upper bound does not reach the k-th of them cannot be
// among the k best; all others are kept with their bounds, and decide() scores those exactly.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "codes/code_query.hpp"
#include "items/exact_costs.hpp"
#include "segue/core/candidate.hpp"
#include "segue/core/walk.hpp"

namespace segue {

// What holds for every row of a block: the largest of each.
struct BlockBound {
  float error;  // |head - its code|
  float head;   // |head|
  float tail;   // |what the codes leave out|
  float norm;   // |row|
};

// How far the value of a row within these bounds may be off. No term is negative, so rounding is relative.
inline float reach(const CodedQuery& query, const BlockBound& bound, float query_tail, float row_tail) noexcept {
  return (query.error_factor * bound.error + query.head_factor * bound.head + query_tail * row_tail) * (1 + 0x1p-20f);
}

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

struct DecideMemory {
  std::vector<Candidate> piece;
  std::vector<Candidate> heap;
};

// Queries on their way through codes. Memory is kept between searches.
struct CodeFronts {
  std::vector<CodedQuery> coded;
  std::vector<CodeFront> fronts;
  CodeQueryMemory coding;
  DecideMemory deciding;
};

// Whether a slot may be an answer of a query. Asked only about rows that passed their bound; empty: all may.
using AcceptsSlot = std::function<bool(std::size_t query, std::uint32_t slot)>;

// The k best of what reached, by exact scores, in `found`: sorted by cost and slot, with all that tie with the k-th.
void decide(ExactScorer& exact, RowMetric metric, const CodedQuery& coded, CodeFront& front, std::size_t k,
            DecideMemory& memory, std::vector<Candidate>& found, WalkStats& stats);

// All that reached and cost at most `bound`, exactly.
void decide_within(ExactScorer& exact, CodeFront& front, float bound, std::vector<Candidate>& found, WalkStats& stats);

}  // namespace segue
