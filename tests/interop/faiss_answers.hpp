#pragma once
// FAISS indexes to convert, and whether two indexes answer alike.

#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/index_factory.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "index/vectors.hpp"
#include "segue/interop/faiss.hpp"

namespace segue::test {

constexpr std::size_t kDim = 16;
constexpr std::size_t kRows = 1200;
constexpr std::size_t kQueries = 30;
constexpr std::size_t kK = 10;
// Float error of sums of kDim products of numbers around 1, and of FAISS's tables for quantised lists.
constexpr double kTolerance = 1e-3;

using FaissIndex = std::unique_ptr<faiss::Index>;

inline Vectors rows_of(std::uint64_t seed, std::size_t n) {
  Random random(seed);
  return gaussian_vectors(random, n, kDim);
}

// Ids that are not the numbers of rows, nor in their order.
inline std::vector<Id> odd_ids(std::size_t n) {
  std::vector<Id> ids(n);
  for (std::size_t i = 0; i < n; ++i) ids[i] = static_cast<Id>(i * 7 % n) * 1'000'000'007 + 5;
  return ids;
}

inline FaissIndex make_faiss(const std::string& factory, faiss::MetricType metric, const Vectors& x, bool own_ids) {
  FaissIndex index(faiss::index_factory(static_cast<int>(kDim), factory.c_str(), metric));
  const auto n = static_cast<std::int64_t>(x.size() / kDim);
  index->train(n, x.data());
  const std::vector<Id> ids = odd_ids(x.size() / kDim);
  if (own_ids) {
    index->add_with_ids(n, x.data(), ids.data());
  } else {
    index->add(n, x.data());
  }
  return index;
}

inline faiss::Index& inner_of(faiss::Index& index) {
  auto* map = dynamic_cast<faiss::IndexIDMap*>(&index);
  return map != nullptr ? *map->index : index;
}

struct Answers {
  std::vector<Id> ids;
  std::vector<float> scores;
};

// nprobe 0: all lists. Graphs look at everything that they reach.
inline Answers ask(faiss::Index& index, const Vectors& queries, std::size_t nprobe = 0) {
  faiss::Index& inner = inner_of(index);
  if (auto* lists = dynamic_cast<faiss::IndexIVF*>(&inner)) lists->nprobe = nprobe != 0 ? nprobe : lists->nlist;
  if (auto* graph = dynamic_cast<faiss::IndexHNSW*>(&inner)) graph->hnsw.efSearch = static_cast<int>(kRows);
  const std::size_t n = queries.size() / kDim;
  Answers found{std::vector<Id>(n * kK), std::vector<float>(n * kK)};
  index.search(static_cast<std::int64_t>(n), queries.data(), static_cast<std::int64_t>(kK), found.scores.data(),
               found.ids.data());
  return found;
}

inline Answers ask(const Index& index, const Vectors& queries, std::size_t nprobe = 0) {
  const SearchOptions options{.ef = kRows, .nprobe = nprobe != 0 ? nprobe : kRows};
  const Result<SearchResult> found = index.search(MatrixView(queries, kDim), kK, options);
  EXPECT_TRUE(found.ok()) << found.status().message();
  return found.ok() ? Answers{found->ids, found->scores} : Answers{};
}

// The same scores place by place; and the same ids, but for those that score as the last ones do.
inline void expect_alike(const Answers& a, const Answers& b) {
  ASSERT_EQ(a.ids.size(), b.ids.size());
  for (std::size_t first = 0; first < a.ids.size(); first += kK) {
    SCOPED_TRACE("query " + std::to_string(first / kK));
    const double last = b.scores[first + kK - 1];
    for (std::size_t i = first; i < first + kK; ++i) {
      ASSERT_NEAR(a.scores[i], b.scores[i], kTolerance) << "place " << i - first;
      const auto begin = b.ids.begin() + static_cast<std::ptrdiff_t>(first);
      const auto same = std::find(begin, begin + kK, a.ids[i]);
      if (same == begin + kK) {
        ASSERT_NEAR(a.scores[i], last, kTolerance) << "id " << a.ids[i] << " is missing";
      } else {
        ASSERT_NEAR(a.scores[i], b.scores[static_cast<std::size_t>(same - b.ids.begin())], kTolerance);
      }
    }
  }
}

// For graphs by inner product, which in FAISS do not reach all of their answers.
inline void expect_no_worse(const Answers& a, const Answers& b) {
  for (std::size_t i = 0; i < a.scores.size(); ++i) ASSERT_GE(a.scores[i], b.scores[i] - kTolerance) << i;
}

}  // namespace segue::test
