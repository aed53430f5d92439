// The same input, seed and order of calls give the same bytes, on any number of threads.

#include <gtest/gtest.h>

#include <numeric>

#include "answers.hpp"
#include "support/sanitized.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;
constexpr std::size_t kItems = 1500;

using Bytes = std::vector<unsigned char>;

class Determinism : public testing::TestWithParam<IndexCase> {};

// A life of an index; the bytes after each stage.
std::vector<Bytes> life(const IndexCase& which, int threads, std::uint64_t seed) {
  std::vector<Bytes> stages;
  const auto index = make_index(which, kDim, seed);
  Random random(61);
  const AddOptions options{.threads = threads};
  const auto keep = [&](const Status& status) {
    EXPECT_TRUE(status.ok()) << status.message();
    stages.push_back(index->to_bytes().value());
  };
  Vectors x = clustered_vectors(random, kItems, kDim, 30, 0.3F);
  // Some equal ones, near each other and far apart.
  for (const std::size_t i : {5u, 900u, 1499u}) std::copy_n(&x[4 * kDim], kDim, &x[i * kDim]);
  keep(index->add(MatrixView(x, kDim), {}, options));

  const Vectors more = gaussian_vectors(random, 500, kDim);
  keep(index->add(MatrixView(more, kDim), {}, options));

  std::vector<Id> ids(200);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(7 * i + 3);
  const Vectors other = gaussian_vectors(random, ids.size(), kDim);
  keep(index->upsert(MatrixView(other, kDim), ids, options));

  ids.resize(1000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(3 * i);
  keep(index->remove(ids).status());
  keep(index->add(MatrixView(x, kDim).slice(0, 1000), ids, options));
  return stages;
}

TEST_P(Determinism, ThreadsMakeNoDifference) {
  const std::vector<Bytes> one = life(GetParam(), 1, 7);
  for (const int threads : kSanitized ? std::vector<int>{3} : std::vector<int>{1, 2, 3}) {
    const std::vector<Bytes> many = life(GetParam(), threads, 7);
    ASSERT_EQ(one.size(), many.size());
    for (std::size_t stage = 0; stage < one.size(); ++stage) {
      EXPECT_TRUE(one[stage] == many[stage]) << threads << " threads, stage " << stage;
    }
  }
}

TEST_P(Determinism, TheSeedMakesADifferenceToAGraph) {
  if (kSanitized) GTEST_SKIP() << "the same code once more";
  const bool same = life(GetParam(), 2, 7)[0] == life(GetParam(), 2, 8)[0];
  EXPECT_EQ(same, GetParam().exact());
}

TEST_P(Determinism, ThreadsMakeNoDifferenceToASearch) {
  const auto index = make_index(GetParam(), kDim);
  Random random(62);
  const Vectors x = gaussian_vectors(random, kItems, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Vectors queries = gaussian_vectors(random, 70, kDim);
  const MatrixView view(queries, kDim);
  const SearchResult one = index->search(view, 12, {.threads = 1}).value();
  for (const int threads : {0, 2, 3}) {
    const SearchResult many = index->search(view, 12, {.threads = threads}).value();
    EXPECT_EQ(one.ids, many.ids);
    EXPECT_EQ(one.scores, many.scores);
  }
  // Nor does it matter in what company a query comes.
  for (std::size_t q = 0; q < view.rows(); ++q) {
    const SearchResult alone = index->search(view.slice(q, 1), 12).value();
    ASSERT_TRUE(std::equal(alone.ids.begin(), alone.ids.end(), one.ids.begin() + static_cast<std::ptrdiff_t>(12 * q)));
    ASSERT_TRUE(
        std::equal(alone.scores.begin(), alone.scores.end(), one.scores.begin() + static_cast<std::ptrdiff_t>(12 * q)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Determinism,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, kAllMetrics, {Storage::kF32, Storage::kSq8, Storage::kPca8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
