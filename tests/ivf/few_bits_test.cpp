// Lists of codes of one to eight bits: what they find, what their scores are of, what they take, and that they are an index.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"
#include "segue/recall.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kItems = kSanitized ? 1500 : 4000, kQueries = 40;
constexpr std::size_t kDim = 48;
constexpr std::size_t kAll = 1 << 20;

using Lists = std::unique_ptr<IvfIndex>;

Lists make(Metric metric, unsigned bits, const Vectors& x, Storage rerank = Storage::kAuto) {
  auto index = IvfIndex::create(kDim, metric, {.storage = rabitq_storage(bits), .rerank = rerank, .seed = 3}).value();
  EXPECT_TRUE(index->add(MatrixView(x, kDim)).ok());
  EXPECT_EQ(index->storage(), rabitq_storage(bits));
  return index;
}

// Neighbours within clusters, directions that differ little or much.
struct Data {
  Vectors items, queries;
};

Data make_data(bool steep, unsigned seed) {
  Random random(seed);
  Data data;
  data.items = clustered_vectors(random, kItems + kQueries, kDim, 40, 0.7f);
  for (std::size_t i = 0; steep && i < data.items.size(); ++i) {
    data.items[i] *= std::exp(-0.15f * static_cast<float>(i % kDim));
  }
  data.queries.assign(data.items.begin() + kItems * kDim, data.items.end());
  data.items.resize(kItems * kDim);
  return data;
}

double recall_of(const Index& index, const Data& data, Metric metric) {
  auto exact = FlatIndex::create(kDim, metric).value();
  EXPECT_TRUE(exact->add(MatrixView(data.items, kDim)).ok());
  const MatrixView queries(data.queries, kDim);
  const SearchResult truth = exact->search(queries, 10).value();
  const SearchResult found = index.search(queries, 10, {.nprobe = kAll}).value();
  return recall(found.ids, 10, truth.ids, 10, 10).value();
}

TEST(FewBits, MoreBitsFindMore) {
  for (const Metric metric : kAllMetrics) {
    for (const bool steep : {false, true}) {
      SCOPED_TRACE(std::string(to_string(metric)) + (steep ? ", steep" : ""));
      const Data data = make_data(steep, 5);
      double before = 0;
      std::map<unsigned, double> found;
      for (unsigned bits = 1; bits <= 8; bits += kSanitized && bits == 4 ? 4 : 1) {
        found[bits] = recall_of(*make(metric, bits, data.items), data, metric);
        EXPECT_GE(found[bits], before - 0.03) << bits << " bits";
        before = found[bits];
      }
      EXPECT_GT(found[1], steep ? 0.55 : 0.4);
      EXPECT_GT(found[4], 0.88);
      EXPECT_GT(found[8], 0.98);
      // Directions that matter take the bits of those that do not.
      EXPECT_GT(found[2], steep ? 0.8 : 0.55);
    }
  }
}

// For products codes decide by themselves: with all lists the answers are the true best of what get() returns.
TEST(FewBits, ProductsAreThoseOfWhatIsKept) {
  const Data data = make_data(true, 6);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine}) {
    for (const unsigned bits : {1u, 3u, 4u, 7u}) {
      const Lists index = make(metric, bits, data.items);
      const std::vector<Id> ids = index->ids();
      const std::vector<float> kept = index->get(ids).value();
      const SearchResult found = index->search(MatrixView(data.queries, kDim), 10, {.nprobe = kAll}).value();
      for (std::size_t q = 0; q < kQueries; ++q) {
        std::vector<double> query(data.queries.begin() + static_cast<std::ptrdiff_t>(q * kDim),
                                  data.queries.begin() + static_cast<std::ptrdiff_t>((q + 1) * kDim));
        double length = 0;
        for (const double x : query) length += x * x;
        for (double& x : query) x /= metric == Metric::kCosine ? std::sqrt(length) : 1;
        std::vector<double> scores;
        std::map<Id, double> of;
        for (std::size_t i = 0; i < ids.size(); ++i) {
          double sum = 0;
          for (std::size_t j = 0; j < kDim; ++j) sum += query[j] * kept[i * kDim + j];
          scores.push_back(sum);
          of[ids[i]] = sum;
        }
        std::sort(scores.begin(), scores.end(), std::greater<>());
        for (std::size_t k = 0; k < 10; ++k) {
          const double tolerance = 3e-5 * std::max(1.0, std::sqrt(length));
          ASSERT_NEAR(found.scores[q * 10 + k], scores[k], tolerance) << bits << " bits, place " << k;
          ASSERT_NEAR(found.scores[q * 10 + k], of[found.ids[q * 10 + k]], tolerance);
        }
      }
    }
  }
}

// Under l2 lengths are known, and what codes get wrong lies across the row: an item that asks finds itself, at zero.
TEST(FewBits, AnItemIsNearToItself) {
  const Data data = make_data(false, 7);
  for (const unsigned bits : {1u, 2u, 5u}) {
    const Lists index = make(Metric::kL2, bits, data.items);
    const SearchResult found = index->search(MatrixView(data.items, kDim).slice(0, 200), 1, {.nprobe = kAll}).value();
    std::size_t right = 0;
    for (std::size_t i = 0; i < 200; ++i) {
      right += found.ids[i] == static_cast<Id>(i);
      EXPECT_LT(found.scores[i], 0.05f) << "of squared distances of some twenty";
    }
    EXPECT_GT(right, 190U) << bits << " bits";
  }
}

