// What a soak is judged by, on figures that are made: what is planted is seen, what is noise is not.

#include "soak/verdict.hpp"

#include <gtest/gtest.h>

#include "soak/latencies.hpp"
#include "support/file_mutations.hpp"

namespace segue::bench {
namespace {

// Twenty minutes that went well: noise of a tenth, and every sixth period a snapshot.
std::vector<SoakPeriod> good_run() {
  test::Random random(5);
  std::vector<SoakPeriod> periods;
  for (int i = 0; i < 120; ++i) {
    const auto noise = [&] { return 0.9 + 0.2 * static_cast<double>(random.below(1000)) / 1000; };
    SoakPeriod period;
    period.begin = 10.0 * i;
    period.end = period.begin + 10;
    period.searches = 10'000;
    period.serving_searches = 2'500;
    period.updates = i % 6 == 5 ? 4'700 : 5'050;
    period.p99 = 800 * noise() * (i % 6 == 5 ? 1.8 : 1);
    period.serving_p99 = 600 * noise();
    period.resident = static_cast<std::uint64_t>(200e6 + 1e6 * noise());
    period.recall = 0.94 + 0.02 * noise();
    if (i % 6 == 0) period.serving_recall = 0.94 + 0.02 * noise();
    // Until all have been here once: the warm-up.
    if (i < 24) {
      period.resident -= static_cast<std::uint64_t>(24 - i) * 4'000'000;
      period.p99 *= 3;
    }
    periods.push_back(period);
  }
  return periods;
}

std::string failures(const std::vector<SoakPeriod>& periods, const SoakLimits& limits = {}) {
  std::string all;
  for (const std::string& failure : judge(periods, limits).failures) all += failure + "; ";
  return all;
}

TEST(SoakVerdict, AGoodRunHolds) {
  const SoakVerdict verdict = judge(good_run(), {});
  EXPECT_EQ(failures(good_run()), "");
  EXPECT_EQ(verdict.judged, 96U);
  EXPECT_NEAR(verdict.resident, 201e6, 1e6);
  EXPECT_NEAR(verdict.recall, 0.96, 0.005);
  EXPECT_LT(std::abs(verdict.drift), 0.05);
}

TEST(SoakVerdict, ABusyMinuteIsNoDrift) {
  for (const std::size_t from : {30U, 70U, 114U}) {
    std::vector<SoakPeriod> periods = good_run();
    for (std::size_t i = from; i < from + 6; ++i) periods[i].p99 *= 8;
    for (std::size_t i = from; i < from + 6; ++i) periods[i].resident += 100'000'000;
    EXPECT_EQ(failures(periods), "") << from;
  }
}

TEST(SoakVerdict, OneErrorIsOneTooMany) {
  for (const std::size_t at : {0U, 60U, 119U}) {
    std::vector<SoakPeriod> periods = good_run();
    periods[at].errors = 1;
    EXPECT_EQ(failures(periods), "1 errors or wrong answers; ");
  }
}

TEST(SoakVerdict, WhatWasNotDoneIsSeen) {
  std::vector<SoakPeriod> periods = good_run();
  for (std::size_t i = 60; i < periods.size(); ++i) periods[i].updates = 4'500;
  EXPECT_NE(failures(periods).find("of 500.0 updates a second were done"), std::string::npos) << failures(periods);
  periods = good_run();
  for (SoakPeriod& period : periods) period.searches -= 300;
  EXPECT_EQ(failures(periods), "970.0 of 1000.0 searches in the live index a second were done; ");
  EXPECT_EQ(failures(periods, {.kept = 0.9}), "");
}

// 40 bytes an update are 20 kB/s.
TEST(SoakVerdict, ALeakIsSeen) {
  std::vector<SoakPeriod> periods = good_run();
  for (SoakPeriod& period : periods) period.resident += static_cast<std::uint64_t>(20e3 * period.begin);
  EXPECT_NE(failures(periods).find("memory grew by 1"), std::string::npos) << failures(periods);
  EXPECT_NEAR(judge(periods, {}).growth, 19e6, 1e6);
}

TEST(SoakVerdict, ADriftIsSeen) {
  std::vector<SoakPeriod> periods = good_run();
  for (SoakPeriod& period : periods) period.p99 *= 1 + period.begin / 2400;  // by half
  EXPECT_NE(failures(periods).find("p99 of searches in the live index rose"), std::string::npos);
  EXPECT_EQ(failures(periods, {.drift = -1}), "");
  periods = good_run();
  for (SoakPeriod& period : periods) period.serving_p99 *= 1 + period.begin / 2400;
  EXPECT_NE(failures(periods).find("p99 of searches in the Serving rose"), std::string::npos);
}

TEST(SoakVerdict, LostRecallIsSeen) {
  std::vector<SoakPeriod> periods = good_run();
  for (SoakPeriod& period : periods) period.recall -= 0.00003 * period.begin;
  EXPECT_NE(failures(periods).find("recall of the live index fell by 0.02"), std::string::npos) << failures(periods);
  periods = good_run();
  for (SoakPeriod& period : periods) period.serving_recall -= period.serving_recall < 0 ? 0 : 0.05;
  EXPECT_NE(failures(periods).find("recall of the Serving is 0.91"), std::string::npos) << failures(periods);
  for (SoakPeriod& period : periods) period.serving_recall = -1;
  EXPECT_NE(failures(periods).find("recall of the Serving was never looked at"), std::string::npos);
}

TEST(SoakVerdict, TooShortIsNoSuccess) {
  std::vector<SoakPeriod> periods = good_run();
  periods.resize(26);
  EXPECT_NE(failures(periods).find("too few"), std::string::npos);
}

TEST(SoakLatencies, PercentilesAreThoseOfTheTimes) {
  Latencies latencies;
  for (int i = 1; i <= 100'000; ++i) latencies.add(std::chrono::nanoseconds(i * 37));
  const LatencySummary summary = latencies.take();
  EXPECT_EQ(summary.count, 100'000U);
  EXPECT_NEAR(summary.p50, 50'000 * 37e-3, 50'000 * 37e-3 / 60);
  EXPECT_NEAR(summary.p99, 99'000 * 37e-3, 99'000 * 37e-3 / 60);
  EXPECT_DOUBLE_EQ(summary.max, 3'700);
  EXPECT_EQ(latencies.take().count, 0U);
  latencies.add(std::chrono::hours(10));
  latencies.add(std::chrono::nanoseconds(0));
  EXPECT_DOUBLE_EQ(latencies.take().max, 36e9);
}

}  // namespace
}  // namespace segue::bench
