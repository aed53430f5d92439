// How many directions codes keep: few where few say all, all where somebody may ask in those left out.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "codes/choose_head.hpp"
#include "index/vectors.hpp"
#include "kernels/dispatch.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kRows = 4000;
constexpr std::size_t kScanned = 100'000;

// Direction j has the energy (j + 1)^-fall.
Vectors falling(Random& random, std::size_t dim, double fall) {
  Vectors x = gaussian_vectors(random, kRows, dim);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] *= static_cast<float>(std::pow(static_cast<double>(i % dim + 1), -fall / 2));
  }
  return x;
}

enum class Wanted { kCheapest, kAny };

std::size_t head_of(const Vectors& x, std::size_t dim, RowMetric metric, Wanted wanted, int threads = 1) {
  const MatrixView rows(x, dim);
  const Projection projection =
      Projection::train(kernels::active_kernels(), rows, {.head = dim, .centered = true, .threads = 1});
  return choose_head(kernels::active_kernels(), projection, metric, rows, {.rows = kScanned, .whole = wanted == Wanted::kAny}, threads);
}

TEST(ChooseHead, FollowsTheEnergies) {
  Random random(51);
  for (const RowMetric metric : {RowMetric::kDot, RowMetric::kSquaredL2}) {
    SCOPED_TRACE(metric == RowMetric::kDot);
    EXPECT_EQ(head_of(falling(random, 96, 0), 96, metric, Wanted::kCheapest), 96u);
    const std::size_t some = head_of(falling(random, 96, 2), 96, metric, Wanted::kCheapest);
    EXPECT_LT(some, 64u);
    EXPECT_LT(head_of(falling(random, 96, 4), 96, metric, Wanted::kCheapest), some);
    EXPECT_EQ(head_of(falling(random, 30, 0), 30, metric, Wanted::kCheapest), 30u);
  }
}

TEST(ChooseHead, TakesAllWhereThatCostsLittleMore) {
  Random random(52);
  const Vectors x = falling(random, 96, 1);
  const std::size_t cheapest = head_of(x, 96, RowMetric::kDot, Wanted::kCheapest);
  EXPECT_LT(cheapest, 96u);
  EXPECT_EQ(head_of(x, 96, RowMetric::kDot, Wanted::kAny), 96u);
}

// Of a projection that has few directions either those, or none: all coordinates.
TEST(ChooseHead, LeavesAProjectionThatMissesTooMuch) {
  Random random(55);
  constexpr std::size_t kDim = 96;
  for (const RowMetric metric : {RowMetric::kDot, RowMetric::kSquaredL2}) {
    for (const double fall : {0.0, 4.0}) {
      const Vectors x = falling(random, kDim, fall);
      const MatrixView rows(x, kDim);
      const Projection few = Projection::train(kernels::active_kernels(), rows, {.head = 16, .centered = true, .threads = 1});
      const std::size_t head = choose_head(kernels::active_kernels(), few, metric, rows, {.rows = kScanned}, 1);
      EXPECT_EQ(head == 0, fall == 0);
      EXPECT_NE(choose_head(kernels::active_kernels(), few, metric, rows, {.rows = kScanned, .whole = false}, 1), 0u);
    }
  }
}

// Lists' rows are differences, which say less of a query than it has: what it lacks in the directions kept is its own.
TEST(ChooseHead, BoundsGoByWhoAsks) {
  Random random(56);
  constexpr std::size_t kDim = 96;
  const Vectors x = falling(random, kDim, 3), others = gaussian_vectors(random, kRows, kDim);
  const MatrixView rows(x, kDim);
  const Projection projection =
      Projection::train(kernels::active_kernels(), rows, {.head = kDim, .centered = false, .threads = 1});
  const auto query = [&](std::size_t i, float* out) { std::copy_n(others.data() + i * kDim, kDim, out); };
  for (const RowMetric metric : {RowMetric::kDot, RowMetric::kSquaredL2}) {
    const auto head = [&](const HeadScan& scan) {
      return choose_head(kernels::active_kernels(), projection, metric, rows, scan, 1);
    };
    EXPECT_GE(head({.rows = 2048, .query = query}), head({.rows = 2048}) + 16);
  }
}

TEST(ChooseHead, SeesTheFewThatLieApart) {
  Random random(53);
  constexpr std::size_t kDim = 96;
  Vectors x = falling(random, kDim, 4);
  const std::size_t without = head_of(x, kDim, RowMetric::kDot, Wanted::kCheapest);
  // One row in 25 lies in all directions alike.
  for (std::size_t i = 0; i < kRows; i += 25) {
    for (std::size_t j = 0; j < kDim; ++j) x[i * kDim + j] = 0.15f * gaussian(random);
  }
  EXPECT_GT(head_of(x, kDim, RowMetric::kDot, Wanted::kCheapest), without + 16);
}

TEST(ChooseHead, IsTheSameOnAnyNumberOfThreads) {
  Random random(54);
  const Vectors x = falling(random, 64, 1.5);
  const std::size_t one = head_of(x, 64, RowMetric::kSquaredL2, Wanted::kCheapest);
  for (const int threads : {2, 3, 7}) EXPECT_EQ(head_of(x, 64, RowMetric::kSquaredL2, Wanted::kCheapest, threads), one);
}

}  // namespace
}  // namespace segue::test