// Codes rule out with a bound that may fail once in 30,000 rows; what they leave over decides.
TEST(FewBits, WhatIsLeftOverDecides) {
  for (const Metric metric : kAllMetrics) {
    for (const bool steep : {false, true}) {
      const Data data = make_data(steep, 8);
      for (const unsigned bits : {1u, 2u, 4u, 6u}) {
        SCOPED_TRACE(std::string(to_string(metric)) + ", " + std::to_string(bits) + " bits");
        EXPECT_GT(recall_of(*make(metric, bits, data.items, Storage::kSq8), data, metric), bits < 2 ? 0.97 : 0.985);
        EXPECT_GT(recall_of(*make(metric, bits, data.items, Storage::kSq4), data, metric), bits < 2 ? 0.85 : 0.93);
      }
    }
  }
}

TEST(FewBits, TakeWhatTheyShould) {
  Random random(9);
  constexpr std::size_t kWide = 256, kMany = kSanitized ? 3000 : 8000;
  const Vectors x = clustered_vectors(random, kMany, kWide, 40, 0.7f);
  std::size_t before = 0;
  for (const unsigned bits : {1u, 4u, 8u}) {
    auto index = IvfIndex::create(kWide, Metric::kCosine, {.nlist = 32, .storage = rabitq_storage(bits)}).value();
    SEGUE_ASSERT_OK(index->add(MatrixView(x, kWide)));
    // Codes; scale, slot, place, bounds, the id and the way back; blocks that are not full; centres and directions.
    const std::size_t fixed = 32 * 3 * 4 * kWide + 3 * 4 * kWide * kWide;
    EXPECT_LT(index->memory_usage(), kMany * (kWide * bits / 8 + 40) * 11 / 10 + fixed) << bits;
    EXPECT_GT(index->memory_usage(), before);
    before = index->memory_usage();
  }
}

TEST(FewBits, ComeBackFromAFile) {
  const Data data = make_data(true, 10);
  const MatrixView queries(data.queries, kDim);
  const TemporaryFolder folder;
  for (const Metric metric : kAllMetrics) {
    for (const auto& [bits, rerank] : {std::pair{1u, Storage::kAuto}, {3u, Storage::kSq4}, {8u, Storage::kAuto}}) {
      SCOPED_TRACE(std::string(to_string(metric)) + ", " + std::to_string(bits) + " bits");
      const Lists index = make(metric, bits, data.items, rerank);
      const std::string path = folder.file("few.segue");
      SEGUE_ASSERT_OK(index->save(path));
      for (const bool mmap : {false, true}) {
        const auto loaded = load(path, {.mmap = mmap}).value();
        EXPECT_EQ(loaded->storage(), rabitq_storage(bits));
        SEGUE_ASSERT_OK(loaded->validate());
        const SearchResult a = index->search(queries, 10).value(), b = loaded->search(queries, 10).value();
        EXPECT_EQ(a.ids, b.ids);
        EXPECT_EQ(a.scores, b.scores);
        EXPECT_EQ(index->get(index->ids()).value(), loaded->get(index->ids()).value());
        // It goes on: what is added to either is coded alike.
        SEGUE_ASSERT_OK(loaded->upsert(MatrixView(data.items, kDim).slice(0, 50), [] {
          std::vector<Id> ids;
          for (Id id = 100; id < 150; ++id) ids.push_back(id);
          return ids;
        }()));
        SEGUE_ASSERT_OK(loaded->validate());
      }
    }
  }
}

TEST(FewBits, AreTheSameOnAnyNumberOfThreads) {
  const Data data = make_data(true, 11);
  std::vector<unsigned char> one;
  for (const int threads : {1, 3}) {
    auto index = IvfIndex::create(kDim, Metric::kInnerProduct, {.storage = Storage::kRabitq3}).value();
    SEGUE_ASSERT_OK(index->add(MatrixView(data.items, kDim), {}, {.threads = threads}));
    const auto bytes = index->to_bytes().value();
    if (one.empty()) one = bytes;
    EXPECT_TRUE(bytes == one);
  }
}

TEST(FewBits, AreForLists) {
  for (const Status& refused : {FlatIndex::create(8, Metric::kL2, {.storage = Storage::kRabitq4}).status(),
                                HnswIndex::create(8, Metric::kL2, {.storage = Storage::kRabitq4}).status(),
                                HnswIndex::create(8, Metric::kL2, {.rerank = Storage::kRabitq8}).status(),
                                IvfIndex::create(8, Metric::kL2, {.storage = Storage::kRabitq4, .rerank = Storage::kF32}).status(),
                                IvfIndex::create(8, Metric::kL2, {.storage = Storage::kF32, .rerank = Storage::kRabitq1}).status()}) {
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("rabitq"), std::string::npos) << refused.message();
  }
  // Codes of codes would lose what they know.
  const Data data = make_data(false, 12);
  const Lists index = make(Metric::kL2, 4, data.items);
  EXPECT_EQ(index->train(MatrixView(data.items, kDim)).code(), StatusCode::kUnsupported);
}

}  // namespace
}  // namespace segue::test
