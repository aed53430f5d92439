// The buckets of latencies, and quantiles against a sorted list of the same values.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "index/vectors.hpp"
#include "metrics/operation_counters.hpp"

namespace segue::test {
namespace {

TEST(LatencyBuckets, EachHoldsWhatLiesBetweenItsEdges) {
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    ASSERT_LT(lower_edge(i), upper_edge(i));
    ASSERT_EQ(latency_bucket(lower_edge(i) + 1), i);
    ASSERT_EQ(latency_bucket(upper_edge(i)), i);
    // A sixteenth of an octave, or 8 ns.
    const std::uint64_t width = upper_edge(i) - lower_edge(i);
    ASSERT_TRUE(width == 8 || width * 16 <= lower_edge(i)) << i;
  }
  EXPECT_EQ(latency_bucket(0), 0u);
  EXPECT_EQ(upper_edge(kLatencyBuckets - 1), std::uint64_t{1} << 37);
  EXPECT_EQ(latency_bucket(std::numeric_limits<std::uint64_t>::max()), kLatencyBuckets - 1);
  for (int power = 7; power <= 37; ++power) {
    EXPECT_EQ(upper_edge(latency_bucket(std::uint64_t{1} << power)), std::uint64_t{1} << power);
  }
}

TEST(LatencyHistogram, QuantilesAreThoseOfASortedList) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::size_t n = seed == 1 ? 1 : 1 + random.next() % 5000;
    std::vector<std::uint64_t> values(n);
    // From nanoseconds to half a minute, log-uniform; some of them ties.
    for (std::uint64_t& value : values) value = static_cast<std::uint64_t>(std::pow(10.0, 10.4 * uniform(random)));
    std::fill(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n / 4), values.back());
    OperationCounters counters;
    double sum = 0;
    for (const std::uint64_t value : values) {
      counters.succeed(value, 2);
      sum += static_cast<double>(value) * 1e-9;
    }
    OperationMetrics metrics;
    counters.add_to(metrics);
    EXPECT_EQ(metrics.calls, n);
    EXPECT_EQ(metrics.items, 2 * n);
    EXPECT_EQ(metrics.latency.count, n);
    EXPECT_NEAR(metrics.latency.seconds, sum, 1e-9 * sum);
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(q * static_cast<double>(n))));
      const double wanted = static_cast<double>(values[rank - 1]) * 1e-9;
      EXPECT_NEAR(metrics.latency.quantile(q), wanted, std::max(wanted / 32, 4e-9) * (1 + 1e-9)) << q;
    }
    for (int power = 7; power <= 36; ++power) {
      const std::uint64_t bound = std::uint64_t{1} << power;
      const auto below = std::upper_bound(values.begin(), values.end(), bound) - values.begin();
      EXPECT_EQ(metrics.latency.at_most(std::ldexp(1e-9, power)), static_cast<std::uint64_t>(below)) << power;
    }
    EXPECT_EQ(metrics.latency.at_most(std::numeric_limits<double>::infinity()), n);
  }
}

TEST(LatencyHistogram, WhatTookLongerThanAllBucketsIsBelowNoBound) {
  OperationCounters counters;
  counters.succeed(std::uint64_t{1} << 45, 0);
  OperationMetrics metrics;
  counters.add_to(metrics);
  EXPECT_EQ(metrics.latency.at_most(1e6), 0u);
  EXPECT_EQ(metrics.latency.count, 1u);
  EXPECT_GT(metrics.latency.quantile(0.5), 100);
}

TEST(LatencyHistogram, OfNothingAndOfWhatCameInBetween) {
  EXPECT_EQ(LatencyHistogram().quantile(0.5), 0);
  EXPECT_EQ(LatencyHistogram().at_most(1), 0u);
  OperationCounters counters;
  OperationMetrics before, after;
  for (int i = 0; i < 100; ++i) counters.succeed(1000, 1);
  counters.add_to(before);
  for (int i = 0; i < 10; ++i) counters.succeed(1'000'000, 1);
  counters.add_to(after);
  EXPECT_LT(after.latency.quantile(0.5), 2e-6);
  const LatencyHistogram between = after.latency.since(before.latency);
  EXPECT_EQ(between.count, 10u);
  EXPECT_NEAR(between.seconds, 0.01, 1e-9);
  EXPECT_NEAR(between.quantile(0.01), 1e-3, 1e-3 / 32);
  EXPECT_EQ(after.latency.since({}).count, 110u);
}

}  // namespace
}  // namespace segue::test
