// The page that Prometheus scrapes, read back by a strict reader.

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "metrics/operation_counters.hpp"
#include "metrics/read_prometheus.hpp"
#include "segue/metrics.hpp"

namespace segue::test {
namespace {

MetricsSnapshot some_snapshot() {
  MetricsSnapshot now;
  OperationCounters search, swap;
  for (const std::uint64_t took : {900u, 16'384u, 16'385u, 1'000'000u, 3'000'000'000u}) search.succeed(took, 3);
  raise_by(search.errors, 2);
  search.add_to(now.search);
  OperationCounters none;
  for (OperationMetrics* other : {&now.range_search, &now.add, &now.upsert, &now.remove, &now.snapshot}) none.add_to(*other);
  swap.succeed(std::uint64_t{1} << 50, 7);  // two weeks
  swap.add_to(now.swap);
  now.distances = 12'345'678'901'234'567;
  now.visited = 99;
  now.cut = 4;
  now.items = 200'000;
  now.memory = 74'000'000;
  now.indexes = 1;
  return now;
}

TEST(Prometheus, EverythingIsThereAndReadsBack) {
  MetricsSnapshot now = some_snapshot();
  now.live = LiveGauges{3, 4096, 12.5};
  now.serving = ServingGauges{7, 2, 0.25};
  now.recall = {.sampled = 10, .measured = 8, .dropped = 1, .skipped = 1, .wanted = 80, .found = 76, .recall = 0.95, .low = 0.6, .high = 0.99};
  const std::string page = to_prometheus(now);
  const PrometheusReader read(page);
  ASSERT_FALSE(read.failed());
  EXPECT_EQ(page.back(), '\n');
  const LabelMap search = {{"op", "search"}};
  EXPECT_EQ(read.value("segue_searches_total", search), 5);
  EXPECT_EQ(read.value("segue_search_errors_total", search), 2);
  EXPECT_EQ(read.value("segue_search_queries_total", search), 15);
  EXPECT_EQ(read.value("segue_searches_total", {{"op", "range_search"}}), 0);
  EXPECT_NE(page.find("segue_search_distances_total 12345678901234567\n"), std::string::npos) << "no digit is lost";
  EXPECT_EQ(read.value("segue_search_cut_total", {}), 4);
  EXPECT_EQ(read.value("segue_swaps_total", {}), 1);
  EXPECT_EQ(read.value("segue_items", {}), 200'000);
  EXPECT_EQ(read.value("segue_memory_bytes", {}), 74'000'000);
  EXPECT_EQ(read.value("segue_journal_lag_changes", {}), 3);
  EXPECT_EQ(read.value("segue_snapshot_age_seconds", {}), 12.5);
  EXPECT_EQ(read.value("segue_serving_generation", {}), 7);
  EXPECT_EQ(read.value("segue_serving_age_seconds", {}), 0.25);
  EXPECT_EQ(read.value("segue_shadow_found_total", {}), 76);
  EXPECT_EQ(read.value("segue_recall_estimate", {}), 0.95);
  for (const auto& [name, family] : read.families()) {
    EXPECT_EQ(name.compare(0, 6, "segue_"), 0) << name;
    EXPECT_FALSE(family.samples.empty()) << name;
    EXPECT_FALSE(family.help.empty()) << name;
  }
}

TEST(Prometheus, WhatIsNotKnownIsNotSaid) {
  const std::string page = to_prometheus(some_snapshot());
  const PrometheusReader read(page);
  ASSERT_FALSE(read.failed());
  for (const char* name : {"segue_recall_estimate", "segue_journal_lag_changes", "segue_serving_generation"}) {
    EXPECT_EQ(read.families().count(name), 0u) << name;
  }
}

// _bucket of a family: (le, count) for one op, in the order of the page.
std::vector<std::pair<double, double>> buckets_of(const PrometheusReader& read, const std::string& family, const LabelMap& labels) {
  std::vector<std::pair<double, double>> buckets;
  for (const auto& [key, count] : read.families().at(family).samples) {
    if (key.first != family + "_bucket") continue;
    LabelMap others = key.second;
    const std::string le = others.at("le");
    others.erase("le");
    if (others == labels) buckets.emplace_back(le == "+Inf" ? INFINITY : std::stod(le), count);
  }
  return buckets;
}

TEST(Prometheus, BucketsAreCumulativeAndExact) {
  const MetricsSnapshot now = some_snapshot();
  const std::string page = to_prometheus(now);
  const PrometheusReader read(page);
  ASSERT_FALSE(read.failed());
  const LabelMap op = {{"op", "search"}};
  const auto buckets = buckets_of(read, "segue_search_latency_seconds", op);
  ASSERT_EQ(buckets.size(), 23u);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    EXPECT_TRUE(i == 0 || buckets[i].first > buckets[i - 1].first);
    // 900 ns; 16,384 ns is at most 16.384 us, 16,385 is not; a millisecond; three seconds.
    double wanted = 0;
    for (const double took : {900e-9, 16384e-9, 16385e-9, 1e-3, 3.0}) wanted += took <= buckets[i].first * (1 + 1e-12);
    EXPECT_EQ(buckets[i].second, wanted) << buckets[i].first;
  }
  EXPECT_EQ(buckets.back().first, INFINITY);
  EXPECT_EQ(buckets.back().second, read.value("segue_search_latency_seconds_count", op));
  EXPECT_NEAR(read.value("segue_search_latency_seconds_sum", op), 3.001033669, 1e-9);
  const auto longest = buckets_of(read, "segue_swap_latency_seconds", {});
  EXPECT_EQ(longest[longest.size() - 2].second, 0);
  EXPECT_EQ(longest.back().second, 1);
}

TEST(Prometheus, BoundsOfOnesOwn) {
  const std::string page = to_prometheus(some_snapshot(), {}, {0.00002, 0.01, 5});
  const PrometheusReader read(page);
  const auto buckets = buckets_of(read, "segue_search_latency_seconds", {{"op", "search"}});
  const std::vector<std::pair<double, double>> wanted = {{0.00002, 3}, {0.01, 4}, {5, 5}, {INFINITY, 5}};
  EXPECT_EQ(buckets, wanted);
  EXPECT_NE(page.find("le=\"2e-05\""), std::string::npos) << "the bound as it was given";
}

TEST(Prometheus, LabelsAreEscaped) {
  const std::string odd = "a\\b\"c\nd,e={}\xc3\xb6";
  const std::string page = to_prometheus(some_snapshot(), {{"index", odd}, {"zone", ""}});
  const PrometheusReader read(page);
  ASSERT_FALSE(read.failed());
  EXPECT_EQ(read.value("segue_items", {{"index", odd}, {"zone", ""}}), 200'000);
  EXPECT_EQ(read.value("segue_searches_total", {{"index", odd}, {"zone", ""}, {"op", "search"}}), 5);
}

}  // namespace
}  // namespace segue::test
