// tune() beside searches and changes. Under ThreadSanitizer this is the test of what the header says of threads.

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "index/answers.hpp"
#include "index/vectors.hpp"
#include "segue/tune.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 12;
constexpr std::size_t kItems = 1500;
constexpr std::size_t kMore = 100;
constexpr int kRounds = 6;

class TuneThreads : public testing::TestWithParam<IndexCase> {};

// The curve is replaced while others search by it and a writer adds and takes away what no query is near to.
TEST_P(TuneThreads, BesideSearchesAndAWriter) {
  auto index = make_index(GetParam(), kDim);
  Random random(311);
  const Vectors x = gaussian_vectors(random, kItems, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Vectors queries = gaussian_vectors(random, 40, kDim);
  const MatrixView asked(queries, kDim);
  SEGUE_ASSERT_OK(tune(*index, asked, {.threads = 1}).status());

  // No answer to anything: the truth and what is measured may see the index with and without them.
  Vectors more = gaussian_vectors(random, kMore, kDim);
  for (float& number : more) number *= GetParam().metric == Metric::kL2 ? 100.0F : 0.001F;
  std::vector<Id> ids(kMore);
  std::iota(ids.begin(), ids.end(), Id{1'000'000});
  std::atomic<bool> tuned{false};
  std::atomic<int> failed{0};
  std::atomic<int> searches{0};
  std::thread writer([&] {
    while (!tuned) {
      failed += !index->add(MatrixView(more, kDim), ids).ok();
      failed += index->remove(ids).value() != kMore;
    }
  });
  std::thread reader([&] {
    while (!tuned || searches == 0) {
      const Result<SearchResult> found = index->search(asked, 10, {.recall = 0.9, .threads = 1});
      failed += !found.ok() || found->ids[0] == kMissingId;
      ++searches;
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    const Result<Tuning> tuning = tune(*index, asked, {.recall = round % 2 == 0 ? 0.9 : 0.95, .threads = 2});
    // An item that goes while it is read ends the call, and says so.
    failed += !tuning.ok() && tuning.status().code() != StatusCode::kNotFound;
  }
  tuned = true;
  writer.join();
  reader.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(index->size(), kItems);

  // Nothing of it is left behind: alone, the index is tuned to the recall that it then gives.
  const Tuning alone = tune(*index, asked, {.recall = 0.9, .threads = 1}).value();
  EXPECT_TRUE(alone.reached);
  EXPECT_GE(alone.expected_recall, 0.9);
}

INSTANTIATE_TEST_SUITE_P(All, TuneThreads,
                         testing::ValuesIn(cases({"flat", "hnsw"}, {Metric::kL2, Metric::kInnerProduct},
                                                 {Storage::kF32, Storage::kSq8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
