// A Home request: two interests, a session, what is popular and what a function proposes, under a filter, 500
// exclusions, two an artist and diversity over 200, k = 100; the same without one part each; and a batch over many
// people beside the raw search of the same batch.
//
// Items are those of index/latent_set.hpp, 20,000 by default; the environment variable SEGUE_BENCH_ITEMS asks for more
// (1000000 takes minutes to build).

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>

#include "index/latent_set.hpp"
#include "segue/segue.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kDim = 128;
constexpr std::size_t kQueries = 1000;
constexpr std::size_t kExcluded = 500;
constexpr std::size_t kSeeds = 5;

std::size_t items() {
  const char* asked = std::getenv("SEGUE_BENCH_ITEMS");
  const long n = asked == nullptr ? 0 : std::atol(asked);
  return n > 0 ? static_cast<std::size_t>(n) : 20'000;
}

template <class T>
T must(Result<T> made) {
  if (!made.ok()) std::abort();
  return std::move(*made);
}

struct Home {
  Home() : n(items()), set(n, kQueries, kDim) {
    index = must(HnswIndex::create(kDim, Metric::kCosine));
    if (!index->add(MatrixView(set.base, kDim)).ok()) std::abort();
    std::vector<std::string> artist(n);
    std::vector<std::int64_t> minutes(n);
    for (std::size_t i = 0; i < n; ++i) {
      artist[i] = "artist " + std::to_string(random() % (n / 10));
      minutes[i] = static_cast<std::int64_t>(random() % 60);
    }
    catalog = must(Catalog::create(
        std::vector{ColumnData::categories("artist", artist), ColumnData::integers("minutes", minutes)}));
    for (std::size_t i = 0; i < 2000; ++i) popular.push_back(any());
    std::sort(popular.begin(), popular.end());
    popular.erase(std::unique(popular.begin(), popular.end()), popular.end());
    std::shuffle(popular.begin(), popular.end(), random);
    for (std::size_t i = 0; i < kQueries; ++i) {
      played.emplace_back();
      for (std::size_t j = 0; j < kExcluded; ++j) played.back().push_back(any());
    }
    // A session is about something: five of the hundred nearest to the person's first vector.
    const SearchResult near = must(index->search(MatrixView(set.queries, kDim), 100, {}));
    for (std::size_t i = 0; i < kQueries; ++i) {
      seeds.emplace_back();
      for (std::size_t j = 0; j < kSeeds; ++j) seeds.back().push_back(near.ids[i * 100 + random() % 100]);
    }
  }
  Id any() { return static_cast<Id>(random() % n); }

  GeneratorOptions options() const {
    GeneratorOptions made;
    const auto editors = callable_source([this](const Wanted& wanted, Proposals& out) {
      const std::size_t first = static_cast<std::size_t>(wanted.request.seeds[0]) % (popular.size() / 2);
      for (std::size_t i = first; i < popular.size() && out.ids.size() < wanted.n; ++i) {
        if (wanted.allows(popular[i])) out.ids.push_back(popular[i]);
      }
      return Status();
    });
    made.sources = {{"taste", nearest_to_vectors(index)},
                    {"session", nearest_to_seeds(index), 0.5f},
                    {"popular", must(ranked_list(popular)), 0.3f},
                    {"editors", editors, 0.3f}};
    made.catalog = catalog;
    made.caps = {{"artist", 2}};
    made.mmr = Mmr{index, 0.7f, 200};
    return made;
  }
  Request request(std::size_t i) const {
    const std::size_t first = i % (kQueries - 1);
    return {.k = 100,
            .vectors = MatrixView(set.queries.data() + first * kDim, 2, kDim),
            .seeds = seeds[first],
            .filter = field("minutes") < 30,
            .exclude = played[first]};
  }

  std::size_t n;
  LatentSet set;
  std::shared_ptr<Index> index;
  std::shared_ptr<Catalog> catalog;
  std::mt19937_64 random{5};
  std::vector<Id> popular;
  std::vector<std::vector<Id>> played, seeds;
};

const Home& home() {
  static const Home made;
  return made;
}

// One after the other, with p50 and p99 beside the mean: a request has a deadline, not an average.
template <class Options, class Change>
void run(benchmark::State& state, const Options& change_options, const Change& change) {
  GeneratorOptions options = home().options();
  change_options(options);
  const auto generator = must(CandidateGenerator::create(std::move(options)));
  std::vector<double> took;
  std::size_t i = 0, found = 0, cut = 0;
  for (std::size_t warm = 0; warm < 50; ++warm) {
    Request request = home().request(500 + warm);
    change(request);
    if (!generator->generate(request).ok()) std::abort();
  }
  for (auto _ : state) {
    Request request = home().request(i++);
    change(request);
    const auto start = std::chrono::steady_clock::now();
    const Result<Candidates> list = generator->generate(request);
    took.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    if (!list.ok()) std::abort();
    found += list->ids.size();
    cut += list->ended_by == EndedBy::kDeadline;
  }
  std::sort(took.begin(), took.end());
  state.counters["p50_us"] = took[took.size() / 2];
  state.counters["p99_us"] = took[took.size() * 99 / 100];
  state.counters["p999_us"] = took[took.size() * 999 / 1000];
  state.counters["ids"] = static_cast<double>(found) / static_cast<double>(took.size());
  if (cut > 0) state.counters["cut"] = static_cast<double>(cut) / static_cast<double>(took.size());
}

