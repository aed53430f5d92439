// What inverted lists promise beyond what every index does: balance, nothing dead to scan, training that can be stopped.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>

#include "index/vectors.hpp"
#include "ivf/centroids.hpp"
#include "kernels/dispatch.hpp"
#include "segue/file.hpp"
#include "segue/ivf.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;

std::unique_ptr<IvfIndex> make(Metric metric, const IvfOptions& options, const Vectors& x) {
  auto index = IvfIndex::create(kDim, metric, options).value();
  EXPECT_TRUE(index->add(MatrixView(x, kDim)).ok());
  return index;
}

double figure(const Index& index, const std::string& name) {
  for (const auto& [key, value] : index.stats()) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no figure " << name;
  return 0;
}

// Norms over four decades heap thousands of rows around zero, where k-means sees one list.
TEST(Lists, NoListIsTwentyTimesTheMean) {
  constexpr std::size_t kItems = kSanitized ? 5000 : 20000;
  for (const double decades : {0.0, 2.0, 4.0, 6.0}) {
    SCOPED_TRACE(decades);
    Random random(11);
    const Vectors x = wide_norm_vectors(random, kItems, kDim, decades);
    for (const Metric metric : {Metric::kInnerProduct, Metric::kL2, Metric::kCosine}) {
      const auto index = make(metric, {}, x);
      const double mean = static_cast<double>(kItems) / static_cast<double>(index->nlist());
      EXPECT_LT(figure(*index, "longest list"), 20 * mean) << to_string(metric);
    }
  }
}

TEST(Lists, WhatWasRemovedIsNotScanned) {
  Random random(12);
  const Vectors x = clustered_vectors(random, 8000, kDim, 40, 0.4f);
  const auto index = make(Metric::kL2, {.nlist = 64}, x);
  std::vector<Id> ids = index->ids();
  std::vector<QueryStats> stats(1);
  const auto scanned = [&] {
    EXPECT_TRUE(index->search(MatrixView(x, kDim).slice(0, 1), 10, {.nprobe = 64, .stats = stats}).ok());
    return stats[0].visited;
  };
  EXPECT_GE(scanned(), 8000u);
  std::erase_if(ids, [](Id id) { return id % 10 == 0; });
  EXPECT_EQ(index->remove(ids).value(), 7200u);
  EXPECT_LE(scanned(), 800u + 64 * 16) << "800 rows, and what whole blocks add to each list";
  ASSERT_TRUE(index->validate().ok());
  // Turned over several times, neither scans nor memory grow.
  std::size_t memory = 0;
  for (int round = 0; round < 8; ++round) {
    std::vector<Id> some = index->ids();
    EXPECT_EQ(index->remove(some).value(), some.size());
    EXPECT_TRUE(index->add(MatrixView(x, kDim).slice(0, 4000)).ok());
    if (round == 1) memory = index->memory_usage();
  }
  EXPECT_LE(scanned(), 4000u + 64 * 16);
  EXPECT_LE(index->memory_usage(), memory + memory / 4);
  ASSERT_TRUE(index->validate().ok());
}

// Stopped wherever progress is asked: the same bytes as before.
TEST(Lists, ACancelledCallChangesNothing) {
  Random random(13);
  const Vectors x = gaussian_vectors(random, 3000, kDim);
  const auto index = make(Metric::kCosine, {}, Vectors(x.begin(), x.begin() + 400 * kDim));
  const std::vector<unsigned char> before = index->to_bytes().value();
  const MatrixView rest = MatrixView(x, kDim).slice(400, 2600);  // enough to be trained anew
  std::size_t stopped = 0;
  for (;; ++stopped) {
    std::size_t calls = 0;
    const AddOptions options{.progress = [&](std::size_t done, std::size_t total) {
      EXPECT_LE(done, total);
      return calls++ != stopped;
    }};
    const Status status = index->add(rest, {}, options);
    if (status.ok()) break;
    EXPECT_EQ(status.code(), StatusCode::kCancelled);
    ASSERT_EQ(index->to_bytes().value(), before) << "stopped at call " << stopped;
  }
  EXPECT_GT(stopped, 5u);
  EXPECT_EQ(index->size(), 3000u);
}

TEST(Lists, TrainingThatIsStoppedChangesNothing) {
  Random random(14);
  const Vectors x = gaussian_vectors(random, 2000, kDim);
  const auto index = make(Metric::kL2, {.nlist = 40}, x);
  const std::vector<unsigned char> before = index->to_bytes().value();
  for (std::size_t at = 0; at < 8; ++at) {
    std::size_t calls = 0;
    const AddOptions options{.progress = [&](std::size_t, std::size_t) { return calls++ != at; }};
    EXPECT_EQ(index->train(MatrixView(x, kDim).slice(0, 1000), options).code(), StatusCode::kCancelled);
    ASSERT_EQ(index->to_bytes().value(), before) << at;
  }
  EXPECT_EQ(index->train(MatrixView(x, kDim), {.threads = -1}).code(), StatusCode::kInvalidArgument);
}

TEST(Lists, ADamagedFileIsNotTrainedOn) {
  Random random(15);
  const Vectors x = gaussian_vectors(random, 2000, kDim);
  const TemporaryFolder folder;
  const std::string path = folder.file("lists.segue");
  ASSERT_TRUE(make(Metric::kL2, {.nlist = 40, .storage = Storage::kF32}, x)->save(path).ok());
  const FileInfo info = inspect(path).value();
  const auto scales = std::find_if(info.sections.begin(), info.sections.end(),
                                   [](const auto& section) { return section.name == "code_scales"; });
  ASSERT_NE(scales, info.sections.end());
  std::vector<unsigned char> bytes = read_bytes(path);
  bytes[scales->offset + 3] ^= 0x41;
  std::unique_ptr<Index> damaged = load_bytes(bytes, false).value();
  EXPECT_TRUE(damaged->search(MatrixView(x, kDim).slice(0, 5), 10).ok());
  const Status status = static_cast<IvfIndex&>(*damaged).train(MatrixView(x, kDim));
  EXPECT_EQ(status.code(), StatusCode::kCorruptFile) << status.message();
  EXPECT_EQ(damaged->size(), 2000u);
}

