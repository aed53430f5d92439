// The truth that tune() compares with, against the reference in double.

#include "tuning/exact_answers.hpp"

#include <gtest/gtest.h>

#include "index/answers.hpp"
#include "index/vectors.hpp"

namespace segue::test {
namespace {

class ExactAnswers : public testing::TestWithParam<IndexCase> {};

TEST_P(ExactAnswers, AreThoseOfTheReference) {
  constexpr std::size_t kDim = 9;
  constexpr std::size_t kK = 7;
  Random random(5);
  const std::unique_ptr<Index> index = make_index(GetParam(), kDim);
  const Vectors x = gaussian_vectors(random, 400, kDim);
  const Vectors queries = gaussian_vectors(random, 20, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  ASSERT_EQ(index->remove(std::vector<Id>{3, 5, 399}).value(), 3u);
  const Reference reference = Reference::of(*index);
  const Result<std::vector<Id>> truth =
      exact_answers(*index, index->ids(), search_metric_of(index->metric()), MatrixView(queries, kDim), kK, 1,
                    [](std::size_t) { return true; });
  ASSERT_TRUE(truth.ok()) << truth.status().message();
  const MatrixView rows(queries, kDim);
  for (std::size_t q = 0; q < 20; ++q) {
    const std::vector<Scored> ranked = reference.ranked(rows.row(q), nullptr, {});
    for (std::size_t i = 0; i < kK; ++i) {
      const Id id = (*truth)[q * kK + i];
      ASSERT_TRUE(reference.contains(id));
      const Scored found = reference.score(id, rows.row(q));
      EXPECT_NEAR(found.score, ranked[i].score, found.tolerance + ranked[i].tolerance) << q << ", " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ExactAnswers,
                         testing::ValuesIn(cases({"hnsw"}, kAllMetrics, {Storage::kF32, Storage::kSq8})), CaseName());

// A dimension so large that a block holds 256 items: blocks are merged.
TEST(ExactAnswersInBlocks, MergeWithTiesById) {
  constexpr std::size_t kDim = 65536;
  constexpr std::size_t kItems = 300;
  auto index = HnswIndex::create(kDim, Metric::kL2, {.m = 2, .ef_construction = 1}).value();
  Vectors x(kItems * kDim, 0.0f);
  for (std::size_t i = 0; i < kItems; ++i) x[i * kDim] = static_cast<float>(i % 100);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Vectors query(kDim, 0.0f);
  std::vector<std::size_t> seen;
  const auto watch = [&](std::size_t done) {
    seen.push_back(done);
    return true;
  };
  const auto truth = exact_answers(*index, index->ids(), Metric::kL2, MatrixView(query, kDim), 5, 1, watch);
  ASSERT_TRUE(truth.ok()) << truth.status().message();
  EXPECT_EQ(*truth, (std::vector<Id>{0, 100, 200, 1, 101}));
  EXPECT_EQ(seen, (std::vector<std::size_t>{256, 300}));
  const auto stopped = exact_answers(*index, index->ids(), Metric::kL2, MatrixView(query, kDim), 5, 1,
                                     [](std::size_t) { return false; });
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace segue::test
