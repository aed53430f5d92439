// Shadow queries: the recall that they estimate beside one worked out by hand, which queries are chosen, and what is done
// with those that cannot be measured.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "segue/metrics.hpp"
#include "segue/recall.hpp"
#include "segue/serving.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;
constexpr std::size_t kItems = 3000;
constexpr std::size_t kQueries = 60;
constexpr std::size_t kK = 10;

// Everything sampled has been dealt with.
RecallEstimate settled(const Metrics& metrics) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    const RecallEstimate now = metrics.snapshot().recall;
    if (now.measured + now.dropped + now.skipped == now.sampled) return now;
    if (std::chrono::steady_clock::now() > give_up) {
      ADD_FAILURE() << "shadow queries were left over";
      return now;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// What `ask` asks is measured: again, where it met the thread in the queue and was dropped.
template <class Ask>
RecallEstimate measured(const Metrics& metrics, const Ask& ask) {
  for (int i = 0; i < 100; ++i) {
    const RecallEstimate before = settled(metrics);
    ask();
    const RecallEstimate now = settled(metrics);
    if (now.dropped == before.dropped) return now;
  }
  ADD_FAILURE() << "all was dropped";
  return {};
}

std::shared_ptr<Metrics> shadowing(double rate, std::uint64_t seed = 0, std::size_t queue = 1000) {
  return Metrics::create({.shadow = {.rate = rate, .seed = seed, .queue = queue, .load = 1}}).value();
}

class ShadowRecallOf : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    Random random(21);
    x_ = clustered_vectors(random, kItems, kDim, 30, 0.7f);
    q_ = clustered_vectors(random, kQueries, kDim, 30, 0.7f);
    index_ = make_index(GetParam(), kDim);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
    // What the index holds, as it holds it: under cosine codes of normalised rows, which another norm would change.
    const Metric metric = GetParam().metric == Metric::kL2 ? Metric::kL2 : Metric::kInnerProduct;
    flat_ = make_index({"flat", metric, Storage::kF32}, kDim);
    const std::vector<Id> ids = index_->ids();
    rows_ = index_->get(ids).value();
    SEGUE_ASSERT_OK(flat_->add(MatrixView(rows_, kDim), ids));
  }

  // What by hand is their recall.
  double search_all(const Metrics& metrics, std::size_t k, const SearchOptions& options) {
    double sum = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      const MatrixView query(q_.data() + q * kDim, 1, kDim);
      SearchResult found;
      measured(metrics, [&] { found = index_->search(query, k, options).value(); });
      SearchOptions exact = options;
      exact.ef = exact.nprobe = 0;
      const SearchResult truth = flat_->search(query, k, exact).value();
      std::set<Id> wanted(truth.ids.begin(), truth.ids.end());
      wanted.erase(kMissingId);
      std::size_t hits = 0;
      for (const Id id : found.ids) hits += wanted.count(id);
      sum += wanted.empty() ? 0 : static_cast<double>(hits) / static_cast<double>(wanted.size());
    }
    return sum / kQueries;
  }

  Vectors x_, q_, rows_;
  std::unique_ptr<Index> index_, flat_;
};

TEST_P(ShadowRecallOf, IsWhatItIs) {
  const auto metrics = shadowing(1);
  index_->set_metrics(metrics);
  const double wanted = search_all(*metrics, kK, {.ef = kK, .nprobe = 1});
  const RecallEstimate found = settled(*metrics);
  EXPECT_EQ(found.sampled, kQueries + found.dropped);
  EXPECT_EQ(found.skipped, 0u);
  EXPECT_EQ(found.measured, kQueries);
  EXPECT_EQ(found.wanted, kK * found.measured);
  EXPECT_NEAR(found.recall, wanted, 1e-9);
  EXPECT_NEAR(static_cast<double>(found.found) / static_cast<double>(found.wanted), found.recall, 1e-9);
  EXPECT_LT(found.low, found.recall);
  EXPECT_LE(found.recall, found.high);
  EXPECT_TRUE(!GetParam().exact() || found.recall == 1) << "ties and rounding are no misses";
}

TEST_P(ShadowRecallOf, FiltersAndExclusionsAreThoseOfTheQuery) {
  const auto metrics = shadowing(1);
  index_->set_metrics(metrics);
  std::vector<Id> some, played;
  for (Id id = 0; id < static_cast<Id>(kItems); id += 7) some.push_back(id);
  for (Id id = 0; id < static_cast<Id>(kItems); id += 14) played.push_back(id);
  const IdSet filter = ~IdSet::from_ids(some).value();
  const SearchOptions options{.ef = 4 * kK, .nprobe = 4, .filter = &filter, .exclude = {.ids = played}};
  const double wanted = search_all(*metrics, kK, options);
  const RecallEstimate found = settled(*metrics);
  EXPECT_EQ(found.measured, kQueries);
  EXPECT_NEAR(found.recall, wanted, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ShadowRecallOf,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, kAllMetrics, {Storage::kF32, Storage::kSq8})), CaseName());

class ShadowRecall : public testing::Test {
 protected:
  void SetUp() override {
    Random random(3);
    x_ = gaussian_vectors(random, kItems, kDim);
    index_ = make_index({"hnsw", Metric::kL2, Storage::kF32}, kDim);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
  }
  Status search(std::size_t first, std::size_t n, std::size_t k = kK, const SearchOptions& options = {}) const {
    return index_->search(MatrixView(x_.data() + first * kDim, n, kDim), k, options).status();
  }

  Vectors x_;
  std::unique_ptr<Index> index_;
};

