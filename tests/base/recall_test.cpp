#include "segue/recall.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace segue {
namespace {

using Ids = std::vector<Id>;

void expect_invalid(const Result<double>& result, const std::string& part) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().message();
}

TEST(Recall, CountsWhatWasFoundInAnyOrder) {
  EXPECT_DOUBLE_EQ(recall(Ids{1, 2, 3}, 3, Ids{3, 1, 2}, 3, 3).value(), 1.0);
  EXPECT_DOUBLE_EQ(recall(Ids{1, 2, 9}, 3, Ids{3, 1, 2}, 3, 3).value(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(recall(Ids{7, 8, 9}, 3, Ids{3, 1, 2}, 3, 3).value(), 0.0);
}

TEST(Recall, IsAMeanOverQueries) {
  EXPECT_DOUBLE_EQ(recall(Ids{1, 2, 3, 4}, 2, Ids{1, 2, 8, 9}, 2, 2).value(), 0.5);
  EXPECT_DOUBLE_EQ(recall(Ids{1, 2, 3, 4}, 2, Ids{1, 5, 3, 4}, 2, 2).value(), 0.75);
}

TEST(Recall, LooksAtTheFirstKOnly) {
  // 5 is found, but second; the truth at 1 is 5, at 2 it is 5 and 6.
  EXPECT_DOUBLE_EQ(recall(Ids{1, 5, 6}, 3, Ids{5, 6}, 2, 1).value(), 0.0);
  EXPECT_DOUBLE_EQ(recall(Ids{1, 5, 6}, 3, Ids{5, 6}, 2, 2).value(), 0.5);
}

TEST(Recall, MissingAndRepeatedIdsNeverCountTwice) {
  EXPECT_DOUBLE_EQ(recall(Ids{-1, -1}, 2, Ids{-1, -1}, 2, 2).value(), 0.0);
  EXPECT_DOUBLE_EQ(recall(Ids{4, 4}, 2, Ids{4, 5}, 2, 2).value(), 0.5);
  EXPECT_DOUBLE_EQ(recall(Ids{4, -1}, 2, Ids{4, -1}, 2, 2).value(), 0.5);
}

TEST(Recall, RefusesShapesThatDoNotFit) {
  expect_invalid(recall(Ids{1}, 1, Ids{1}, 1, 0), "k is 0");
  expect_invalid(recall(Ids{1}, 1, Ids{1, 2}, 2, 2), "ids has rows of 1");
  expect_invalid(recall(Ids{1, 2}, 2, Ids{1}, 1, 2), "truth has rows of 1");
  expect_invalid(recall(Ids{1, 2, 3}, 2, Ids{1, 2}, 2, 2), "ids holds 3 ids");
  expect_invalid(recall(Ids{1, 2}, 2, Ids{1, 2, 3, 4}, 2, 2), "ids has 1 rows and truth 2");
  expect_invalid(recall({}, 2, {}, 2, 2), "no queries");
}

}  // namespace
}  // namespace segue
