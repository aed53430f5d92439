#pragma once
// Small facts about storages and metrics that several rooms need.

#include "segue/core/vector_store.hpp"
#include "segue/types.hpp"

namespace segue {

constexpr RowMetric score_metric(Metric metric) noexcept {
  return metric == Metric::kL2 ? RowMetric::kSquaredL2 : RowMetric::kDot;
}
constexpr float score_of_cost(Metric metric, float cost) noexcept { return larger_is_better(metric) ? -cost : cost; }

constexpr bool is_finer(Storage a, Storage b) noexcept {
  constexpr auto bits = [](Storage s) {
    switch (s) {
      case Storage::kSq4: return 4;
      case Storage::kPca8: return 4;  // of a row's numbers; by their codes alone it would be 8
      case Storage::kSq8: return 8;
      case Storage::kBf16: return 15;  // fewer significant digits than f16
      case Storage::kF16: return 16;
      default: return 32;
    }
  };
  return bits(a) > bits(b);
}

}  // namespace segue
