#include <algorithm>
#include <cmath>

#include "metrics/latency_buckets.hpp"
#include "segue/metrics.hpp"

namespace segue {
namespace {

double middle(std::size_t bucket) noexcept {
  return (static_cast<double>(lower_edge(bucket)) + static_cast<double>(upper_edge(bucket))) / 2 * 1e-9;
}

}  // namespace

double LatencyHistogram::quantile(double q) const noexcept {
  if (count == 0) return 0;
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    seen += buckets[i];
    if (seen >= rank) return middle(i);
  }
  return buckets.empty() ? 0 : middle(buckets.size() - 1);
}

std::uint64_t LatencyHistogram::at_most(double bound) const noexcept {
  if (std::isinf(bound)) return bound > 0 ? count : 0;
  std::uint64_t below = 0;
  // The last one holds whatever took longer than all bounds.
  for (std::size_t i = 0; i + 1 < buckets.size() && middle(i) <= bound; ++i) below += buckets[i];
  return below;
}

LatencyHistogram LatencyHistogram::since(const LatencyHistogram& earlier) const {
  LatencyHistogram between = *this;
  between.count -= earlier.count;
  between.seconds -= earlier.seconds;
  for (std::size_t i = 0; i < std::min(buckets.size(), earlier.buckets.size()); ++i) between.buckets[i] -= earlier.buckets[i];
  return between;
}

}  // namespace segue
