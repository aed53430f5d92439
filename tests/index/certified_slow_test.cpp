// FlatIndex leaves nearly all rows out by bounds on their codes. Nothing that it leaves out may be an answer: on every
// instruction set, for rows that are kind to codes and for rows that are not, before and after changes, against double.

#include <gtest/gtest.h>

#include <functional>

#include "answers.hpp"
#include "segue/isa.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 20261124;
constexpr std::size_t kItems = 1500;  // enough for directions to be trained
constexpr std::size_t kQueries = 9;   // two groups of four and one

struct Data {
  const char* name;
  Vectors (*make)(Random&, std::size_t n, std::size_t dim);
};

Vectors low_rank(Random& random, std::size_t n, std::size_t dim) {
  const std::size_t rank = std::max<std::size_t>(1, dim / 8);
  const Vectors factors = gaussian_vectors(random, n, rank);
  const Vectors basis = gaussian_vectors(random, rank, dim);
  Vectors x(n * dim);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      float sum = 3.0f + 0.05f * gaussian(random);  // far from the origin, and a little noise
      for (std::size_t r = 0; r < rank; ++r) sum += factors[i * rank + r] * basis[r * dim + j];
      x[i * dim + j] = sum;
    }
  }
  return x;
}

// One coordinate dwarfs the others, which alone tell the rows apart: the scale of a code is of no use to them.
Vectors one_large(Random& random, std::size_t n, std::size_t dim) {
  Vectors x = gaussian_vectors(random, n, dim);
  for (std::size_t i = 0; i < n; ++i) x[i * dim] = 1e4f;
  return x;
}

Vectors nearly_equal(Random& random, std::size_t n, std::size_t dim) {
  const Vectors one = gaussian_vectors(random, 1, dim);
  Vectors x(n * dim);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < dim; ++j) x[i * dim + j] = one[j] * (1 + 1e-6f * gaussian(random));
  }
  return x;
}

Vectors few_values(Random& random, std::size_t n, std::size_t dim) {
  Vectors x(n * dim);
  for (float& v : x) v = static_cast<float>(random.next() % 2) + 0.5f;  // ties by the dozen
  return x;
}

const Data kData[] = {
    {"gaussian", gaussian_vectors},
    {"low_rank", low_rank},
    {"wide_norms", [](Random& r, std::size_t n, std::size_t d) { return wide_norm_vectors(r, n, d, 8); }},
    {"clustered", [](Random& r, std::size_t n, std::size_t d) { return clustered_vectors(r, n, d, 30, 0.3f); }},
    {"one_large", one_large},
    {"nearly_equal", nearly_equal},
    {"few_values", few_values},
};

struct Setting {
  std::string set;
  Metric metric;
  Storage storage;
};

class Certified : public ::testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    active_ = std::string(isa::active());
    SEGUE_ASSERT_OK(isa::use(GetParam().set));
    RecordProperty("seed", std::to_string(kSeed));
  }
  void TearDown() override { EXPECT_TRUE(isa::use(active_).ok()); }

  std::unique_ptr<Index> make(std::size_t dim) {
    return make_index({"flat", GetParam().metric, GetParam().storage}, dim);
  }

  std::string active_;
};

TEST_P(Certified, NothingIsMissed) {
  for (const Data& data : kData) {
    for (const std::size_t dim : {8u, 33u, 100u}) {
      SCOPED_TRACE(std::string(data.name) + " of " + std::to_string(dim));
      Random random(kSeed + dim);
      const Vectors items = data.make(random, kItems, dim);
      Vectors queries = data.make(random, kQueries - 1, dim);
      queries.insert(queries.end(), items.begin(), items.begin() + static_cast<std::ptrdiff_t>(dim));  // an item itself
      const auto index = make(dim);
      SEGUE_ASSERT_OK(index->add(MatrixView(items, dim)));
      SEGUE_ASSERT_OK(index->validate());
      const Reference reference = Reference::of(*index);
      Tally tally;
      for (const std::size_t k : {1u, 10u}) {
        ASSERT_NO_FATAL_FAILURE(check_search(*index, reference, MatrixView(queries, dim), k, {}, true, tally));
      }
      // One by one, as serving asks.
      ASSERT_NO_FATAL_FAILURE(check_search(*index, reference, MatrixView(queries, dim).slice(3, 1), 10, {}, true, tally));
    }
  }
}

