// Selections over a million rows: each comparison for the first time, with ids that are their rows and ids that are
// not; the same again; the same after a change.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>

#include "made_tracks.hpp"

namespace segue::bench {
namespace {

std::shared_ptr<Catalog> make(bool scattered) {
  std::vector<Id> ids;
  for (std::size_t i = 0; scattered && i < kTracks; ++i)
    ids.push_back(static_cast<Id>((i * 2'654'435'761U) % 16'777'216));
  auto made = Catalog::create(made_tracks(), {.ids = ids});
  if (!made.ok()) std::abort();
  return *made;
}

Catalog& tracks(bool scattered = false) {
  static const std::shared_ptr<Catalog> catalogs[] = {make(false), make(true)};
  return *catalogs[scattered ? 1 : 0];
}

// A literal that never comes twice keeps the cache out; it changes what matches by next to nothing.
void first_time(benchmark::State& state, const std::string& text, bool scattered) {
  const Catalog& catalog = tracks(scattered);
  std::size_t round = 0, matches = 0;
  for (auto _ : state) {
    const std::string fresh =
        "(" + text + ") and not duration in (" + std::to_string(-1 - static_cast<int>(round++)) + ")";
    const Result<IdSet> ids = catalog.select(fresh);
    if (!ids.ok()) std::abort();
    matches = ids->listed();
  }
  state.counters["matches"] = static_cast<double>(matches);
}

void again(benchmark::State& state) {
  const Expression filter = *parse_expression("market has 'm3' and duration <= 300 and explicit = false");
  for (auto _ : state) benchmark::DoNotOptimize(tracks().select(filter));
}

void again_from_text(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(tracks().select("market has 'm3' and duration <= 300 and explicit = false"));
  }
}

void after_a_change(benchmark::State& state) {
  const Expression filter = *parse_expression("market has 'm3' and duration <= 300 and explicit = false");
  std::vector<Id> ids(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(i * 97);
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector change = {ColumnData::integers("duration", std::vector<std::int64_t>(ids.size(), 100))};
    if (!tracks().upsert(change, {.ids = ids}).ok()) std::abort();
    state.ResumeTiming();
    benchmark::DoNotOptimize(tracks().select(filter));
  }
}

[[maybe_unused]] const bool registered = [] {
  const std::pair<const char*, const char*> cases[] = {
      {"nothing_but_the_fresh_part", "genre = 'none'"},
      {"category", "genre = 'genre7'"},
      {"category_of_many", "artist = 'artist700'"},
      {"category_list", "genre in ('genre1', 'genre7', 'genre30')"},
      {"set_of_few_kinds", "market has 'm3'"},
      {"set_of_many_kinds", "tags has 't9'"},
      {"integer", "duration <= 300"},
      {"date", "released >= '2015-01-01'"},
      {"float", "popularity > 0.1"},
      {"boolean", "explicit = false"},
      {"request", "market has 'm3' and duration <= 300 and explicit = false"}};
  for (const auto& [name, text] : cases) {
    for (const bool scattered : {false, true}) {
      benchmark::RegisterBenchmark(
          (std::string("first/") + (scattered ? "any_ids/" : "ids_are_rows/") + name).c_str(),
          [text = std::string(text), scattered](benchmark::State& state) { first_time(state, text, scattered); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RegisterBenchmark("again", again)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("again_from_text", again_from_text)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("after_a_change", after_a_change)
      ->Arg(1)
      ->Arg(100)
      ->Arg(5000)
      ->Iterations(20)
      ->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
}  // namespace segue::bench
