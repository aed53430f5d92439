// Changes beside searches: each item is there whole, once, and never neither old nor new. Under ThreadSanitizer this is
// the test that what is made aside is aside.

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>

#include "answers.hpp"
#include "support/sanitized.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 12;
constexpr std::size_t kItems = kSanitized ? 500 : 1200;
constexpr Id kHot = 24;  // ids 0 .. kHot-1 are upserted all the time, and always there
constexpr int kReaders = 2;

class ChangeThreads : public testing::TestWithParam<IndexCase> {
 protected:
  // A hot item is always at one of these places; the last one is the same for all, which makes twins of them.
  enum Place { kHere, kThere, kTogether, kPlaces };

  void SetUp() override {
    Random random(211);
    index_ = make_index(GetParam(), kDim);
    x_ = gaussian_vectors(random, kItems, kDim);
    const Vectors hot = gaussian_vectors(random, static_cast<std::size_t>(kHot), kDim);
    const Vectors together = gaussian_vectors(random, 1, kDim);
    for (int place = 0; place < kPlaces; ++place) {
      places_[place] = hot;
      for (std::size_t i = 0; i < hot.size(); ++i) {
        float& x = places_[place][i];
        if (place == kThere) x = 2 * x + (i % kDim == 0 ? 1.0F : 0.0F);
        if (place == kTogether) x = together[i % kDim];
      }
    }
    std::copy(hot.begin(), hot.end(), x_.begin());
    SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
  }

  MatrixView at(Place place, Id id) const {
    return MatrixView(places_[place].data() + static_cast<std::size_t>(id) * kDim, 1, kDim);
  }

  // Whether it is what the query and one of the item's places make of it; codes are off by some percent.
  bool is_score_of(Id id, const float* query, float score) const {
    for (int place = 0; place < kPlaces; ++place) {
      const float* x = places_[place].data() + static_cast<std::size_t>(id) * kDim;
      double dot = 0, x2 = 0, q2 = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        dot += static_cast<double>(x[j]) * static_cast<double>(query[j]);
        x2 += static_cast<double>(x[j]) * static_cast<double>(x[j]);
        q2 += static_cast<double>(query[j]) * static_cast<double>(query[j]);
      }
      const bool l2 = GetParam().metric == Metric::kL2;
      const double wanted = l2 ? x2 + q2 - 2 * dot : GetParam().metric == Metric::kInnerProduct ? dot : dot / std::sqrt(x2 * q2);
      const double spare = 0.05 * (l2 ? x2 + q2 : GetParam().metric == Metric::kInnerProduct ? std::sqrt(x2 * q2) : 1);
      if (std::abs(wanted - static_cast<double>(score)) <= spare) return true;
    }
    return false;
  }

  // Searches until `stop`, some times at least; how many found an item not once, or not whole.
  int search_until(const std::atomic<bool>& stop, int reader) const {
    int wrong = 0;
    for (int round = 0; !stop || round < 50; ++round) {
      const Id id = (round + 5 * reader) % kHot;
      const MatrixView query = at(round % 2 == 0 ? kHere : kThere, id);
      const IdSet only = IdSet::from_ids({&id, 1}).value();
      // Alone among all; then the same with everything found.
      const SearchResult alone = index_->search(query, 2, {.filter = &only}).value();
      wrong += alone.ids[0] != id || alone.ids[1] != kMissingId || !is_score_of(id, query.row(0), alone.scores[0]);
      const SearchResult all = index_->search(query, kItems, {.ef = 2 * kItems, .nprobe = 4096}).value();
      for (Id hot = 0; hot < kHot; ++hot) {
        const auto first = std::find(all.ids.begin(), all.ids.end(), hot);
        wrong += first == all.ids.end() || std::find(first + 1, all.ids.end(), hot) != all.ids.end();
        if (first != all.ids.end()) wrong += !is_score_of(hot, query.row(0), all.scores[static_cast<std::size_t>(first - all.ids.begin())]);
      }
      const Id others[] = {0, kHot - 1};
      const SearchResult left_out = index_->search(query, 5, {.exclude = {others, {}}}).value();
      for (const Id found : left_out.ids) wrong += found == 0 || found == kHot - 1;
      wrong += !index_->contains(id) || !index_->get({&id, 1}).ok();
    }
    return wrong;
  }

  std::unique_ptr<Index> index_;
  Vectors x_;
  Vectors places_[kPlaces];
};

TEST_P(ChangeThreads, AnItemIsThereOnceAndWhole) {
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, failed{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < kReaders; ++reader) {
    threads.emplace_back([&, reader] { wrong += search_until(stop, reader); });
  }
  // Others come and go meanwhile: the index grows, takes slots again, and repairs itself.
  threads.emplace_back([&] {
    Random random(212);
    for (int round = 0; round < 30; ++round) {
      std::vector<Id> ids(static_cast<std::size_t>(20 + random.below(60)));
      std::iota(ids.begin(), ids.end(), kHot + static_cast<Id>(random.below(kItems)));
      const Vectors x = gaussian_vectors(random, ids.size(), kDim);
      failed += !index_->upsert(MatrixView(x, kDim), ids).ok();
      ids.resize(ids.size() / 2);
      failed += !index_->remove(ids).ok();
    }
  });
  Random random(213);
  for (int round = 0; round < 60; ++round) {
    const auto place = static_cast<Place>(random.below(kPlaces));
    const std::size_t n = round % 4 == 0 ? static_cast<std::size_t>(kHot) : 1 + random.below(5);
    const Id first = static_cast<Id>(random.below(static_cast<std::size_t>(kHot) - n + 1));
    std::vector<Id> ids(n);
    std::iota(ids.begin(), ids.end(), first);
    failed += !index_->upsert(MatrixView(at(place, first).data(), n, kDim), ids).ok();
  }
  threads.back().join();
  stop = true;
  for (int reader = 0; reader < kReaders; ++reader) threads[static_cast<std::size_t>(reader)].join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(wrong, 0);
  SEGUE_ASSERT_OK(index_->validate());
}

// Whoever watches a long call may search in the meantime.
TEST_P(ChangeThreads, ALongCallKeepsNobodyFromSearching) {
  const Vectors& x = x_;
  std::vector<Id> ids(kItems);
  std::iota(ids.begin(), ids.end(), Id{kItems});
  int searched = 0;
  const Progress search = [&](std::size_t, std::size_t) {
    const SearchResult found = index_->search(at(kHere, 3), 1, {.ef = 200, .nprobe = 4096}).value();
    searched += found.ids[0] == 3 || GetParam().metric == Metric::kInnerProduct;
    return true;
  };
  SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim), ids, {.progress = search}));
  EXPECT_GT(searched, 0);
  EXPECT_EQ(index_->size(), 2 * kItems);
  SEGUE_ASSERT_OK(index_->validate());
}

INSTANTIATE_TEST_SUITE_P(All, ChangeThreads,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, kAllMetrics,
                                                 {Storage::kF32, Storage::kSq8, Storage::kPca8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
