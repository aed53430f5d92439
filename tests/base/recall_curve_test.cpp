#include "segue/recall_curve.hpp"

#include <gtest/gtest.h>

namespace segue {
namespace {

const RecallCurve kCurve{.k = 10,
                         .queries = 100,
                         .items = 1000,
                         .points = {{10, 0.80, 0.70, 90}, {20, 0.90, 0.80, 150}, {40, 0.95, 0.90, 270}}};

TEST(RecallCurve, GivesTheSmallestEffortThatHolds) {
  EXPECT_EQ(kCurve.effort_for(0.80), 20u);
  EXPECT_EQ(kCurve.effort_for(0.90), 40u);
  EXPECT_EQ(kCurve.reachable(), 0.90);
}

TEST(RecallCurve, GoesAlongTheLineBetweenPointsAndRoundsUp) {
  EXPECT_EQ(kCurve.effort_for(0.75), 15u);
  EXPECT_EQ(kCurve.effort_for(0.751), 16u);
  EXPECT_EQ(kCurve.effort_for(0.85), 30u);
}

TEST(RecallCurve, AsksForNoLessThanItsFirstPointAndNothingBeyondItsLast) {
  EXPECT_EQ(kCurve.effort_for(0.01), 10u);
  EXPECT_EQ(kCurve.effort_for(0.9001), 0u);
  EXPECT_EQ(kCurve.effort_for(1), 0u);
  EXPECT_EQ(RecallCurve{}.effort_for(0.5), 0u);
}

TEST(RecallCurve, TellsWhatToExpectOfAnEffort) {
  EXPECT_DOUBLE_EQ(kCurve.recall_at(1), 0.80);
  EXPECT_DOUBLE_EQ(kCurve.recall_at(20), 0.90);
  EXPECT_DOUBLE_EQ(kCurve.recall_at(30), 0.925);
  EXPECT_DOUBLE_EQ(kCurve.recall_at(1000), 0.95);
  EXPECT_EQ(RecallCurve{}.recall_at(10), 0);
}

TEST(RecallCurve, CopesWithFlatStretches) {
  const RecallCurve flat{.k = 1, .points = {{1, 0.5, 0.4, 1}, {2, 0.5, 0.4, 1}, {4, 1, 0.9, 1}}};
  EXPECT_EQ(flat.effort_for(0.4), 1u);
  EXPECT_EQ(flat.effort_for(0.41), 3u);
}

}  // namespace
}  // namespace segue
