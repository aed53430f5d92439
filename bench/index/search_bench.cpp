// Whole searches: single calls and batches, flat and graph, with what a request brings along.

#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>
#include <vector>

#include "clustered_set.hpp"
#include "run_search.hpp"
#include "segue/segue.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kItems = 20000;
constexpr std::size_t kQueries = 500;
constexpr std::size_t kDim = 96;

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

const Truth& truth() {
  static const Truth ids = flat().search(queries(), kTop).value().ids;
  return ids;
}

SearchOptions width(benchmark::State& state) {
  SearchOptions options;
  options.ef = static_cast<std::size_t>(state.range(0));
  options.threads = 1;
  return options;
}

void flat_batch(benchmark::State& state) { run_batch(state, flat(), queries(), {.threads = 1}, truth()); }
void flat_single(benchmark::State& state) { run_single(state, flat(), queries(), {.threads = 1}, truth()); }
void hnsw_batch(benchmark::State& state, Storage storage) {
  run_batch(state, hnsw(storage), queries(), width(state), truth());
}
void hnsw_single(benchmark::State& state, Storage storage) {
  run_single(state, hnsw(storage), queries(), width(state), truth());
}

void hnsw_excluding(benchmark::State& state) {
  std::vector<Id> played(static_cast<std::size_t>(state.range(1)));
  std::iota(played.begin(), played.end(), Id{0});
  SearchOptions options = width(state);
  options.exclude.ids = played;
  run_batch(state, hnsw(Storage::kF32), queries(), options, Truth{});
}

void hnsw_filtered(benchmark::State& state) {
  std::vector<Id> ids;
  for (Id id = 0; id < static_cast<Id>(kItems); id += state.range(1)) ids.push_back(id);
  const IdSet filter = IdSet::from_ids(ids).value();
  SearchOptions options = width(state);
  options.filter = &filter;
  run_batch(state, hnsw(Storage::kF32), queries(), options, Truth{});
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
