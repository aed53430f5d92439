// Whole searches under inner product and Euclidean distance, flat and graph, batches and single calls; search_bench has
// the cosine. Small enough that its indexes stand in two seconds: `make bench-check` runs it ten times.

#include <benchmark/benchmark.h>

#include <memory>

#include "clustered_set.hpp"
#include "factor_set.hpp"
#include "run_search.hpp"
#include "segue/segue.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kItems = 20000;
constexpr std::size_t kQueries = 500;
constexpr std::size_t kDim = 64;

template <class Kind>
std::unique_ptr<Index> make(Metric metric, const ClusteredSet& set) {
  auto index = Kind::create(kDim, metric).value();
  if (!index->add(MatrixView(set.base, kDim), {}, {.threads = 1}).ok()) std::abort();
  return index;
}

// The set, both indexes and the exact answers of one metric, each made when it is first asked for.
class Bed {
 public:
  Bed(Metric metric, const ClusteredSet& set) : metric_(metric), set_(set) {}
  MatrixView queries() const { return {set_.queries.data(), kQueries, kDim}; }
  const Index& flat() {
    if (flat_ == nullptr) flat_ = make<FlatIndex>(metric_, set_);
    return *flat_;
  }
  const Index& hnsw() {
    if (hnsw_ == nullptr) hnsw_ = make<HnswIndex>(metric_, set_);
    return *hnsw_;
  }
  const Truth& truth() {
    if (truth_.empty()) truth_ = flat().search(queries(), kTop, {.threads = 1}).value().ids;
    return truth_;
  }

 private:
  Metric metric_;
  const ClusteredSet& set_;
  std::unique_ptr<Index> flat_, hnsw_;
  Truth truth_;
};

Bed& ip() {
  static const FactorSet set(kItems, kQueries, kDim);
  static Bed bed(Metric::kInnerProduct, set);
  return bed;
}
Bed& l2() {
  static const ClusteredSet set(kItems, kQueries, kDim);
  static Bed bed(Metric::kL2, set);
  return bed;
}

using MakeBed = Bed& (*)();

SearchOptions width(const benchmark::State& state) {
  SearchOptions options;
  options.ef = static_cast<std::size_t>(state.range(0));
  options.threads = 1;
  return options;
}

void flat_batch(benchmark::State& state, MakeBed bed) {
  run_batch(state, bed().flat(), bed().queries(), {.threads = 1}, bed().truth());
}
void flat_single(benchmark::State& state, MakeBed bed) {
  run_single(state, bed().flat(), bed().queries(), {.threads = 1}, bed().truth());
}
void hnsw_batch(benchmark::State& state, MakeBed bed) {
  run_batch(state, bed().hnsw(), bed().queries(), width(state), bed().truth());
}
void hnsw_single(benchmark::State& state, MakeBed bed) {
  run_single(state, bed().hnsw(), bed().queries(), width(state), bed().truth());
}

BENCHMARK_CAPTURE(flat_batch, ip, ip)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(flat_single, ip, ip)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(hnsw_batch, ip, ip)->Arg(16)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hnsw_single, ip, ip)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(flat_batch, l2, l2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(flat_single, l2, l2)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(hnsw_batch, l2, l2)->Arg(16)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hnsw_single, l2, l2)->Arg(64)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue::bench
