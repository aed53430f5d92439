#include "tuning/fit_curve.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "index/vectors.hpp"

namespace segue::test {
namespace {

TEST(FitCurve, LeavesACurveThatAscendsAsItIs) {
  std::vector<CurvePoint> points = {{10, 0.5, 0.4, 1}, {20, 0.7, 0.65, 2}, {40, 0.9, 0.88, 4}};
  fit_curve(points);
  EXPECT_DOUBLE_EQ(points[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(points[1].recall, 0.7);
  EXPECT_DOUBLE_EQ(points[2].recall, 0.9);
  EXPECT_DOUBLE_EQ(points[1].recall_low, 0.65);
}

TEST(FitCurve, PoolsWhatFalls) {
  std::vector<CurvePoint> points = {
      {1, 0.5, 0.5, 1}, {2, 0.9, 0.9, 1}, {3, 0.8, 0.8, 1}, {4, 0.7, 0.7, 1}, {5, 1, 1, 1}};
  fit_curve(points);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_NEAR(points[i].recall, 0.8, 1e-12);
  EXPECT_EQ(points[0].recall, 0.5);
  EXPECT_EQ(points[4].recall, 1);
}

TEST(FitCurve, PromisesNothingThatALargerEffortFailedToHold) {
  std::vector<CurvePoint> points = {{1, 0.8, 0.79, 1}, {2, 0.85, 0.75, 1}, {3, 0.9, 0.89, 1}};
  fit_curve(points);
  EXPECT_DOUBLE_EQ(points[0].recall_low, 0.75);
  EXPECT_DOUBLE_EQ(points[1].recall_low, 0.75);
}

// Whatever was measured, the curve is one that an index keeps.
TEST(FitCurve, IsInOrderAfterAnyNoise) {
  constexpr std::uint64_t kSeed = 31;
  Random random(kSeed);
  for (int round = 0; round < 1000; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    std::vector<CurvePoint> points;
    for (std::size_t i = 0, n = 1 + random.below(20); i < n; ++i) {
      const double recall = uniform(random);
      points.push_back({i + 1, recall, recall * uniform(random), 1});
    }
    double sum = 0, fitted = 0;
    for (const CurvePoint& p : points) sum += p.recall;
    fit_curve(points);
    for (const CurvePoint& p : points) fitted += p.recall;
    EXPECT_NEAR(fitted, sum, 1e-9);  // pooling keeps the sum
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_LE(points[i].recall_low, points[i].recall);
      ASSERT_GE(points[i].recall_low, 0);
      ASSERT_LE(points[i].recall, 1);
      if (i == 0) continue;
      ASSERT_GE(points[i].recall, points[i - 1].recall);
      ASSERT_GE(points[i].recall_low, points[i - 1].recall_low);
    }
  }
}

TEST(SummarizeRecalls, LeavesRoomWhereNothingWasMissed) {
  const std::vector<double> all(1000, 1.0);
  const MeasuredRecall measured = summarize_recalls(all, 10);
  EXPECT_EQ(measured.mean, 1);
  EXPECT_LT(measured.low, 1 - 1e-4);
  EXPECT_GT(measured.low, 1 - 4e-4);
}

TEST(SummarizeRecalls, OfOneQueryIsLowButANumber) {
  const double one[] = {1.0};
  const MeasuredRecall measured = summarize_recalls(one, 10);
  EXPECT_GE(measured.low, 0);
  EXPECT_LT(measured.low, 0.95);
}

// The bound is below the true mean in about 95 of 100 samples. 2,000 samples: one standard deviation is half a percent.
TEST(SummarizeRecalls, BoundHoldsAsOftenAsItSays) {
  Random random(77);
  int below = 0;
  constexpr int kSamples = 2000;
  constexpr double kTrue = 0.93;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::vector<double> recalls(400);
    for (double& r : recalls) {
      int hits = 0;
      for (int i = 0; i < 10; ++i) hits += uniform(random) < kTrue;
      r = hits / 10.0;
    }
    below += summarize_recalls(recalls, 10).low <= kTrue;
  }
  EXPECT_NEAR(static_cast<double>(below) / kSamples, 0.95, 0.02);
}

}  // namespace
}  // namespace segue::test
