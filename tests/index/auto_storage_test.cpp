// What storage="auto" chooses: codes where they tell the items apart, floats where they cannot.

#include <gtest/gtest.h>

#include "answers.hpp"
#include "segue/file.hpp"
#include "support/temporary_folder.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 48;

double recall_of_items(const Index& index, const Vectors& items, std::size_t ef) {
  const auto flat = FlatIndex::create(kDim, Metric::kCosine).value();
  EXPECT_TRUE(flat->add(MatrixView(items, kDim)).ok());
  const MatrixView queries = MatrixView(items, kDim).slice(0, 200);
  const SearchResult truth = flat->search(queries, 10).value();
  const SearchResult found = index.search(queries, 10, {.ef = ef}).value();
  std::size_t common = 0;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const std::set<Id> wanted(truth.ids.begin() + static_cast<std::ptrdiff_t>(q * 10),
                              truth.ids.begin() + static_cast<std::ptrdiff_t>(q * 10 + 10));
    for (std::size_t i = 0; i < 10; ++i) common += wanted.count(found.ids[q * 10 + i]);
  }
  return static_cast<double>(common) / static_cast<double>(queries.rows() * 10);
}

TEST(AutoStorage, CodesWhatLiesNearFewDirections) {
  Random random(11);
  const Vectors items = clustered_vectors(random, 6000, kDim, 60, 0.5f);
  const auto index = HnswIndex::create(kDim, Metric::kCosine).value();
  SEGUE_ASSERT_OK(index->add(MatrixView(items, kDim)));
  EXPECT_EQ(index->storage(), Storage::kPca8);
  EXPECT_GE(recall_of_items(*index, items, 100), 0.98);
}

// Songs that appear in one playlist only: dozens within the step of a code. A sample does not show it.
TEST(AutoStorage, KeepsFloatsWhereItemsLieInClumps) {
  Random random(12);
  const Vectors items = clustered_vectors(random, 6000, kDim, 60, 1e-4f);
  const auto index = HnswIndex::create(kDim, Metric::kCosine).value();
  SEGUE_ASSERT_OK(index->add(MatrixView(items, kDim)));
  EXPECT_EQ(index->storage(), Storage::kF32);
  EXPECT_GE(recall_of_items(*index, items, 100), 0.95);
  // What was found out stays found out: the file opens, and more items change nothing.
  const TemporaryFolder folder;
  SEGUE_ASSERT_OK(index->save(folder.file("clumps.segue")));
  const auto again = load(folder.file("clumps.segue"));
  ASSERT_TRUE(again.ok()) << again.status().message();
  SEGUE_ASSERT_OK((*again)->add(MatrixView(items, kDim).slice(0, 10)));
  EXPECT_EQ((*again)->storage(), Storage::kF32);
  SEGUE_ASSERT_OK((*again)->validate());
}

// Codes were right for the first items, and are not for those that come: the index goes back.
TEST(AutoStorage, GoesBackToFloats) {
  Random random(13);
  const Vectors spread = clustered_vectors(random, 4200, kDim, 60, 0.5f);
  const Vectors clumps = clustered_vectors(random, 16000, kDim, 100, 1e-4f);
  const auto index = HnswIndex::create(kDim, Metric::kCosine, {.m = 8, .ef_construction = 40}).value();
  SEGUE_ASSERT_OK(index->add(MatrixView(spread, kDim)));
  ASSERT_EQ(index->storage(), Storage::kPca8);
  SEGUE_ASSERT_OK(index->add(MatrixView(clumps, kDim)));
  EXPECT_EQ(index->storage(), Storage::kF32);
  SEGUE_ASSERT_OK(index->validate());
  EXPECT_EQ(index->size(), 20200u);
  Vectors all = spread;
  all.insert(all.end(), clumps.begin(), clumps.end());
  EXPECT_GE(recall_of_items(*index, all, 200), 0.95);
}

}  // namespace
}  // namespace segue::test