// Codes of eight bits choose; near ties may fall either way, no more.
TEST(Centroids, RowsGoToTheNearest) {
  Random random(16);
  Vectors centres = gaussian_vectors(random, 300, kDim);
  Vectors rows = gaussian_vectors(random, 500, kDim);
  // Around zero, and far from it.
  for (const float moved : {0.0f, 20.0f}) {
    for (float& x : centres) x += moved;
    for (float& x : rows) x += moved;
    const Centroids centroids(kernels::active_kernels(), MatrixView(centres, kDim));
    EXPECT_EQ(centroids.mean()[0] != 0, moved != 0);
    std::vector<std::uint32_t> lists(500);
    centroids.assign(MatrixView(rows, kDim), lists.data(), 2);
    for (std::size_t i = 0; i < 500; ++i) {
      const auto distance = [&](std::size_t c) {
        double sum = 0;
        for (std::size_t j = 0; j < kDim; ++j) {
          const double d = static_cast<double>(rows[i * kDim + j]) - centres[c * kDim + j];
          sum += d * d;
        }
        return sum;
      };
      double least = distance(0);
      for (std::size_t c = 1; c < 300; ++c) least = std::min(least, distance(c));
      ASSERT_LE(distance(lists[i]), 1.05 * least) << i;
    }
  }
}

TEST(Centroids, RankingIsByWorth) {
  Random random(17);
  const Vectors centres = gaussian_vectors(random, 300, kDim);
  const Vectors query = gaussian_vectors(random, 5, kDim);  // more than go together
  const Centroids centroids(kernels::active_kernels(), MatrixView(centres, kDim));
  std::vector<float> spread(centroids.places());
  for (float& s : spread) s = static_cast<float>(uniform(random));
  std::vector<unsigned char> barred(300);
  for (unsigned char& b : barred) b = random.below(3) == 0;
  const float* queries[5];
  for (std::size_t q = 0; q < 5; ++q) queries[q] = query.data() + q * kDim;
  RankMemory memory;
  for (const bool nearest : {false, true}) {
    for (const bool bars : {false, true}) {
      for (const std::size_t wanted : {1u, 7u, 64u, 300u}) {
        SCOPED_TRACE(std::to_string(nearest) + std::to_string(bars) + " " + std::to_string(wanted));
        const auto open = static_cast<std::size_t>(std::count(barred.begin(), barred.end(), 0));
        const std::size_t count = std::min<std::size_t>(wanted, bars ? open : 300);
        ListWorth worth{.bonus = nearest ? centroids.nearness() : spread, .by_norm = !nearest};
        if (bars) worth.barred = barred;
        std::vector<std::uint32_t> lists(5 * count);
        centroids.rank(queries, worth, count, memory, lists.data());
        for (std::size_t q = 0; q < 5; ++q) {
          std::vector<double> each(300), sorted;
          double length = 0;
          for (std::size_t j = 0; j < kDim; ++j) length += static_cast<double>(queries[q][j]) * queries[q][j];
          for (std::size_t c = 0; c < 300; ++c) {
            each[c] = nearest ? 0 : std::sqrt(length) * static_cast<double>(spread[c]);
            for (std::size_t j = 0; j < kDim; ++j) {
              const double x = centres[c * kDim + j];
              each[c] += nearest ? -(queries[q][j] - x) * (queries[q][j] - x) / 2 : queries[q][j] * x;
            }
            if (!bars || barred[c] == 0) sorted.push_back(each[c]);
          }
          std::sort(sorted.begin(), sorted.end(), std::greater<>());
          std::vector<std::uint32_t> own(lists.begin() + static_cast<std::ptrdiff_t>(q * count),
                                         lists.begin() + static_cast<std::ptrdiff_t>((q + 1) * count));
          for (std::size_t i = 0; i < count; ++i) {
            ASSERT_TRUE(!bars || barred[own[i]] == 0);
            ASSERT_NEAR(each[own[i]], sorted[i], 0.3) << "at " << i;
          }
          std::sort(own.begin(), own.end());
          EXPECT_EQ(std::unique(own.begin(), own.end()), own.end());
        }
      }
    }
  }
}

// Even of a query whose numbers overflow, or are none at all, as many lists as are wanted, each once.
TEST(Centroids, EveryQueryGetsItsLists) {
  Random random(18);
  const Vectors centres = gaussian_vectors(random, 100, kDim);
  const Centroids centroids(kernels::active_kernels(), MatrixView(centres, kDim));
  RankMemory memory;
  for (const float size : {0.0f, 1e-44f, 1e-30f, 1e30f, 3e38f}) {
    const std::vector<float> query(kDim, size);
    const float* queries[] = {query.data()};
    std::vector<std::uint32_t> lists(100);
    centroids.rank(queries, {.bonus = centroids.nearness()}, 100, memory, lists.data());
    std::sort(lists.begin(), lists.end());
    for (std::uint32_t l = 0; l < 100; ++l) ASSERT_EQ(lists[l], l) << size;
  }
}

}  // namespace
}  // namespace segue::test