TEST_P(Certified, NothingIsMissedAfterChanges) {
  constexpr std::size_t kDim = 40;
  Random random(kSeed);
  const auto index = make(kDim);
  Vectors items = low_rank(random, kItems, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(items, kDim)));
  const Vectors queries = low_rank(random, kQueries, kDim);
  Tally tally;
  for (std::size_t round = 0; round < 4; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // What comes is unlike what the directions were made for; some replaces, some is new, some goes.
    const Vectors fresh = gaussian_vectors(random, 300, kDim);
    std::vector<Id> ids(300);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(round * 200 + i * (i % 2 == 0 ? 1 : 7));
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    SEGUE_ASSERT_OK(index->upsert(MatrixView(fresh.data(), ids.size(), kDim), ids));
    std::vector<Id> gone;
    for (Id id = static_cast<Id>(round); id < 1400; id += 5) gone.push_back(id);
    ASSERT_TRUE(index->remove(gone).ok());
    SEGUE_ASSERT_OK(index->validate());
    const Reference reference = Reference::of(*index);
    ASSERT_NO_FATAL_FAILURE(check_search(*index, reference, MatrixView(queries, kDim), 10, {}, true, tally));
    const IdSet even = [] {
      std::vector<Id> listed;
      for (Id id = 0; id < 4000; id += 2) listed.push_back(id);
      return IdSet::from_ids(listed).value();
    }();
    std::vector<Id> out(index->ids());
    out.resize(out.size() / 3);
    ASSERT_NO_FATAL_FAILURE(check_search(*index, reference, MatrixView(queries, kDim), 10,
                                         {.filter = &even, .exclude = {.ids = out}}, true, tally));
    const float threshold = GetParam().metric == Metric::kL2 ? 60.0f : 0.3f;
    ASSERT_NO_FATAL_FAILURE(check_range(*index, reference, MatrixView(queries, kDim), threshold, {}, tally));
  }
}

// The last block of the layout need not be full: what is added then shares it with rows of the smallest norms, and must be
// found all the same.
TEST_P(Certified, WhatComesAfterTheSmallestNormsIsFound) {
  constexpr std::size_t kDim = 33;
  Random random(kSeed);
  for (const std::size_t n : {1025u, 1039u, 1040u}) {
    const auto index = make(kDim);
    const Vectors items = wide_norm_vectors(random, n, kDim, 6);
    SEGUE_ASSERT_OK(index->add(MatrixView(items, kDim)));
    // Long enough to be answers, not so long that norms would no longer fall: 0.45 of the longest, 1000.
    Vectors large = gaussian_vectors(random, 3, kDim);
    for (std::size_t i = 0; i < 3; ++i) {
      double squared = 0;
      for (std::size_t j = 0; j < kDim; ++j) squared += static_cast<double>(large[i * kDim + j]) * large[i * kDim + j];
      for (std::size_t j = 0; j < kDim; ++j) large[i * kDim + j] *= static_cast<float>(450 / std::sqrt(squared));
    }
    SEGUE_ASSERT_OK(index->add(MatrixView(large, kDim)));
    const Reference reference = Reference::of(*index);
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(check_search(*index, reference, MatrixView(large, kDim), 10, {}, true, tally));
  }
}

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const std::string_view set : isa::available()) {
    for (const Metric metric : kAllMetrics) {
      all.push_back({std::string(set), metric, Storage::kF32});
      if (set == isa::available().back()) {
        for (const Storage storage : {Storage::kF16, Storage::kBf16, Storage::kSq8}) all.push_back({std::string(set), metric, storage});
      }
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EverySet, Certified, ::testing::ValuesIn(settings()), [](const auto& which) {
  return which.param.set + "_" + std::string(to_string(which.param.metric)) + "_" +
         std::string(to_string(which.param.storage));
});

}  // namespace
}  // namespace segue::test
