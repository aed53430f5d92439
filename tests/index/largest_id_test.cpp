// 2^63 - 1 and the ids near it: found, replaced, removed and saved like others; what has no number after it says so.

#include <gtest/gtest.h>

#include <limits>

#include "index_cases.hpp"
#include "segue/file.hpp"
#include "support/temporary_folder.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 8;
constexpr Id kLargest = std::numeric_limits<Id>::max();

class LargestId : public testing::TestWithParam<IndexCase> {};

TEST_P(LargestId, IdsWithoutNamesEndBeforeTheLargest) {
  const Id last = kLargest - 1;
  const auto index = make_index(GetParam(), kDim);
  Random random(6);
  const Vectors x = gaussian_vectors(random, 2, kDim);
  const MatrixView two(x, kDim);
  SEGUE_ASSERT_OK(index->add(two, std::vector<Id>{last - 5, 3}));
  SEGUE_ASSERT_OK(index->add(two));
  SEGUE_ASSERT_OK(index->add(two));
  const Status none_left = index->add(two);
  EXPECT_EQ(none_left.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(none_left.message().find("1 are left for 2 vectors"), std::string::npos) << none_left.message();
  SEGUE_ASSERT_OK(index->add(two.slice(0, 1)));
  EXPECT_EQ(index->add(two.slice(0, 1)).code(), StatusCode::kInvalidArgument);
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_EQ(index->ids(), (std::vector<Id>{3, last - 5, last - 4, last - 3, last - 2, last - 1, last}));
}

// An id like any other, but that none follows: not even after it was removed, and not in the file.
TEST_P(LargestId, TheLargestIdOfAll) {
  auto index = make_index(GetParam(), kDim);
  Random random(6);
  const Vectors x = gaussian_vectors(random, 4, kDim);
  const MatrixView two = MatrixView(x, kDim).slice(0, 2), others = MatrixView(x, kDim).slice(2, 2);
  SEGUE_ASSERT_OK(index->add(two, std::vector<Id>{kLargest, 0}));
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_EQ(index->add(two, std::vector<Id>{5, kLargest}).code(), StatusCode::kAlreadyExists);
  const IdSet last = IdSet::from_ids(std::vector<Id>{kLargest}).value();
  const auto search_both_ways = [&] {
    SearchOptions only{.filter = &last};
    EXPECT_EQ(index->search(others, 2, only).value().ids,
              (std::vector<Id>{kLargest, kMissingId, kLargest, kMissingId}));
    const IdSet rest = ~last;
    EXPECT_EQ(index->search(others.slice(0, 1), 1, {.filter = &rest}).value().ids, std::vector<Id>{0});
  };
  search_both_ways();
  SEGUE_ASSERT_OK(index->upsert(others, std::vector<Id>{kLargest, 0}));  // replaced where no id is free above
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_EQ(index->size(), 2U);
  search_both_ways();
  SEGUE_ASSERT_OK(index->upsert(two, std::vector<Id>{1, kLargest}));  // one of them new
  EXPECT_EQ(index->ids(), (std::vector<Id>{0, 1, kLargest}));

  const TemporaryFolder folder;
  SEGUE_ASSERT_OK(index->save(folder.file("largest.segue")));
  index = load(folder.file("largest.segue")).value();
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_TRUE(index->contains(kLargest));
  search_both_ways();
  EXPECT_EQ(index->add(two).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(index->remove(std::vector<Id>{kLargest}).value(), 1U);
  EXPECT_EQ(index->add(two).code(), StatusCode::kInvalidArgument);
  SEGUE_ASSERT_OK(index->add(two, std::vector<Id>{7, kLargest}));
  EXPECT_EQ(index->ids(), (std::vector<Id>{0, 1, 7, kLargest}));
  SEGUE_ASSERT_OK(index->validate());
}

INSTANTIATE_TEST_SUITE_P(All, LargestId, testing::ValuesIn(all_cases()), CaseName());

}  // namespace
}  // namespace segue::test
