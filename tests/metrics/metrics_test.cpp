// What metrics count, beside a count by hand: of every kind of index, of a live one, of a Serving.

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "live/live_cases.hpp"
#include "segue/metrics.hpp"
#include "segue/serving.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kItems = 500;

std::shared_ptr<Metrics> make_metrics(MetricsOptions options = {}) {
  auto metrics = Metrics::create(std::move(options));
  EXPECT_TRUE(metrics.ok()) << metrics.status().message();
  return std::move(metrics).value();
}

class MetricsOfKinds : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Index> index_ = make_index({GetParam(), Metric::kL2, Storage::kF32}, kDim);
  Random random_{11};
  Vectors x_ = gaussian_vectors(random_, kItems, kDim);
  Vectors q_ = gaussian_vectors(random_, 40, kDim);
};

TEST_P(MetricsOfKinds, CountWhatHappened) {
  const auto metrics = make_metrics();
  index_->set_metrics(metrics);
  EXPECT_EQ(index_->metrics(), metrics);
  SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
  ASSERT_FALSE(index_->add(MatrixView(x_, kDim), std::vector<Id>(kItems, 3)).ok());
  SEGUE_ASSERT_OK(index_->upsert(MatrixView(x_.data(), 20, kDim), id_range(490, 20)));
  ASSERT_EQ(index_->remove({{1, 2, 9999, 2}}).value(), 2u);

  // Few queries and many, with and without stats of the caller's: all count alike.
  std::uint64_t distances = 0, visited = 0, queries = 0, calls = 0;
  for (const std::size_t n : {1, 3, 8, 9, 40}) {
    std::vector<QueryStats> stats(n);
    SearchOptions options{.threads = 1, .stats = stats};
    ASSERT_TRUE(index_->search(MatrixView(q_.data(), n, kDim), 5, options).ok());
    for (const QueryStats& s : stats) {
      distances += 2 * s.distances;
      visited += 2 * s.visited;
    }
    options.stats = {};
    ASSERT_TRUE(index_->search(MatrixView(q_.data(), n, kDim), 5, options).ok());
    queries += 2 * n;
    calls += 2;
  }
  MetricsSnapshot now = metrics->snapshot();
  EXPECT_EQ(now.search.calls, calls);
  EXPECT_EQ(now.search.items, queries);
  EXPECT_EQ(now.search.latency.count, calls);
  EXPECT_GT(now.search.latency.seconds, 0);
  EXPECT_EQ(now.distances, distances);
  EXPECT_EQ(now.visited, visited);
  EXPECT_GT(now.distances, 0u);

  std::vector<QueryStats> stats(3);
  ASSERT_TRUE(index_->range_search(MatrixView(q_.data(), 3, kDim), 10, {.stats = stats}).ok());
  for (const QueryStats& s : stats) distances += s.distances;
  ASSERT_FALSE(index_->search(MatrixView(q_, kDim), 3, {.threads = -1}).ok());
  ASSERT_FALSE(index_->range_search(MatrixView(q_, kDim), std::numeric_limits<float>::quiet_NaN()).ok());

  now = metrics->snapshot();
  EXPECT_EQ(now.distances, distances);
  EXPECT_EQ(now.range_search.calls, 1u);
  EXPECT_EQ(now.range_search.items, 3u);
  EXPECT_EQ(now.range_search.errors, 1u);
  EXPECT_EQ(now.search.errors, 1u);
  EXPECT_EQ(now.search.calls, calls);
  EXPECT_EQ(now.add.calls, 1u);
  EXPECT_EQ(now.add.items, kItems);
  EXPECT_EQ(now.add.errors, 1u);
  EXPECT_EQ(now.upsert.calls, 1u);
  EXPECT_EQ(now.upsert.items, 20u);
  EXPECT_EQ(now.remove.calls, 1u);
  EXPECT_EQ(now.remove.items, 2u);
  EXPECT_EQ(now.indexes, 1u);
  EXPECT_EQ(now.items, index_->size());
  EXPECT_EQ(now.memory, index_->memory_usage());
  EXPECT_FALSE(now.live || now.serving);
  EXPECT_EQ(now.recall.sampled, 0u);
}

TEST_P(MetricsOfKinds, ADeadlineThatCutsIsCounted) {
  SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
  const auto metrics = make_metrics();
  index_->set_metrics(metrics);
  std::uint64_t cut = 0;
  for (int i = 0; i < 50; ++i) {
    std::vector<QueryStats> stats(8);
    ASSERT_TRUE(index_->search(MatrixView(q_.data(), 8, kDim), 100, {.ef = 500, .deadline_us = 1, .stats = stats}).ok());
    for (const QueryStats& s : stats) cut += s.cut;
  }
  EXPECT_EQ(metrics->snapshot().cut, cut);
  EXPECT_LE(cut, 400u);
}

