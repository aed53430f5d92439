// Searches beside swaps, from many threads: each answer is that of one snapshot. Also run under ThreadSanitizer.
//
// Snapshot s holds the same vectors as every other, moved by s: the scores of an answer say which snapshot each of its
// items is from, and so do the ids.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "segue/serving.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kItems = 400;
constexpr std::size_t kSnapshots = 4;
constexpr std::size_t kDims[kSnapshots] = {8, 8, 8, 12};  // the last one's model is another
constexpr Id kStep = 1000;

class ServingThreads : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (std::size_t s = 0; s < kSnapshots; ++s) {
      const std::unique_ptr<Index> index = make_index({GetParam(), Metric::kL2, Storage::kF32}, kDims[s]);
      Random random(5);
      Vectors x = gaussian_vectors(random, kItems, kDims[s]);
      for (float& value : x) value += static_cast<float>(s);
      std::vector<Id> ids(kItems);
      for (std::size_t i = 0; i < kItems; ++i) ids[i] = static_cast<Id>(s) * kStep + static_cast<Id>(i);
      SEGUE_ASSERT_OK(index->add(MatrixView(x, kDims[s]), ids));
      paths_.push_back(folder_.file("snapshot" + std::to_string(s)));
      SEGUE_ASSERT_OK(index->save(paths_.back()));
      for (const std::size_t dim : {std::size_t{8}, std::size_t{12}}) queries_[dim == 12] = Vectors(dim, 0.3f);
      const MatrixView query(queries_[kDims[s] == 12], kDims[s]);
      wanted_.push_back(index->search(query, 10).value());
    }
  }

  // Which snapshot the answer is of; -1 where it is no snapshot's.
  int snapshot_of(const SearchResult& found) const {
    const auto s = static_cast<std::size_t>(found.ids[0] / kStep);
    return s < kSnapshots && found.ids == wanted_[s].ids && found.scores == wanted_[s].scores ? static_cast<int>(s) : -1;
  }

  TemporaryFolder folder_;
  std::vector<std::string> paths_;
  std::vector<SearchResult> wanted_;
  Vectors queries_[2];
};

TEST_P(ServingThreads, NoQueryFailsAndNoneSeesAMixture) {
  constexpr int kReaders = 4;
  constexpr int kSwaps = 60;
  const auto serving = Serving::open(paths_[0], {.niceness = 0}).value();
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0}, failed{0}, unexplained{0}, backwards{0};
  std::atomic<std::uint64_t> answers{0}, seen[kSnapshots] = {};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < kReaders; ++reader) {
    threads.emplace_back([&, reader] {
      std::uint64_t last = 0;
      for (int round = 0; !done || round < 10; ++round) {
        ++answers;
        if (reader % 2 == 0) {
          // Straight through, with the dimension that most snapshots have.
          const Result<SearchResult> found = serving->search(MatrixView(queries_[0], 8), 10);
          if (!found.ok()) {
            unexplained += found.status().message().find("dimension 12") == std::string::npos;
            continue;
          }
          const int s = snapshot_of(*found);
          wrong += s < 0;
          if (s >= 0) ++seen[s];
        } else {
          // Pinned for several calls.
          const std::shared_ptr<const ServingSnapshot> now = serving->current();
          backwards += now->generation() < last;
          last = now->generation();
          const std::size_t dim = now->index().dim();
          const Result<SearchResult> found = now->index().search(MatrixView(queries_[dim == 12], dim), 10);
          failed += !found.ok() || !now->index().get(found->ids).ok() || now->index().size() != kItems;
          const int s = found.ok() ? snapshot_of(*found) : -1;
          wrong += s < 0 || now->path() != paths_[static_cast<std::size_t>(s)];
          if (s >= 0) ++seen[s];
        }
      }
    });
  }
  std::vector<std::thread> swappers;
  for (int swapper = 0; swapper < 2; ++swapper) {
    swappers.emplace_back([&, swapper] {
      for (int i = swapper; i < kSwaps; i += 2) {
        failed += !serving->swap(paths_[static_cast<std::size_t>(i) % kSnapshots]).ok();
        failed += serving->swap(paths_[0] + ".missing").ok();
      }
    });
  }
  for (std::thread& thread : swappers) thread.join();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(unexplained, 0);
  EXPECT_EQ(backwards, 0);
  EXPECT_EQ(serving->generation(), static_cast<std::uint64_t>(kSwaps + 1));
  EXPECT_GT(answers, 0u);
  int kinds = 0;
  for (const auto& count : seen) kinds += count > 0;
  EXPECT_GT(kinds, 1) << "the searches saw no swap";
  // Those that let go last may still have theirs freed.
  const Result<std::uint64_t> last = serving->swap(paths_[0]);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(serving->held(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ServingThreads, testing::Values("flat", "hnsw", "ivf"), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace segue::test
