// Counters that many threads raise are exact; searches, changes, swaps, those who read and those who attach go on beside
// each other. Also run under ThreadSanitizer.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "live/live_cases.hpp"
#include "metrics/metrics_body.hpp"
#include "metrics/read_prometheus.hpp"
#include "segue/metrics.hpp"
#include "segue/serving.hpp"
#include "segue/trace.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 8;

std::shared_ptr<Metrics> make_metrics(double rate) {
  return Metrics::create({.shadow = {.rate = rate, .load = 1}}).value();
}

// Counts what it sees never fall, and reads every page.
void read_until(const std::atomic<bool>& done, const Metrics& metrics, std::atomic<int>& failed) {
  MetricsSnapshot last;
  while (!done) {
    const MetricsSnapshot now = metrics.snapshot();
    failed += now.search.calls < last.search.calls || now.distances < last.distances || now.add.items < last.add.items ||
              now.recall.sampled < last.recall.sampled || now.search.latency.count != now.search.calls;
    last = now;
    const std::string page = metrics.prometheus();
    failed += PrometheusReader(page).failed();
  }
}

TEST(MetricsCounters, NoCountIsLost) {
  const auto metrics = make_metrics(0);
  constexpr std::uint64_t kThreads = 24, kCalls = 2000;  // more than there are shares
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const QueryStats stats[2] = {{3, 2, 0, t % 2 == 0}, {5, 1, 0, false}};
      for (std::uint64_t i = 0; i < kCalls; ++i) {
        body_of(*metrics).record_search(Operation::kSearch, 1000 * t + i, 2, stats);
        body_of(*metrics).record(Operation::kUpsert, i, 7);
        body_of(*metrics).record_error(Operation::kRangeSearch);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const MetricsSnapshot now = metrics->snapshot();
  constexpr std::uint64_t kAll = kThreads * kCalls;
  EXPECT_EQ(now.search.calls, kAll);
  EXPECT_EQ(now.search.items, 2 * kAll);
  EXPECT_EQ(now.search.latency.count, kAll);
  EXPECT_EQ(now.distances, 8 * kAll);
  EXPECT_EQ(now.visited, 3 * kAll);
  EXPECT_EQ(now.cut, kAll / 2);
  EXPECT_EQ(now.upsert.calls, kAll);
  EXPECT_EQ(now.upsert.items, 7 * kAll);
  EXPECT_EQ(now.range_search.errors, kAll);
  // Of t * 1000 + i over all.
  const double sum = 1e-9 * (1000.0 * kCalls * kThreads * (kThreads - 1) / 2 + kThreads * kCalls * (kCalls - 1) / 2);
  EXPECT_NEAR(now.search.latency.seconds, sum, 1e-9 * sum);
}

class MetricsThreads : public testing::TestWithParam<std::string> {};

TEST_P(MetricsThreads, SearchesBesideChangesReadersAndThoseWhoAttach) {
  Random random(4);
  const Vectors x = gaussian_vectors(random, 600, kDim);
  std::shared_ptr<Metrics> metrics[2] = {make_metrics(0.2), make_metrics(0.2)};
  std::unique_ptr<Index> index = make_index({GetParam(), Metric::kL2, Storage::kF32}, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  index->set_metrics(metrics[0]);
  std::atomic<bool> done{false}, enough{false};
  std::atomic<int> failed{0}, spans{0};
  std::atomic<std::uint64_t> searched{0}, changed{0};
  std::vector<std::thread> threads, workers;
  for (int t = 0; t < 3; ++t) {
    workers.emplace_back([&, t] {
      for (std::size_t i = 0; !enough; ++i) {
        const MatrixView q(x.data() + (i * 3 + static_cast<std::size_t>(t)) % 500 * kDim, 2, kDim);
        failed += !index->search(q, 5, {.threads = 1}).ok();
        searched += 2;
      }
    });
  }
  workers.emplace_back([&] {
    for (Id i = 0; !enough; i = (i + 1) % 100) {
      const std::size_t row = static_cast<std::size_t>(i) % 590 * kDim;
      failed += !index->upsert(MatrixView(x.data() + row, 4, kDim), id_range(1000 + i, 4)).ok();
      failed += !index->remove(id_range(1000 + i, 1)).ok();
      changed += 4;
    }
  });
  for (const auto& one : metrics) threads.emplace_back([&] { read_until(done, *one, failed); });
  threads.emplace_back([&] {
    for (std::size_t i = 1; !done; ++i) {
      index->set_metrics(metrics[i % 2]);
      set_trace_hooks({.start = [&](std::string_view) -> void* {
                         ++spans;
                         return &spans;
                       },
                       .end = [&](void* span, const Status&) { failed += span != &spans; }});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      set_trace_hooks({});
      enough = i >= 30 && spans > 0;
    }
  });
  for (std::thread& worker : workers) worker.join();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(spans, 0);
  const MetricsSnapshot a = metrics[0]->snapshot(), b = metrics[1]->snapshot();
  EXPECT_EQ(a.search.items + b.search.items, searched) << "one or the other, each once";
  EXPECT_EQ(a.upsert.items + b.upsert.items, changed);
  EXPECT_EQ(a.indexes + b.indexes, 1u);
  // It ends while shadow queries of it wait.
  index.reset();
  EXPECT_EQ(metrics[0]->snapshot().indexes + metrics[1]->snapshot().indexes, 0u);
}

TEST_P(MetricsThreads, SearchesBesideSwapsAndReaders) {
  const TemporaryFolder folder;
  Random random(4);
  const Vectors x = gaussian_vectors(random, 400, kDim);
  {
    const auto index = make_index({GetParam(), Metric::kL2, Storage::kF32}, kDim);
    SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
    SEGUE_ASSERT_OK(index->save(folder.file("a")));
  }
  const auto metrics = make_metrics(0.2);
  std::atomic<int> failed{0};
  std::atomic<std::uint64_t> searched{0};
  {
    const auto serving = Serving::open(folder.file("a"), {.niceness = 0}).value();
    serving->set_metrics(metrics);
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; !done; ++i) {
          failed += !serving->search(MatrixView(x.data() + i % 400 * kDim, 1, kDim), 5).ok();
          ++searched;
        }
      });
    }
    threads.emplace_back([&] { read_until(done, *metrics, failed); });
    for (int i = 0; i < 40; ++i) {
      failed += !serving->swap(folder.file("a")).ok();
      if (i % 10 == 9) serving->set_metrics(metrics);
    }
    done = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(metrics->snapshot().serving->generation, 41u);
  }
  const MetricsSnapshot now = metrics->snapshot();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(now.search.calls, searched) << "no query of any generation was missed";
  EXPECT_EQ(now.swap.calls, 40u);
  EXPECT_EQ(now.indexes, 0u);
}