TEST_P(MetricsOfKinds, AttachingAndDetaching) {
  SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
  const MatrixView q(q_.data(), 1, kDim);
  const SearchResult before = index_->search(q, 10).value();
  auto first = make_metrics();
  const auto second = make_metrics();
  index_->set_metrics(first);
  const SearchResult during = index_->search(q, 10).value();
  EXPECT_EQ(during.ids, before.ids);
  EXPECT_EQ(during.scores, before.scores);
  index_->set_metrics(second);
  ASSERT_TRUE(index_->search(q, 10).ok());
  ASSERT_TRUE(index_->search(q, 10).ok());
  index_->set_metrics(second);
  EXPECT_EQ(second->snapshot().indexes, 1u) << "twice the same is once";
  index_->set_metrics(nullptr);
  EXPECT_EQ(index_->metrics(), nullptr);
  ASSERT_TRUE(index_->search(q, 10).ok());
  EXPECT_EQ(first->snapshot().search.calls, 1u);
  EXPECT_EQ(second->snapshot().search.calls, 2u);
  EXPECT_EQ(first->snapshot().indexes + second->snapshot().indexes, 0u);
  std::weak_ptr<Metrics> watched = first;
  first.reset();
  EXPECT_TRUE(watched.expired()) << "an index keeps none that it left";

  // Two of them in one, and one of those ends.
  const auto other = make_index({GetParam(), Metric::kL2, Storage::kF32}, 4);
  index_->set_metrics(second);
  other->set_metrics(second);
  EXPECT_EQ(second->snapshot().indexes, 2u);
  EXPECT_EQ(second->snapshot().memory, index_->memory_usage() + other->memory_usage());
  index_.reset();
  EXPECT_EQ(second->snapshot().indexes, 1u);
  EXPECT_EQ(second->snapshot().search.calls, 2u) << "what was counted stays";
}

TEST_P(MetricsOfKinds, ALiveIndexCountsEachChangeOnce) {
  const TemporaryFolder folder;
  const std::string path = folder.file("live");
  auto live = LiveIndex::create(path, *make_live_index(GetParam()), {.snapshots = false}).value();
  const auto metrics = make_metrics();
  live->set_metrics(metrics);
  EXPECT_EQ(live->metrics(), metrics);
  const std::vector<Id> ids = id_range(0, 200);
  const std::vector<float> x = live_vectors(ids);
  const MatrixView rows(x, kLiveDim);
  SEGUE_ASSERT_OK(live->add(rows, ids));
  ASSERT_FALSE(live->add(rows, ids).ok());
  SEGUE_ASSERT_OK(live->upsert(rows, ids));
  ASSERT_EQ(live->remove(id_range(0, 7)).value(), 7u);
  ASSERT_TRUE(live->search(rows, 3).ok());
  SEGUE_ASSERT_OK(live->sync());
  MetricsSnapshot now = metrics->snapshot();
  EXPECT_EQ(now.add.calls, 1u);
  EXPECT_EQ(now.add.items, 200u);
  EXPECT_EQ(now.add.errors, 1u);
  EXPECT_EQ(now.upsert.calls, 1u);
  EXPECT_EQ(now.remove.items, 7u);
  EXPECT_EQ(now.search.items, 200u);
  EXPECT_EQ(now.indexes, 1u);
  EXPECT_EQ(now.items, 193u);
  ASSERT_TRUE(now.live);
  EXPECT_EQ(now.live->journal_lag, 0u);
  EXPECT_GT(now.live->journal_bytes, x.size() * sizeof(float));
  EXPECT_EQ(now.live->journal_bytes, live->live_stats().journal_bytes);

  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_GE(metrics->snapshot().live->snapshot_age, 0.02);
  SEGUE_ASSERT_OK(live->snapshot());
  now = metrics->snapshot();
  EXPECT_EQ(now.snapshot.calls, 1u);
  EXPECT_EQ(now.snapshot.items, live->live_stats().snapshot_bytes);
  EXPECT_LT(now.live->journal_bytes, 1000u);

  SEGUE_ASSERT_OK(live->replace(*make_live_index("flat")));
  ASSERT_TRUE(live->search(rows, 3).ok());
  now = metrics->snapshot();
  EXPECT_EQ(now.search.items, 400u) << "the next index counts where the last did";
  EXPECT_EQ(now.add.calls + now.upsert.calls, 2u) << "a replacement is no change of items";
  EXPECT_EQ(now.indexes, 1u);
  live.reset();
  now = metrics->snapshot();
  EXPECT_FALSE(now.live);
  EXPECT_EQ(now.indexes, 0u);
}