constexpr auto kAsItIs = [](auto&) {};

void whole(benchmark::State& state) { run(state, kAsItIs, kAsItIs); }
void without_diversity(benchmark::State& state) {
  run(
      state, [](GeneratorOptions& o) { o.mmr.reset(); }, kAsItIs);
}
void without_caps(benchmark::State& state) {
  run(
      state, [](GeneratorOptions& o) { o.caps.clear(); }, kAsItIs);
}
void without_filter(benchmark::State& state) {
  run(state, kAsItIs, [](Request& r) { r.filter.reset(); });
}
void without_exclusions(benchmark::State& state) {
  run(state, kAsItIs, [](Request& r) { r.exclude = {}; });
}
void vectors_alone(benchmark::State& state) {
  run(
      state,
      [](GeneratorOptions& o) {
        o.sources.resize(1);
        o.mmr.reset();
        o.caps.clear();
      },
      [](Request& r) {
        r.filter.reset();
        r.exclude = r.seeds = {};
      });
}
void with_a_minimum(benchmark::State& state) {
  run(
      state,
      [](GeneratorOptions& o) {
        o.minimums = {{field("minutes") == 7, 3}};
      },
      kAsItIs);
}
void with_a_deadline(benchmark::State& state) {
  run(state, kAsItIs, [&](Request& r) { r.deadline_us = state.range(0); });
}

// Everybody once: nothing that was played, two an artist; beside the raw search of the same batch.
enum Kind : int { kGraph, kLists, kScan };

const std::shared_ptr<const Index>& index_of(int kind) {
  static std::shared_ptr<const Index> made[3];
  if (made[kind] != nullptr) return made[kind];
  if (kind == kGraph) return made[kind] = home().index;
  std::shared_ptr<Index> index;
  if (kind == kLists) {
    auto lists = must(IvfIndex::create(kDim, Metric::kCosine));
    if (!lists->train(MatrixView(home().set.base, kDim)).ok()) std::abort();
    index = std::move(lists);
  } else {
    index = must(FlatIndex::create(kDim, Metric::kCosine));
  }
  if (!index->add(MatrixView(home().set.base, kDim)).ok()) std::abort();
  return made[kind] = index;
}

void weekly(benchmark::State& state) {
  GeneratorOptions options = home().options();
  options.sources = {{"taste", nearest_to_vectors(index_of(static_cast<int>(state.range(0))))}};
  options.mmr.reset();
  const auto generator = must(CandidateGenerator::create(std::move(options)));
  std::vector<Request> requests;
  for (std::size_t i = 0; i < kQueries; ++i) {
    requests.push_back(
        {.k = 100, .vectors = MatrixView(home().set.queries.data() + i * kDim, 1, kDim), .exclude = home().played[i]});
  }
  for (auto _ : state) benchmark::DoNotOptimize(must(generator->generate(requests, 1)));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kQueries));
}
void weekly_raw_search(benchmark::State& state) {
  const Index& index = *index_of(static_cast<int>(state.range(0)));
  std::vector<Id> ids(kQueries * 100);
  std::vector<float> scores(kQueries * 100);
  for (auto _ : state) {
    if (!index.search_into(MatrixView(home().set.queries, kDim), 100, {.threads = 1}, ids.data(), scores.data()).ok())
      std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kQueries));
}

BENCHMARK(whole)->Unit(benchmark::kMicrosecond);
BENCHMARK(without_diversity)->Unit(benchmark::kMicrosecond);
BENCHMARK(without_caps)->Unit(benchmark::kMicrosecond);
BENCHMARK(without_filter)->Unit(benchmark::kMicrosecond);
BENCHMARK(without_exclusions)->Unit(benchmark::kMicrosecond);
BENCHMARK(vectors_alone)->Unit(benchmark::kMicrosecond);
BENCHMARK(with_a_minimum)->Unit(benchmark::kMicrosecond);
BENCHMARK(with_a_deadline)->Arg(200)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(weekly)->ArgName("kind")->DenseRange(kGraph, kScan)->Unit(benchmark::kMillisecond);
BENCHMARK(weekly_raw_search)->ArgName("kind")->DenseRange(kGraph, kScan)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::bench
