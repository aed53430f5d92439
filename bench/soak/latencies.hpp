#pragma once
// Latencies: how long things took, counted by many threads and read by one, in memory that does not grow with time: 64
// buckets an octave of nanoseconds, so a percentile is at most 1.6 % too large.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace segue::bench {

// What was counted in a while. Microseconds.
struct LatencySummary {
  std::uint64_t count = 0;
  double p50 = 0, p99 = 0, max = 0;
};

class Latencies {
 public:
  void add(std::chrono::nanoseconds time) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 1));
    counts_[std::min(bucket_of(ns), kBuckets - 1)].fetch_add(1, std::memory_order_relaxed);
    std::uint64_t seen = longest_.load(std::memory_order_relaxed);
    while (seen < ns && !longest_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
    }
  }

  // What came since the last call; one thread calls it.
  LatencySummary take() noexcept {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) all += taken_[i] = counts_[i].exchange(0, std::memory_order_relaxed);
    const auto longest = static_cast<double>(longest_.exchange(0, std::memory_order_relaxed)) / 1e3;
    return {all, std::min(percentile(all, 0.5), longest), std::min(percentile(all, 0.99), longest), longest};
  }

 private:
  static constexpr std::size_t kParts = 64;
  static constexpr std::size_t kBuckets = 36 * kParts;  // to 2^41 ns, half an hour

  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < kParts) return static_cast<std::size_t>(ns);
    const auto octave = static_cast<std::size_t>(std::bit_width(ns) - std::bit_width(kParts)) + 1;
    return octave * kParts + static_cast<std::size_t>(ns >> (octave - 1)) - kParts;
  }
  // The first number that is no longer in it.
  static double end_of(std::size_t bucket) noexcept {
    if (bucket < kParts) return static_cast<double>(bucket + 1);
    const std::size_t octave = bucket / kParts;
    return static_cast<double>((bucket % kParts + kParts + 1) << (octave - 1));
  }
  double percentile(std::uint64_t all, double share) const noexcept {
    if (all == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(all - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      if ((seen += taken_[i]) >= wanted) return end_of(i) / 1e3;
    }
    return 0;
  }

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::array<std::uint64_t, kBuckets> taken_{};
  std::atomic<std::uint64_t> longest_{0};
};

}  // namespace segue::bench
