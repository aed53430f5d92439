#pragma once
// Counters that many threads raise and few read: relaxed additions, each thread in one of some shares that few others use.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "metrics/latency_buckets.hpp"
#include "segue/metrics.hpp"

namespace segue {

using Counter = std::atomic<std::uint64_t>;

inline void raise_by(Counter& counter, std::uint64_t more) noexcept { counter.fetch_add(more, std::memory_order_relaxed); }
inline std::uint64_t value_of(const Counter& counter) noexcept { return counter.load(std::memory_order_relaxed); }

inline constexpr std::size_t kShares = 16;

// Threads get theirs in turn, so that up to sixteen never meet.
inline std::size_t my_share() noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kShares;
  return mine;
}

struct alignas(64) OperationCounters {
  Counter errors{0};
  Counter items{0};
  Counter nanoseconds{0};
  std::array<Counter, kLatencyBuckets> buckets{};  // their sum is the number of calls

  void succeed(std::uint64_t took, std::uint64_t how_many) noexcept {
    raise_by(buckets[latency_bucket(took)], 1);
    raise_by(nanoseconds, took);
    if (how_many != 0) raise_by(items, how_many);
  }
  void add_to(OperationMetrics& sum) const {
    sum.errors += value_of(errors);
    sum.items += value_of(items);
    sum.latency.seconds += static_cast<double>(value_of(nanoseconds)) * 1e-9;
    sum.latency.buckets.resize(kLatencyBuckets);
    for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
      const std::uint64_t n = value_of(buckets[i]);
      sum.latency.buckets[i] += n;
      sum.latency.count += n;
      sum.calls += n;
    }
  }
};

// What searches raise.
struct alignas(64) SearchCounters {
  Counter numbered{0};  // queries that got a number, by which shadow queries are chosen
  Counter distances{0};
  Counter visited{0};
  Counter cut{0};
  OperationCounters search, range_search;
};

}  // namespace segue
