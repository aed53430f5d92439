#pragma once
// What the tests do with an index file that may be damaged: open it, and if it opens, use it in every way.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <ostream>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"
#include "support/file_mutations.hpp"
#include "support/watchdog.hpp"

namespace segue::test {

struct IndexCase {
  const char* kind;
  Metric metric;
  Storage storage;
  Storage rerank = Storage::kAuto;

  std::string name() const {
    std::string name = std::string(kind) + "_" + std::string(to_string(metric)) + "_" + std::string(to_string(storage));
    if (rerank != Storage::kAuto) name.append("_").append(to_string(rerank));
    return name;
  }
};

inline void PrintTo(const IndexCase& which, std::ostream* out) { *out << which.name(); }

inline const std::vector<IndexCase>& index_cases() {
  static const std::vector<IndexCase> cases = {
      {"flat", Metric::kL2, Storage::kF32},
      {"flat", Metric::kCosine, Storage::kF16},
      {"flat", Metric::kInnerProduct, Storage::kBf16},
      {"flat", Metric::kInnerProduct, Storage::kSq8},
      {"ivf", Metric::kL2, Storage::kF32},
      {"ivf", Metric::kInnerProduct, Storage::kSq8},
      {"flat", Metric::kL2, Storage::kSq4},
      {"ivf", Metric::kCosine, Storage::kF16},
      {"ivf", Metric::kL2, Storage::kPca8, Storage::kSq8},
      {"ivf", Metric::kInnerProduct, Storage::kPca8},
      {"ivf", Metric::kL2, Storage::kRabitq3, Storage::kSq4},
      {"ivf", Metric::kInnerProduct, Storage::kRabitq5},
      {"hnsw", Metric::kL2, Storage::kF32},
      {"hnsw", Metric::kCosine, Storage::kF16},
      {"hnsw", Metric::kInnerProduct, Storage::kF32},
      {"hnsw", Metric::kInnerProduct, Storage::kSq8, Storage::kF32},
      {"hnsw", Metric::kL2, Storage::kBf16},
      {"hnsw", Metric::kCosine, Storage::kSq8},
      {"hnsw", Metric::kL2, Storage::kPca8},
      {"hnsw", Metric::kCosine, Storage::kPca8, Storage::kSq8},
      {"hnsw", Metric::kCosine, Storage::kAuto},
  };
  return cases;
}

inline constexpr std::size_t kIndexDim = 5;

// Rows of small numbers; norms spread over some decades, as they do for popular and unpopular tracks.
inline std::vector<float> index_rows(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values;
  for (std::size_t row = 0; row < rows; ++row) {
    const float scale = std::ldexp(1.0f, static_cast<int>(random.below(12)) - 6);
    for (std::size_t i = 0; i < kIndexDim; ++i) {
      values.push_back(scale * (static_cast<float>(random.below(2001)) - 1000.5f) / 1000.0f);
    }
  }
  return values;
}

// With ids that are no sequence, removed items, replaced ones and duplicates: all that an index keeps books about.
inline std::unique_ptr<Index> make_index(const IndexCase& which, std::size_t rows = 60) {
  if (which.storage == Storage::kPca8) rows = std::max<std::size_t>(rows, 300);  // before that nothing is coded
  std::unique_ptr<Index> index;
  if (which.kind == std::string("flat")) {
    index = FlatIndex::create(kIndexDim, which.metric, {.storage = which.storage}).value();
  } else if (which.kind == std::string("ivf")) {
    index = IvfIndex::create(kIndexDim, which.metric, {.storage = which.storage, .rerank = which.rerank, .seed = 3}).value();
  } else {
    HnswOptions options;
    options.m = 4;
    options.ef_construction = 20;
    options.storage = which.storage;
    options.rerank = which.rerank;
    options.seed = 3;
    index = HnswIndex::create(kIndexDim, which.metric, options).value();
  }
  std::vector<float> values = index_rows(rows, 17);
  for (std::size_t row = rows / 2; row < rows / 2 + rows / 6; ++row) {
    for (std::size_t i = 0; i < kIndexDim; ++i) values[row * kIndexDim + i] = values[kIndexDim + i];
  }
  std::vector<Id> ids;
  for (std::size_t row = 0; row < rows; ++row) ids.push_back(static_cast<Id>(row * row + 5));
  EXPECT_TRUE(index->add(MatrixView(values, kIndexDim), ids, {.threads = 1}).ok());
  std::vector<Id> gone;
  for (std::size_t row = 0; row < rows; row += 7) gone.push_back(ids[row]);
  EXPECT_EQ(index->remove(gone).value(), gone.size());
  const std::vector<float> replaced = index_rows(3, 18);
  const Id replaced_ids[] = {ids[1], ids[rows / 2 + 1], 1'000'000};
  EXPECT_TRUE(index->upsert(MatrixView(replaced, kIndexDim), replaced_ids, {.threads = 1}).ok());
  return index;
}

// Everything that can be called. What it answers may be wrong; it must answer, and need no more memory than there is:
// running out of it is an error like others, which a test with little memory would not notice otherwise.
template <class Outcome>
void expect_no_lack_of_memory(const Outcome& outcome) {
  const Status* status = nullptr;
  if constexpr (std::is_same_v<Outcome, Status>) {
    status = &outcome;
  } else {
    status = &outcome.status();
  }
  EXPECT_NE(status->code(), StatusCode::kOutOfMemory) << status->message();
}

inline void use_index(Index& index) {
  const Watchdog watchdog(120);  // milliseconds are usual, a second with sanitizers on a busy machine
  const auto run = [](const auto& outcome) { expect_no_lack_of_memory(outcome); };
  const std::size_t dim = index.dim();
  if (dim == 0 || dim > 4096) return;  // a damaged dimension that the sections happen to fit
  std::vector<float> values(dim * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 2.9f;
  const MatrixView queries(values, dim);

  std::vector<Id> ids = index.ids();
  (void)index.size();
  (void)index.contains(5);
  (void)index.memory_usage();
  (void)index.stats();
  run(index.validate());
  // One thread throughout: thousands of tiny parallel regions mostly wait for each other.
  SearchOptions plain;
  plain.threads = 1;
  for (const std::size_t k : {1u, 10u, 100u}) {
    SearchOptions options = plain;
    options.ef = k == 10 ? 50 : 0;
    const Result<SearchResult> found = index.search(queries, k, options);
    run(found);
    if (found.ok()) {
      EXPECT_EQ(found->ids.size(), 3 * k);
      EXPECT_EQ(found->scores.size(), 3 * k);
    }
  }
  const IdSet allowed = IdSet::from_ids(std::vector<Id>{5, 6, 9, 30, 41, 1'000'000}).value();
  const IdSet others = ~allowed;
  const Id excluded[] = {6, 9};
  SearchOptions filtered = plain;
  filtered.exclude.ids = excluded;
  std::vector<Id> hundred(100);
  std::iota(hundred.begin(), hundred.end(), Id{0});
  const IdSet third = IdSet::from_ids(hundred).value();
  const auto search_filtered = [&] {
    for (const IdSet* filter : {&allowed, &others, &third}) {
      filtered.filter = filter;
      run(index.search(queries, 5, filtered));
    }
  };
  for (int i = 0; i < 5; ++i) search_filtered();  // what comes often gets codes of its own
  run(index.range_search(queries, larger_is_better(index.metric()) ? 0.1f : 1.0f, plain));
  if (ids.size() > 1000) ids.resize(1000);
  run(index.get(ids));
  run(index.get(std::vector<Id>{6}));
  const Result<std::vector<unsigned char>> bytes = index.to_bytes();
  run(bytes);
  if (bytes.ok()) run(load_bytes(*bytes, false));

  // Changes walk the books that reading does not.
  const AddOptions one_thread{.threads = 1};
  const Id first = ids.empty() ? 1 : ids.front();
  run(index.remove(std::vector<Id>{first, 41, 86}));
  run(index.add(queries, {}, one_thread));
  run(index.upsert(queries, std::vector<Id>{30, 1'000'000, 77}, one_thread));
  search_filtered();
  if (ids.size() > 30) run(index.remove(std::span<const Id>(ids).subspan(1, 25)));
  search_filtered();
  run(index.search(queries, 10, plain));
  (void)index.ids();
  run(index.remove(ids));
  (void)index.ids();
  run(index.add(queries, std::vector<Id>{1, 2, 3}, one_thread));
  run(index.search(queries, 10, plain));
  run(index.validate());
}

// Whether it opened.
inline bool exercise_index_file(std::span<const unsigned char> bytes, bool verify) {
  Result<std::unique_ptr<Index>> index = load_bytes(bytes, verify);
  if (!index.ok()) {
    EXPECT_EQ(index.status().code(), StatusCode::kCorruptFile) << index.status().message();
    return false;
  }
  use_index(**index);
  return true;
}

}  // namespace segue::test
