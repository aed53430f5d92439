// Searches from many threads, alone and beside a writer. Under ThreadSanitizer this is the test of the locking.

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 12;
constexpr std::size_t kItems = 1500;
constexpr int kReaders = 4;

class SearchThreads : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    index_ = make_index(GetParam(), kDim);
    Random random(101);
    x_ = gaussian_vectors(random, kItems, kDim);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
    queries_ = gaussian_vectors(random, 32, kDim);
  }

  // f(reader) on so many threads at once; they start together.
  template <class F>
  static void run_readers(F f) {
    std::atomic<int> waiting{kReaders};
    std::vector<std::thread> threads;
    for (int reader = 0; reader < kReaders; ++reader) {
      threads.emplace_back([&waiting, f, reader] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        f(reader);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  std::unique_ptr<Index> index_;
  Vectors x_, queries_;
};

TEST_P(SearchThreads, GiveTheAnswersOfOne) {
  const MatrixView queries(queries_, kDim);
  const SearchResult alone = index_->search(queries, 10, {.threads = 1}).value();
  std::atomic<int> wrong{0};
  run_readers([&](int reader) {
    for (int round = 0; round < 20; ++round) {
      if (reader % 2 == 0) {
        const Result<SearchResult> found = index_->search(queries, 10, {.threads = 2});
        wrong += !found.ok() || found->ids != alone.ids || found->scores != alone.scores;
        continue;
      }
      const std::size_t q = static_cast<std::size_t>(round + reader) % 32;
      const Result<SearchResult> found = index_->search(queries.slice(q, 1), 10);
      wrong += !found.ok() || !std::equal(found->ids.begin(), found->ids.end(),
                                          alone.ids.begin() + static_cast<std::ptrdiff_t>(10 * q));
    }
  });
  EXPECT_EQ(wrong, 0);
}

// Every kind of read beside every kind of write. What never changes must always be found; what is away for good before
// the readers start must never be.
TEST_P(SearchThreads, BesideAWriter) {
  const Id gone = 5;
  ASSERT_EQ(index_->remove(std::span(&gone, 1)).value(), 1U);
  const MatrixView queries(queries_, kDim);
  std::atomic<bool> stop{false};
  std::atomic<int> writes{0}, failed{0};
  std::thread writer([&] {
    Random random(102);
    for (int round = 0; round < 12; ++round) {
      // Ids 100 to 299 come and go and move; the others stay.
      std::vector<Id> ids(200);
      std::iota(ids.begin(), ids.end(), Id{100});
      const Vectors x = gaussian_vectors(random, ids.size(), kDim);
      if (round % 3 == 0) {
        failed += !index_->upsert(MatrixView(x, kDim), ids).ok();
      } else if (round % 3 == 1) {
        failed += !index_->remove(ids).ok();
      } else {
        failed += !index_->add(MatrixView(x, kDim), ids, {.threads = 2}).ok();
      }
      ++writes;
    }
    stop = true;
  });
  std::vector<Id> listed;
  for (Id id = 50; id < 250; ++id) listed.push_back(id);
  const IdSet filter = IdSet::from_ids(listed).value();
  std::atomic<int> wrong{0};
  std::atomic<int> reads{0};
  run_readers([&](int reader) {
    for (int round = 0; !stop || round < 3; ++round, ++reads) {
      switch ((round + reader) % 5) {
        case 0: {
          const Result<SearchResult> found = index_->search(queries, 10, {.ef = 64, .threads = 2});
          wrong += !found.ok() || std::count(found->ids.begin(), found->ids.end(), gone) != 0;
          wrong += found.ok() && std::count(found->ids.begin(), found->ids.end(), kMissingId) != 0;
          break;
        }
        case 1: {
          const Result<SearchResult> found = index_->search(queries.slice(3, 1), 10, {.filter = &filter});
          for (std::size_t i = 0; found.ok() && i < 10; ++i) {
            wrong += found->ids[i] != kMissingId && !filter.contains(found->ids[i]);
          }
          wrong += !found.ok();
          break;
        }
        case 2: wrong += !index_->range_search(queries.slice(5, 1), 1.0F).ok(); break;
        case 3: {
          const std::vector<Id> some = {0, 7, 1000};
          const Result<std::vector<float>> x = index_->get(some);
          wrong += !x.ok() || index_->contains(gone) || !index_->contains(1400);
          break;
        }
        default: {
          const std::vector<Id> ids = index_->ids();
          wrong += ids.size() > kItems - 1 || ids.size() < kItems - 201;
          wrong += !std::is_sorted(ids.begin(), ids.end());
          wrong += index_->memory_usage() == 0 || index_->stats().empty();
          break;
        }
      }
    }
  });
  writer.join();
  EXPECT_EQ(writes, 12);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(reads, kReaders);
  SEGUE_ASSERT_OK(index_->validate());
}

TEST_P(SearchThreads, SavingBesideSearches) {
  const std::vector<unsigned char> before = index_->to_bytes().value();
  const MatrixView queries(queries_, kDim);
  std::atomic<int> wrong{0};
  run_readers([&](int reader) {
    for (int round = 0; round < 5; ++round) {
      if (reader == 0) {
        const Result<std::vector<unsigned char>> bytes = index_->to_bytes();
        wrong += !bytes.ok() || *bytes != before;
      } else if (reader == 1) {
        wrong += !index_->validate().ok();
      } else {
        wrong += !index_->search(queries, 5).ok();
      }
    }
  });
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(All, SearchThreads,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, {Metric::kL2, Metric::kInnerProduct},
                                                 {Storage::kF32, Storage::kSq8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
