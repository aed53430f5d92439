#pragma once
// RecallCurves: the curves that an index keeps, one for each k that it was tuned for, and the effort that they say.

#include <atomic>
#include <cstddef>
#include <vector>

#include "segue/index.hpp"
#include "segue/recall_curve.hpp"

namespace segue {

inline constexpr std::size_t kMaxCurves = 64;
inline constexpr std::size_t kMaxCurvePoints = 64;
inline constexpr std::size_t kMaxEffort = std::size_t{1} << 24;

// k, efforts and recalls in their ranges and in order. The message starts with what is wrong.
Status check_curve(const RecallCurve& curve);

class RecallCurves {
 public:
  bool empty() const noexcept { return curves_.empty(); }
  // By ascending k.
  std::vector<RecallCurve> all() const;

  // Takes the place of the curve of the same k.
  Status keep(RecallCurve curve);
  // From a file, checked.
  void adopt(std::vector<RecallCurve> curves) noexcept {
    curves_ = std::move(curves);
    changes_ = 0;
  }

  // The curve of the smallest k that is not below the one asked for decides: at equal effort the nearest are found more
  // often than those further away, so what holds for the best 10 holds for the best 5.
  Result<std::size_t> effort_for(std::size_t k, double recall) const;

  // So many items were added, replaced or removed. Safe while others read.
  void count_changes(std::size_t items) noexcept { changes_.fetch_add(items, std::memory_order_relaxed); }
  // "tuned k=10: reachable recall", "... items then", "... changed since".
  void append_stats(IndexStats& stats) const;
  std::size_t memory_usage() const noexcept;

 private:
  std::vector<RecallCurve> curves_;  // `changed`: less the changes that were counted here when the curve came
  std::atomic<std::size_t> changes_{0};
};

}  // namespace segue