TEST_P(MetricsOfKinds, AServingCountsOnOverSwaps) {
  const TemporaryFolder folder;
  SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim)));
  SEGUE_ASSERT_OK(index_->save(folder.file("a")));
  SEGUE_ASSERT_OK(index_->remove({{0}}).status());
  SEGUE_ASSERT_OK(index_->save(folder.file("b")));
  int prepared = 0;
  ServingOptions options{.niceness = 0};
  options.prepare = [&](const std::shared_ptr<const Index>& index, std::any&) {
    ++prepared;
    return index->search(MatrixView(q_, kDim), 3).status();
  };
  auto serving = Serving::open(folder.file("a"), options).value();
  const auto metrics = make_metrics();
  serving->set_metrics(metrics);
  EXPECT_EQ(serving->metrics(), metrics);
  const MatrixView q(q_.data(), 2, kDim);
  ASSERT_TRUE(serving->search(q, 3).ok());
  const auto old = serving->current();
  ASSERT_TRUE(serving->swap(folder.file("b")).ok());
  ASSERT_FALSE(serving->swap(folder.file("c")).ok());
  ASSERT_TRUE(serving->search(q, 3).ok());
  ASSERT_TRUE(serving->current()->index().search(q, 3).ok());
  ASSERT_TRUE(old->index().search(q, 3).ok());
  MetricsSnapshot now = metrics->snapshot();
  EXPECT_EQ(prepared, 2);
  EXPECT_EQ(now.search.items, 8u) << "whoever asks, and none of prepare's";
  EXPECT_EQ(now.swap.calls, 1u);
  EXPECT_EQ(now.swap.items, kItems - 1);
  EXPECT_EQ(now.swap.errors, 1u);
  ASSERT_TRUE(now.serving);
  EXPECT_EQ(now.serving->generation, 2u);
  EXPECT_EQ(now.serving->held, 2u);
  EXPECT_GE(now.serving->age, 0);
  EXPECT_LT(now.serving->age, 600);
  EXPECT_EQ(now.indexes, 2u);
  EXPECT_EQ(now.items, 2 * kItems - 1);
  serving->set_metrics(nullptr);
  ASSERT_TRUE(serving->search(q, 3).ok());
  ASSERT_TRUE(serving->swap(folder.file("a")).ok());
  ASSERT_TRUE(serving->search(q, 3).ok());
  EXPECT_EQ(metrics->snapshot().search.items, 8u);
  EXPECT_EQ(metrics->snapshot().swap.calls, 1u);
  serving->set_metrics(metrics);
  serving.reset();
  EXPECT_FALSE(metrics->snapshot().serving);
}

INSTANTIATE_TEST_SUITE_P(Kinds, MetricsOfKinds, testing::Values("flat", "hnsw", "ivf"), [](const auto& one) { return one.param; });

TEST(Metrics, AGivenIndexThatServesIsCountedToo) {
  const std::shared_ptr<const Index> index = make_live_index("flat");
  const auto serving = Serving::create(index).value();
  const auto metrics = make_metrics();
  serving->set_metrics(metrics);
  EXPECT_EQ(index->metrics(), metrics);
}

TEST(Metrics, OptionsAreChecked) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](MetricsOptions options, const std::string& says) {
    const auto made = Metrics::create(std::move(options));
    ASSERT_FALSE(made.ok()) << says;
    EXPECT_EQ(made.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(made.status().message().find(says), std::string::npos) << made.status().message();
  };
  for (const char* name : {"", "9a", "a-b", "a b", "\xc3\xb6", "a:b"}) refused({.labels = {{name, "x"}}}, "no name of a label");
  for (const char* name : {"le", "op", "__name__"}) refused({.labels = {{name, "x"}}}, "taken");
  refused({.labels = {{"a", "1"}, {"b", "2"}, {"a", "3"}}}, "twice");
  for (const double bound : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) refused({.latency_bounds = {bound}}, "latency_bounds");
  refused({.latency_bounds = {1, 1}}, "latency_bounds");
  for (const double rate : {-0.1, 1.1, nan}) refused({.shadow = {.rate = rate}}, "shadow.rate");
  for (const double load : {0.0, 1.1, nan}) refused({.shadow = {.load = load}}, "shadow.load");
  refused({.shadow = {.queue = 0}}, "shadow.queue");
  refused({.shadow = {.queue = 65'537}}, "shadow.queue");
  const auto metrics = make_metrics({.labels = {{"_a1", "x"}}, .latency_bounds = {0.5}, .shadow = {.rate = 0.5, .seed = 3}});
  EXPECT_EQ(metrics->options().labels[0].second, "x");
  EXPECT_EQ(metrics->options().shadow.seed, 3u);
  EXPECT_NE(metrics->prometheus().find("segue_search_latency_seconds_bucket{_a1=\"x\",op=\"search\",le=\"0.5\"} 0\n"), std::string::npos);
}

}  // namespace
}  // namespace segue::test
