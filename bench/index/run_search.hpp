#pragma once
// One loop for batches and one for single calls, over any index: what the programs of this folder time. recall@10 is a
// counter beside the time, because a time without it says nothing.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

#include "segue/segue.hpp"

namespace segue::bench {

inline constexpr std::size_t kTop = 10;

// The answers that recall is counted against, one row of kTop ids a query; none where recall means nothing, as under
// a filter.
using Truth = std::vector<Id>;

inline void report_recall(benchmark::State& state, const std::vector<Id>& ids, const Truth& truth) {
  if (truth.empty()) return;
  const Truth asked(truth.begin(), truth.begin() + static_cast<std::ptrdiff_t>(ids.size()));
  state.counters["recall"] = recall(ids, kTop, asked, kTop, kTop).value();
}

inline void run_batch(benchmark::State& state, const Index& index, MatrixView queries, const SearchOptions& options,
                      const Truth& truth) {
  std::vector<Id> ids(queries.rows() * kTop);
  std::vector<float> scores(queries.rows() * kTop);
  for (auto _ : state) {
    if (!index.search_into(queries, kTop, options, ids.data(), scores.data()).ok()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(queries.rows()));
  report_recall(state, ids, truth);
}

// The queries one after the other; recall is that of the first 100, asked before the clock starts.
inline void run_single(benchmark::State& state, const Index& index, MatrixView queries, const SearchOptions& options,
                       const Truth& truth) {
  const std::size_t warm = queries.rows() < 100 ? queries.rows() : 100;
  std::vector<Id> ids(warm * kTop);
  std::vector<float> scores(warm * kTop);
  const auto ask = [&](std::size_t q, std::size_t row) {
    if (!index.search_into(queries.slice(q, 1), kTop, options, &ids[row * kTop], &scores[row * kTop]).ok())
      std::abort();
  };
  for (std::size_t q = 0; q < warm; ++q) ask(q, q);
  report_recall(state, ids, truth);
  std::size_t q = 0;
  for (auto _ : state) {
    ask(q, 0);
    q = (q + 1) % queries.rows();
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace segue::bench
