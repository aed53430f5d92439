// The edges: empty, smaller than k, emptied, refilled, moved; one item, one dimension, numbers near the ends of float.

#include <gtest/gtest.h>

#include <numeric>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 8;
constexpr std::size_t kItems = 300;

class IndexEdges : public testing::TestWithParam<IndexCase> {
 protected:
  std::unique_ptr<Index> filled(std::uint64_t seed = 1) {
    auto index = make_index(GetParam(), kDim);
    Random random(seed);
    const Vectors x = gaussian_vectors(random, kItems, kDim);
    const Status added = index->add(MatrixView(x, kDim));
    EXPECT_TRUE(added.ok()) << added.message();
    return index;
  }

  void expect_all_found(const Index& index, std::size_t k, std::size_t ef = 2 * kItems) {
    Random random(9);
    const Vectors queries = gaussian_vectors(random, 20, kDim);
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(
        check_search(index, Reference::of(index), MatrixView(queries, kDim), k, {.ef = ef}, true, tally));
    EXPECT_GE(tally.recall(), 0.99);
  }
};

void expect_nothing(const Index& index) {
  Random random(3);
  const Vectors queries = gaussian_vectors(random, 3, kDim);
  const SearchResult found = index.search(MatrixView(queries, kDim), 4).value();
  EXPECT_EQ(found.ids, std::vector<Id>(12, kMissingId));
  EXPECT_EQ(found.scores, std::vector<float>(12, missing_score(index.metric())));
  const float all = larger_is_better(index.metric()) ? -1e30F : 1e30F;
  const RangeResult range = index.range_search(MatrixView(queries, kDim), all).value();
  EXPECT_EQ(range.offsets, std::vector<std::size_t>(4, 0));
  EXPECT_TRUE(range.ids.empty());
}

TEST_P(IndexEdges, AnEmptyIndexFindsNothingAndFailsNothing) {
  const auto index = make_index(GetParam(), kDim);
  EXPECT_EQ(index->size(), 0U);
  EXPECT_TRUE(index->ids().empty());
  EXPECT_FALSE(index->contains(0));
  SEGUE_ASSERT_OK(index->validate());
  expect_nothing(*index);
  EXPECT_EQ(index->remove(std::vector<Id>{0, 5}).value(), 0U);
  EXPECT_TRUE(index->get({}).value().empty());
  SEGUE_ASSERT_OK(index->add(MatrixView(nullptr, 0, kDim)));
  EXPECT_EQ(index->size(), 0U);
}

TEST_P(IndexEdges, NoQueriesGiveNoRows) {
  const auto index = filled();
  const SearchResult found = index->search(MatrixView(nullptr, 0, kDim), 3).value();
  EXPECT_TRUE(found.ids.empty());
  EXPECT_EQ(index->range_search(MatrixView(nullptr, 0, kDim), 1).value().offsets, std::vector<std::size_t>{0});
}

TEST_P(IndexEdges, MoreThanThereIs) {
  const auto index = filled();
  expect_all_found(*index, kItems);
  expect_all_found(*index, kItems + 17);
}

// ef below k is raised to k; it is no reason for fewer results.
TEST_P(IndexEdges, EfBelowK) {
  const auto index = filled();
  Random random(5);
  const Vectors queries = gaussian_vectors(random, 10, kDim);
  const Reference reference = Reference::of(*index);
  for (const std::size_t ef : {1u, 2u, 49u}) {
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(
        check_search(*index, reference, MatrixView(queries, kDim), 50, {.ef = ef}, true, tally));
    EXPECT_GE(tally.recall(), 0.9) << "ef " << ef;
  }
}

TEST_P(IndexEdges, OneItem) {
  const auto index = make_index(GetParam(), kDim);
  const Vectors x = {1, 2, 3, 4, 5, 6, 7, 8};
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim), std::vector<Id>{42}));
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_EQ(index->search(MatrixView(x, kDim), 2).value().ids, (std::vector<Id>{42, kMissingId}));
}

TEST_P(IndexEdges, EmptiedIndexIsLikeANewOne) {
  const auto index = filled();
  std::vector<Id> ids = index->ids();
  EXPECT_EQ(index->remove(ids).value(), kItems);
  EXPECT_EQ(index->size(), 0U);
  SEGUE_ASSERT_OK(index->validate());
  expect_nothing(*index);
  EXPECT_EQ(index->remove(ids).value(), 0U);
  Random random(8);
  const Vectors x = gaussian_vectors(random, kItems, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim), ids));
  SEGUE_ASSERT_OK(index->validate());
  expect_all_found(*index, 10);
}

// One at a time, with a search in between: the graph is mended every time, the entry point included.
TEST_P(IndexEdges, RemovalOneByOne) {
  const auto index = filled();
  Reference reference = Reference::of(*index);
  Random random(4);
  std::vector<Id> ids = index->ids();
  while (!ids.empty()) {
    const std::size_t at = random.below(ids.size());
    const Id gone = ids[at];
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at));
    ASSERT_EQ(index->remove(std::span(&gone, 1)).value(), 1U);
    reference.erase(gone);
    SEGUE_ASSERT_OK(index->validate());
    const Vectors query = gaussian_vectors(random, 1, kDim);
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(
        check_search(*index, reference, MatrixView(query, kDim), 5, {.ef = 2 * kItems}, true, tally))
        << ids.size() << " left";
  }
}

