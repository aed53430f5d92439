// Whole searches: single calls and batches, flat and graph, with what a request brings along. recall@10 is a counter
// beside the time, because a time without it says nothing.

#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>
#include <vector>

#include "clustered_set.hpp"
#include "segue/segue.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kItems = 20000;
constexpr std::size_t kQueries = 500;
constexpr std::size_t kDim = 96;
constexpr std::size_t kTop = 10;

const ClusteredSet& set() {
  static const ClusteredSet made(kItems, kQueries, kDim);
  return made;
}
MatrixView queries() { return {set().queries.data(), kQueries, kDim}; }

const Index& flat() {
  static const std::unique_ptr<Index> index = [] {
    auto made = FlatIndex::create(kDim, Metric::kCosine).value();
    if (!made->add(MatrixView(set().base, kDim)).ok()) std::abort();
    return made;
  }();
  return *index;
}
const Index& hnsw(Storage storage) {
  static std::unique_ptr<Index> indexes[5];
  std::unique_ptr<Index>& index = indexes[static_cast<std::size_t>(storage)];
  if (index == nullptr) {
    index = HnswIndex::create(kDim, Metric::kCosine, {.storage = storage}).value();
    if (!index->add(MatrixView(set().base, kDim)).ok()) std::abort();
  }
  return *index;
}

const std::vector<Id>& truth() {
  static const std::vector<Id> ids = flat().search(queries(), kTop).value().ids;
  return ids;
}

void run_batch(benchmark::State& state, const Index& index, const SearchOptions& options) {
  std::vector<Id> ids(kQueries * kTop);
  std::vector<float> scores(kQueries * kTop);
  for (auto _ : state) {
    if (!index.search_into(queries(), kTop, options, ids.data(), scores.data()).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kQueries));
  if (options.filter == nullptr && options.exclude.ids.empty()) {
    state.counters["recall"] = recall(ids, kTop, truth(), kTop, kTop).value();
  }
}

void run_single(benchmark::State& state, const Index& index, const SearchOptions& options) {
  Id ids[kTop];
  float scores[kTop];
  std::size_t q = 0;
  for (auto _ : state) {
    if (!index.search_into(queries().slice(q, 1), kTop, options, ids, scores).ok()) std::abort();
    q = (q + 1) % kQueries;
  }
  state.SetItemsProcessed(state.iterations());
}

SearchOptions width(benchmark::State& state) {
  SearchOptions options;
  options.ef = static_cast<std::size_t>(state.range(0));
  options.threads = 1;
  return options;
}

void flat_batch(benchmark::State& state) { run_batch(state, flat(), {.threads = 1}); }
void flat_single(benchmark::State& state) { run_single(state, flat(), {.threads = 1}); }
void hnsw_batch(benchmark::State& state, Storage storage) { run_batch(state, hnsw(storage), width(state)); }
void hnsw_single(benchmark::State& state, Storage storage) { run_single(state, hnsw(storage), width(state)); }

void hnsw_excluding(benchmark::State& state) {
  std::vector<Id> played(static_cast<std::size_t>(state.range(1)));
  std::iota(played.begin(), played.end(), Id{0});
  SearchOptions options = width(state);
  options.exclude.ids = played;
  run_batch(state, hnsw(Storage::kF32), options);
}

void hnsw_filtered(benchmark::State& state) {
  std::vector<Id> ids;
  for (Id id = 0; id < static_cast<Id>(kItems); id += state.range(1)) ids.push_back(id);
  const IdSet filter = IdSet::from_ids(ids).value();
  SearchOptions options = width(state);
  options.filter = &filter;
  run_batch(state, hnsw(Storage::kF32), options);
}

void hnsw_build(benchmark::State& state) {
  for (auto _ : state) {
    auto index = HnswIndex::create(kDim, Metric::kCosine).value();
    if (!index->add(MatrixView(set().base, kDim), {}, {.threads = static_cast<int>(state.range(0))}).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kItems));
}

BENCHMARK(flat_batch)->Unit(benchmark::kMillisecond);
BENCHMARK(flat_single)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(hnsw_batch, f32, Storage::kF32)->Arg(16)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hnsw_batch, f16, Storage::kF16)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hnsw_batch, bf16, Storage::kBf16)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hnsw_batch, sq8, Storage::kSq8)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hnsw_single, f32, Storage::kF32)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK(hnsw_excluding)->Args({64, 50})->Args({64, 5000})->Unit(benchmark::kMillisecond);
BENCHMARK(hnsw_filtered)->Args({64, 2})->Args({64, 10})->Args({64, 1000})->Unit(benchmark::kMillisecond);
BENCHMARK(hnsw_build)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->Iterations(1)->UseRealTime();

}  // namespace
}  // namespace segue::bench