TEST_F(ShadowRecall, ItemsThatTieAreAllRight) {
  // All the same: whichever are found are right.
  const auto same = make_index({"hnsw", Metric::kL2, Storage::kF32}, kDim);
  Vectors copies;
  for (int i = 0; i < 700; ++i) copies.insert(copies.end(), x_.begin(), x_.begin() + kDim);
  SEGUE_ASSERT_OK(same->add(MatrixView(copies, kDim)));
  const auto metrics = shadowing(1);
  same->set_metrics(metrics);
  const RecallEstimate found =
      measured(*metrics, [&] { EXPECT_TRUE(same->search(MatrixView(x_.data(), 1, kDim), 50).ok()); });
  EXPECT_EQ(found.measured, 1u);
  EXPECT_EQ(found.found, 50u);
}

TEST_F(ShadowRecall, WhereFewMatchTheyAreWhatIsWanted) {
  const auto metrics = shadowing(1);
  index_->set_metrics(metrics);
  const IdSet three = IdSet::from_ids(std::vector<Id>{5, 6, 7}).value();
  const IdSet none;
  measured(*metrics, [&] { EXPECT_TRUE(search(0, 1, kK, {.filter = &three}).ok()); });
  const RecallEstimate found = measured(*metrics, [&] { EXPECT_TRUE(search(1, 1, kK, {.filter = &none}).ok()); });
  EXPECT_EQ(found.measured, 1u);
  EXPECT_EQ(found.wanted, 3u);
  EXPECT_EQ(found.found, 3u);
  EXPECT_EQ(found.recall, 1);
  EXPECT_EQ(found.skipped, 1u) << "where nothing can be found nothing is missed";
}

TEST_F(ShadowRecall, AMissIsSeen) {
  const auto metrics = shadowing(1);
  index_->set_metrics(metrics);
  // Cut before it has begun: what is found then is not what is near.
  for (std::size_t q = 0; q < 40; ++q) {
    SEGUE_ASSERT_OK(search(q, 1, 100, {.ef = 100, .deadline_us = 1}));
  }
  const RecallEstimate cut = settled(*metrics);
  if (metrics->snapshot().cut > 20) {
    EXPECT_LT(cut.recall, 0.9);
    EXPECT_LT(cut.high, 1);
  }
}

TEST_F(ShadowRecall, TheSeedChooses) {
  const auto chosen = [&](double rate, std::uint64_t seed, bool together) {
    std::vector<std::uint64_t> sampled;
    const auto metrics = shadowing(rate, seed);
    index_->set_metrics(metrics);
    for (std::size_t q = 0; q < 2000; q += together ? 100 : 1) {
      EXPECT_TRUE(search(q, together ? 100 : 1, 1, {.ef = 1, .threads = 1}).ok());
      if (q % 100 == 0 && together) sampled.push_back(metrics->snapshot().recall.sampled);
      if (q % 100 == 99) sampled.push_back(metrics->snapshot().recall.sampled);
    }
    index_->set_metrics(nullptr);
    return sampled;
  };
  const auto some = chosen(0.05, 1, false);
  EXPECT_EQ(some, chosen(0.05, 1, false));
  EXPECT_EQ(some, chosen(0.05, 1, true)) << "a batch is its queries";
  EXPECT_NE(some, chosen(0.05, 2, false));
  // 2,000 draws of 0.05: 100, with a standard deviation of 9.7; five of those.
  EXPECT_NEAR(static_cast<double>(some.back()), 100, 50);
  EXPECT_EQ(chosen(1, 1, true).back(), 2000u);
  EXPECT_LT(chosen(1e-9, 1, true).back(), 3u);
}

TEST_F(ShadowRecall, AFullQueueDropsAndNobodyWaits) {
  const auto metrics = Metrics::create({.shadow = {.rate = 1, .queue = 4, .load = 0.001}}).value();
  index_->set_metrics(metrics);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t q = 0; q < 200; ++q) SEGUE_ASSERT_OK(search(q, 1));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  const RecallEstimate now = metrics->snapshot().recall;
  EXPECT_EQ(now.sampled, 200u);
  EXPECT_GT(now.dropped, 150u);
}

TEST_F(ShadowRecall, AnIndexThatGoesIsSkippedAndMetricsEndAtOnce) {
  auto metrics = Metrics::create({.shadow = {.rate = 1, .load = 0.001}}).value();
  index_->set_metrics(metrics);
  for (std::size_t q = 0; q < 20; ++q) SEGUE_ASSERT_OK(search(q, 1));
  index_.reset();
  const auto start = std::chrono::steady_clock::now();
  metrics.reset();  // while its thread sleeps between two pieces, a second and more
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));

  SetUp();
  metrics = shadowing(1);
  index_->set_metrics(metrics);
  SEGUE_ASSERT_OK(search(0, 500));
  index_->set_metrics(nullptr);
  const RecallEstimate found = settled(*metrics);
  EXPECT_EQ(found.sampled, 500u);
}

TEST_F(ShadowRecall, GoesOnOverSwaps) {
  const auto metrics = shadowing(1);
  const TemporaryFolder folder;
  SEGUE_ASSERT_OK(index_->save(folder.file("a")));
  const auto serving = Serving::open(folder.file("a"), {.niceness = 0}).value();
  serving->set_metrics(metrics);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(serving->search(MatrixView(x_.data(), 20, kDim), kK, {.ef = 200}).ok());
    settled(*metrics);
    ASSERT_TRUE(serving->swap(folder.file("a")).ok());
  }
  const RecallEstimate found = settled(*metrics);
  EXPECT_EQ(found.sampled, 100u);
  EXPECT_GE(found.measured, 40u) << "some of a batch may meet the thread in the queue";
  EXPECT_GT(found.recall, 0.99);
}

}  // namespace
}  // namespace segue::test