TEST_P(IndexEdges, DefaultIdsGoOnFromTheLargestEverUsed) {
  const auto index = make_index(GetParam(), kDim);
  Random random(6);
  const Vectors x = gaussian_vectors(random, 2, kDim);
  const MatrixView two(x, kDim);
  SEGUE_ASSERT_OK(index->add(two));
  EXPECT_EQ(index->ids(), (std::vector<Id>{0, 1}));
  SEGUE_ASSERT_OK(index->add(two, std::vector<Id>{1000, 7}));
  SEGUE_ASSERT_OK(index->add(two));
  EXPECT_EQ(index->ids(), (std::vector<Id>{0, 1, 7, 1000, 1001, 1002}));
  EXPECT_EQ(index->remove(std::vector<Id>{1002, 1001}).value(), 2U);
  SEGUE_ASSERT_OK(index->add(two));
  EXPECT_EQ(index->ids(), (std::vector<Id>{0, 1, 7, 1000, 1003, 1004}));
}

// Far away and back: searches near the old place must not find it, those near the new one must.
TEST_P(IndexEdges, UpsertMovesAnItem) {
  if (GetParam().metric != Metric::kL2) GTEST_SKIP() << "distances say where an item is";
  const auto index = filled();
  const Reference before = Reference::of(*index);
  const std::vector<float> old_place = index->get(std::vector<Id>{77}).value();
  const Vectors far(kDim, 50);
  SEGUE_ASSERT_OK(index->upsert(MatrixView(far, kDim), std::vector<Id>{77}));
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_EQ(index->size(), kItems);
  EXPECT_EQ(index->search(MatrixView(far, kDim), 1).value().ids[0], 77);
  const SearchResult near_old = index->search(MatrixView(old_place, kDim), 10).value();
  EXPECT_EQ(std::count(near_old.ids.begin(), near_old.ids.end(), 77), 0);
  SEGUE_ASSERT_OK(index->upsert(MatrixView(old_place, kDim), std::vector<Id>{77}));
  EXPECT_EQ(index->search(MatrixView(old_place, kDim), 1).value().ids[0], 77);
  // What was decoded is coded again: of several parts of a code the last may round once more.
  auto after = Reference::of(*index).items();
  const std::vector<float>& moved_back = after.at(77);
  const float once_more = rabitq_bits(GetParam().storage) != 0 ? 1e-3F : 1e-6F;
  for (std::size_t j = 0; j < kDim; ++j) EXPECT_NEAR(moved_back[j], old_place[j], once_more);
  after.at(77) = old_place;
  EXPECT_EQ(after, before.items());
  expect_all_found(*index, 10);
}

// Everything is replaced several times over; nothing old is found, nothing new is lost.
TEST_P(IndexEdges, TurnoverOfTheWholeIndex) {
  const auto index = filled();
  Random random(12);
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const Vectors x = gaussian_vectors(random, kItems, kDim);
    for (std::size_t first = 0; first < kItems; first += 50) {
      std::vector<Id> ids(50);
      std::iota(ids.begin(), ids.end(), static_cast<Id>(first));
      SEGUE_ASSERT_OK(index->upsert(MatrixView(x, kDim).slice(first, 50), ids));
      SEGUE_ASSERT_OK(index->validate());
    }
    ASSERT_NO_FATAL_FAILURE(expect_all_found(*index, 10, 64));
  }
}

// Finite numbers whose scores are not: whatever the order, the answer has k distinct valid ids and the call ends.
TEST_P(IndexEdges, ScoresBeyondFloat) {
  const auto index = make_index(GetParam(), kDim);
  Random random(2);
  Vectors x = gaussian_vectors(random, 200, kDim);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= i / kDim % 2 == 0 ? 1e30F : 1e-30F;
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  SEGUE_ASSERT_OK(index->validate());
  const SearchResult found = index->search(MatrixView(x, kDim), 20, {.ef = 400}).value();
  for (std::size_t q = 0; q < 200; ++q) {
    const std::set<Id> row(found.ids.begin() + static_cast<std::ptrdiff_t>(q * 20),
                           found.ids.begin() + static_cast<std::ptrdiff_t>(q * 20 + 20));
    ASSERT_EQ(row.size(), 20U) << "query " << q;
    ASSERT_GE(*row.begin(), 0) << "query " << q;
    ASSERT_LT(*row.rbegin(), 200) << "query " << q;
  }
}

TEST_P(IndexEdges, SaysWhatItIs) {
  const auto index = filled();
  EXPECT_EQ(index->kind(), GetParam().kind);
  EXPECT_EQ(index->dim(), kDim);
  EXPECT_EQ(index->metric(), GetParam().metric);
  EXPECT_EQ(index->storage(), GetParam().storage);
  const std::size_t row = GetParam().storage == Storage::kF32 ? 4 * kDim : GetParam().storage == Storage::kSq8 ? kDim : 2 * kDim;
  EXPECT_GE(index->memory_usage(), kItems * row);
  EXPECT_LE(index->memory_usage(), 200'000 + kItems * (16 * kDim + 1000));
  EXPECT_FALSE(index->stats().empty());
}

INSTANTIATE_TEST_SUITE_P(All, IndexEdges, testing::ValuesIn(all_cases()), CaseName());

}  // namespace
}  // namespace segue::test
