#pragma once
// TopCollector: keeps those of a stream of scores that may be among the k best.
//
// The first pass of a scan computes scores with a known error, so what is within `slack` of the k-th best must be kept
// as well, and so must ties, because ids decide among them. Candidates gather in an unsorted array; when it is full,
// the k-th best is found and what is out of reach dropped. The threshold is handed back to a vectorised comparison,
// which is what nearly all scores ever meet.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "segue/core/candidate.hpp"

namespace segue {

class TopCollector {
 public:
  // `slack` is at least the difference between the errors of two costs.
  void reset(std::size_t k, float slack) {
    k_ = k;
    slack_ = slack == slack ? slack : std::numeric_limits<float>::infinity();
    limit_ = std::max<std::size_t>(64, 4 * k);
    bound_ = std::numeric_limits<float>::infinity();
    kept_.clear();
  }

  // Costs above this need not be offered.
  float bound() const noexcept { return bound_; }

  void offer(float cost, std::uint32_t slot) {
    if (!(cost <= bound_)) return;
    kept_.push_back(make_candidate(cost, slot));
    if (kept_.size() >= limit_) shrink();
  }

  // What is left, in no order: all of the k best, and what cannot be told from them.
  const std::vector<Candidate>& finish() {
    if (kept_.size() > k_) shrink();
    return kept_;
  }

 private:
  void shrink() {
    const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), kth, kept_.end());
    const float cost = cost_of(*kth);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    bound_ = slack_ == 0 ? cost : std::nextafter(cost + slack_, kInfinity);
    if (bound_ != bound_) bound_ = kInfinity;  // -inf + inf: scores beyond float tell nothing
    std::erase_if(kept_, [&](Candidate c) { return !(cost_of(c) <= bound_); });
    // Thousands of ties would otherwise be searched through again at every step.
    limit_ = std::max(limit_, 2 * kept_.size());
  }

  std::size_t k_ = 0;
  float slack_ = 0;
  std::size_t limit_ = 0;
  float bound_ = 0;
  std::vector<Candidate> kept_;
};

}  // namespace segue
