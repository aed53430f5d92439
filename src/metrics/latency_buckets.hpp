#pragma once
// The buckets of a latency histogram: log-linear (HdrHistogram's idea). Each octave of nanoseconds has sixteen of equal
// width; the first sixteen, 8 ns each, reach to 128 ns. Bucket i holds (lower edge, upper edge], so that powers of two are
// edges and a count of what is "at most" one of them is exact.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace segue {

inline constexpr unsigned kUnitShift = 3;     // 8 ns
inline constexpr unsigned kStepBits = 4;      // 16 a octave
inline constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
inline constexpr std::size_t kOctaves = 30;   // above the first sixteen: to 2^37 ns
inline constexpr std::size_t kLatencyBuckets = (kOctaves + 1) * kSteps;

constexpr std::size_t latency_bucket(std::uint64_t nanoseconds) noexcept {
  const std::uint64_t units = (nanoseconds == 0 ? 0 : nanoseconds - 1) >> kUnitShift;
  if (units < kSteps) return static_cast<std::size_t>(units);
  const auto octave = static_cast<unsigned>(std::bit_width(units)) - kStepBits - 1;
  const std::uint64_t bucket = (octave + 1) * kSteps + (units >> octave) - kSteps;
  return static_cast<std::size_t>(std::min<std::uint64_t>(bucket, kLatencyBuckets - 1));
}

// In nanoseconds; the last bucket takes all above it too.
constexpr std::uint64_t upper_edge(std::size_t bucket) noexcept {
  if (bucket < kSteps) return (bucket + 1) << kUnitShift;
  const std::size_t octave = bucket / kSteps - 1;
  return (bucket % kSteps + kSteps + 1) << octave << kUnitShift;
}
constexpr std::uint64_t lower_edge(std::size_t bucket) noexcept { return bucket == 0 ? 0 : upper_edge(bucket - 1); }

}  // namespace segue
