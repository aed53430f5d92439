// What it costs to be watched: single searches of an index without metrics, with metrics, with shadow queries, with trace
// hooks; and what reading the metrics costs. Run with --benchmark_enable_random_interleaving --benchmark_repetitions=20.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "index/clustered_set.hpp"
#include "segue/segue.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kItems = 20000;
constexpr std::size_t kQueries = 500;
constexpr std::size_t kDim = 96;
constexpr std::size_t kTop = 10;

enum Watched { kNobody, kMetrics, kShadow, kTracer };

const ClusteredSet& set() {
  static const ClusteredSet made(kItems, kQueries, kDim);
  return made;
}
const Index& hnsw() {
  static const std::unique_ptr<Index> index = [] {
    auto made = HnswIndex::create(kDim, Metric::kCosine, {.storage = Storage::kF32}).value();
    if (!made->add(MatrixView(set().base, kDim)).ok()) std::abort();
    return made;
  }();
  return *index;
}

void watch(const Index& index, Watched by) {
  MetricsOptions options;
  if (by == kShadow) options.shadow.rate = 0.001;
  index.set_metrics(by == kMetrics || by == kShadow ? Metrics::create(options).value() : nullptr);
  TraceHooks hooks;
  if (by == kTracer) {
    hooks.start = [](std::string_view) -> void* { return nullptr; };
    hooks.end = [](void*, const Status&) {};
  }
  set_trace_hooks(hooks);
}

void search(benchmark::State& state, Watched by) {
  const Index& index = hnsw();
  if (state.thread_index() == 0) watch(index, by);
  const SearchOptions options{.ef = static_cast<std::size_t>(state.range(0))};
  std::vector<Id> ids(kTop);
  std::vector<float> scores(kTop);
  std::size_t q = static_cast<std::size_t>(state.thread_index()) * 97;
  for (auto _ : state) {
    const MatrixView query(set().queries.data() + q++ % kQueries * kDim, 1, kDim);
    if (!index.search_into(query, kTop, options, ids.data(), scores.data()).ok()) std::abort();
  }
  if (state.thread_index() == 0) watch(index, kNobody);
}

void read(benchmark::State& state, bool page) {
  const Index& index = hnsw();
  watch(index, kMetrics);
  const std::shared_ptr<Metrics> metrics = index.metrics();
  for (auto _ : state) {
    if (page) benchmark::DoNotOptimize(metrics->prometheus());
    else benchmark::DoNotOptimize(metrics->snapshot());
  }
  watch(index, kNobody);
}

BENCHMARK_CAPTURE(search, nobody, kNobody)->Arg(10)->Arg(64)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(search, metrics, kMetrics)->Arg(10)->Arg(64)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(search, shadow, kShadow)->Arg(10)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(search, tracer, kTracer)->Arg(10)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(read, snapshot, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read, prometheus, true)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue::bench
