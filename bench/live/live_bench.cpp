// What a journal costs the adds that go through it, what opening reads, and indexes, a second, and for how long a snapshot
// keeps changes waiting. SEGUE_BENCH_ITEMS says how many items the index has (20,000).

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "file/journal_reader.hpp"
#include "file/source.hpp"
#include "index/clustered_set.hpp"
#include "segue/segue.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kDim = 128;
constexpr std::size_t kAdded = 4096;

std::size_t items() {
  const char* wanted = std::getenv("SEGUE_BENCH_ITEMS");
  return wanted == nullptr ? 20'000 : static_cast<std::size_t>(std::atoll(wanted));
}

const ClusteredSet& vectors() {
  static const ClusteredSet set(items() + kAdded, 1, kDim);
  return set;
}
MatrixView base() { return {vectors().base.data(), items(), kDim}; }
MatrixView more() { return {vectors().base.data() + items() * kDim, kAdded, kDim}; }

void check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::abort();
}

std::unique_ptr<Index> make(bool graph) {
  if (!graph) return FlatIndex::create(kDim, Metric::kL2, {.storage = Storage::kF32}).value();
  return HnswIndex::create(kDim, Metric::kL2).value();
}

// The bytes of an index of all items, made once.
std::unique_ptr<Index> full_index() {
  static const std::vector<unsigned char> bytes = [] {
    const std::unique_ptr<Index> index = make(true);
    check(index->add(base()));
    return index->to_bytes().value();
  }();
  return load_bytes(bytes).value();
}

std::string directory() {
  const std::string path = (std::filesystem::temp_directory_path() / "segue-live-bench").string();
  std::filesystem::remove_all(path);
  return path;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// 4,096 vectors, so many a call, by so many threads.
void add_all(Index& index, std::size_t rows, std::size_t threads) {
  std::vector<std::thread> team;
  for (std::size_t t = 0; t < threads; ++t) {
    team.emplace_back([&, t] {
      for (std::size_t i = t * rows; i < kAdded; i += threads * rows) {
        std::vector<Id> ids(rows);
        for (std::size_t j = 0; j < rows; ++j) ids[j] = static_cast<Id>(items() + i + j);
        check(index.add(more().slice(i, rows), ids, {.threads = 1, .progress = {}}));
      }
    });
  }
  for (std::thread& member : team) member.join();
}

void BM_Add(benchmark::State& state, int durability) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto threads = static_cast<std::size_t>(state.range(1));
  std::unique_ptr<Index> index = full_index();
  double syncs = 0;
  for (auto _ : state) {
    std::unique_ptr<Index> target;
    if (durability < 0) {
      target = full_index();
    } else {
      target = LiveIndex::create(directory(), *index,
                                 {.durability = static_cast<Durability>(durability), .snapshots = false}).value();
    }
    state.SetIterationTime(seconds_of([&] { add_all(*target, rows, threads); }));
    if (durability >= 0) syncs = static_cast<double>(static_cast<LiveIndex&>(*target).live_stats().syncs);
  }
  state.counters["vectors/s"] =
      benchmark::Counter(static_cast<double>(kAdded * state.iterations()), benchmark::Counter::kIsRate);
  state.counters["syncs"] = syncs;
}
void adds(benchmark::internal::Benchmark* bench) {
  for (const auto& [rows, threads] : {std::pair{1, 1}, {1, 8}, {1, 32}, {16, 1}, {64, 1}, {64, 4}, {1024, 1}}) {
    bench->Args({rows, threads});
  }
  bench->ArgNames({"rows", "threads"})->Iterations(3)->UseManualTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(BM_Add, alone, -1)->Apply(adds);
BENCHMARK_CAPTURE(BM_Add, batch, 0)->Apply(adds);
BENCHMARK_CAPTURE(BM_Add, interval, 1)->Apply(adds);
BENCHMARK_CAPTURE(BM_Add, never, 2)->Apply(adds);

// All items from the journal, 64 a record, into an empty index; beside it, the same in one add.
void BM_Open(benchmark::State& state, bool graph) {
  const std::string path = directory();
  {
    const std::unique_ptr<LiveIndex> live =
        LiveIndex::create(path, *make(graph), {.durability = Durability::kNever, .snapshots = false}).value();
    for (std::size_t i = 0; i < items(); i += 64) check(live->add(base().slice(i, std::min<std::size_t>(64, items() - i))));
  }
  double opening = 0;
  double building = 0;
  double bytes = 0;
  for (auto _ : state) {
    const std::unique_ptr<LiveIndex> live = LiveIndex::open(path, {.read_only = true}).value();
    opening += live->open_report().replay_seconds;
    bytes += static_cast<double>(live->open_report().journal_bytes);
    state.SetIterationTime(live->open_report().replay_seconds);
    const std::unique_ptr<Index> built = make(graph);
    building += seconds_of([&] { check(built->add(base())); });
  }
  state.counters["MB/s"] = bytes / opening / 1e6;
  state.counters["of the build's rate"] = building / opening;
}
BENCHMARK_CAPTURE(BM_Open, flat, false)->Iterations(3)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Open, graph, true)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

// Reading alone: every record of 64 vectors found, summed and taken apart.
void BM_Read(benchmark::State& state) {
  const std::string path = directory();
  {
    const std::unique_ptr<LiveIndex> live =
        LiveIndex::create(path, *make(false), {.durability = Durability::kNever, .snapshots = false}).value();
    for (std::size_t i = 0; i < items(); i += 64) check(live->add(base().slice(i, std::min<std::size_t>(64, items() - i))));
  }
  const FileSource source = FileSource::open(path + "/journal-00000000000000000001.log").value();
  for (auto _ : state) {
    JournalReader reader = JournalReader::open(source).value();
    while (reader.next().value() == JournalReader::Step::kRecord) benchmark::DoNotOptimize(reader.record());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(source.size()) * state.iterations());
}
BENCHMARK(BM_Read)->Unit(benchmark::kMillisecond);

void BM_Snapshot(benchmark::State& state) {
  const std::unique_ptr<LiveIndex> live =
      LiveIndex::create(directory(), *full_index(), {.snapshots = false}).value();
  double pause = 0;
  Id id = static_cast<Id>(items());
  for (auto _ : state) {
    check(live->upsert(more().slice(0, 1), std::vector<Id>{id++}));
    state.SetIterationTime(seconds_of([&] { check(live->snapshot()); }));
    pause += live->live_stats().snapshot_pause;
  }
  const LiveStats stats = live->live_stats();
  state.counters["pause ms"] = 1e3 * pause / static_cast<double>(state.iterations());
  state.counters["MB"] = static_cast<double>(stats.snapshot_bytes) / 1e6;
}
BENCHMARK(BM_Snapshot)->Iterations(5)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::bench