TEST_P(MetricsThreads, ALiveIndexBesideItsReaders) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  const auto live = LiveIndex::create(folder.file("live"), *make_live_index(GetParam()),
                                      {.durability = Durability::kNever, .snapshot_bytes = 4000}).value();
  const auto metrics = make_metrics(0.2);
  live->set_metrics(metrics);
  std::atomic<bool> done{false};
  std::atomic<int> failed{0};
  std::atomic<std::uint64_t> added{0};
  std::vector<std::thread> writers;
  std::thread reader([&] { read_until(done, *metrics, failed); });
  std::thread searcher([&] {
    const std::vector<float> q = live_vector(3);
    while (!done) failed += !live->search(MatrixView(q, kLiveDim), 3).ok();
  });
  std::thread attacher([&] {
    while (!done) live->set_metrics(metrics);
  });
  for (Id w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      for (Id i = 0; i < 40; ++i) {
        const std::vector<Id> ids = id_range(1000 * w + 5 * i, 5);
        const std::vector<float> rows = live_vectors(ids);
        failed += !live->add(MatrixView(rows, kLiveDim), ids).ok();
        added += 5;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  SEGUE_ASSERT_OK(live->replace(*make_live_index("flat")));
  done = true;
  for (std::thread* thread : {&reader, &searcher, &attacher}) thread->join();
  const MetricsSnapshot now = metrics->snapshot();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(now.add.items, added);
  EXPECT_EQ(now.indexes, 1u);
  EXPECT_TRUE(now.live);
}

INSTANTIATE_TEST_SUITE_P(Kinds, MetricsThreads, testing::Values("flat", "hnsw", "ivf"), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace segue::test
