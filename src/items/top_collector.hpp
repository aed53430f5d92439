#pragma once
// TopCollector: the k cheapest of a stream of candidates, and all that tie with the last of them, because ids decide.
//
// Candidates gather in an unsorted array; when it is full, the k-th best is found and what is worse dropped. So a
// candidate costs a comparison, and a few nanoseconds where it passes.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "segue/core/candidate.hpp"

namespace segue {

class TopCollector {
 public:
  // Nothing that costs more than `bound` is wanted. Costs that are no numbers rank last.
  void reset(std::size_t k, float bound) {
    k_ = k;
    limit_ = std::max<std::size_t>(64, k > kNoLimit / 4 ? kNoLimit : 4 * k);
    bound_ = bound;
    kept_.clear();
  }

  void offer(Candidate c) {
    const float cost = cost_of(c);
    if (cost > bound_) return;
    kept_.push_back(cost == cost ? c : make_candidate(std::numeric_limits<float>::infinity(), vertex_of(c)));
    if (kept_.size() >= limit_) shrink();
  }

  // In no order.
  const std::vector<Candidate>& finish() {
    if (kept_.size() > k_) shrink();
    return kept_;
  }

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  void shrink() {
    const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), kth, kept_.end());
    bound_ = cost_of(*kth);
    std::erase_if(kept_, [&](Candidate c) { return cost_of(c) > bound_; });
    // Thousands of ties would otherwise be searched through again at every step.
    limit_ = std::max(limit_, 2 * kept_.size());
  }

  std::size_t k_ = 0;
  std::size_t limit_ = 0;
  float bound_ = 0;
  std::vector<Candidate> kept_;
};

}  // namespace segue
