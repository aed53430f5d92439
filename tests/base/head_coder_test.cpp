#include "segue/core/head_coder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/dispatch.hpp"

namespace segue {
namespace {

constexpr std::size_t kRows = 600;

// Rows whose energy falls as 1 / (direction + 1), around a centre.
std::vector<float> falling_rows(std::size_t dim) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> axes(dim * dim), x(kRows * dim, 0.5f);
  for (float& a : axes) a = normal(random) / std::sqrt(static_cast<float>(dim));
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t k = 0; k < dim; ++k) {
      const float w = normal(random) / static_cast<float>(k + 1);
      for (std::size_t j = 0; j < dim; ++j) x[i * dim + j] += w * axes[k * dim + j];
    }
  }
  return x;
}

struct Coded {
  explicit Coded(const kernels::KernelTable& table, std::size_t dim)
      : x(falling_rows(dim)),
        coder(HeadCoder::train(table, MatrixView(x, dim), 1)),
        codes(table, Storage::kPca8, coder.head()),
        rest(table, Storage::kSq8, dim),
        slots(kRows) {
    codes.resize(kRows);
    rest.resize(kRows);
    std::iota(slots.begin(), slots.end(), 0u);
    coder.encode(MatrixView(x, dim), slots.data(), codes, &rest, memory);
  }
  std::vector<float> x;
  HeadCoder coder;
  VectorStore codes, rest;
  std::vector<std::uint32_t> slots;
  HeadMemory memory;
};

double distance2(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) sum += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
  return sum;
}

class HeadCoderTest : public ::testing::TestWithParam<const kernels::KernelTable*> {};

INSTANTIATE_TEST_SUITE_P(EverySet, HeadCoderTest,
                         ::testing::ValuesIn(kernels::available_kernels().begin(), kernels::available_kernels().end()),
                         [](const auto& set) { return set.param->name; });

TEST_P(HeadCoderTest, HeadAndRestAreFinerThanHalfPrecision) {
  for (const std::size_t dim : {3u, 30u, 100u, 300u}) {
    Coded c(*GetParam(), dim);
    EXPECT_LE(c.coder.head(), dim);
    EXPECT_EQ(c.codes.stride() % 64, 0u);
    std::vector<float> out(dim), zeros(dim);
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto slot = static_cast<std::uint32_t>(i);
      c.coder.decode(c.codes, &c.rest, {&slot, 1}, out.data(), c.memory);
      const float* row = c.x.data() + i * dim;
      EXPECT_LT(distance2(out.data(), row, dim), 0x1p-22 * distance2(row, zeros.data(), dim)) << dim << " row " << i;
    }
  }
}

TEST_P(HeadCoderTest, ManyAreDecodedAsEachAlone) {
  for (const std::size_t dim : {3u, 100u}) {
    Coded c(*GetParam(), dim);
    // Backwards, some of them twice, and more than go together.
    std::vector<std::uint32_t> slots(c.slots.rbegin(), c.slots.rend());
    slots.insert(slots.end(), {7, 7, 0});
    for (const VectorStore* rest : {static_cast<const VectorStore*>(nullptr), static_cast<const VectorStore*>(&c.rest)}) {
      std::vector<float> together(slots.size() * dim), alone(dim);
      c.coder.decode(c.codes, rest, slots, together.data(), c.memory);
      for (std::size_t i = 0; i < slots.size(); ++i) {
        c.coder.decode(c.codes, rest, {&slots[i], 1}, alone.data(), c.memory);
        for (std::size_t j = 0; j < dim; ++j) ASSERT_EQ(together[i * dim + j], alone[j]) << dim << " row " << i;
      }
    }
  }
}

TEST_P(HeadCoderTest, WalkingScoresAreNearTheDistance) {
  constexpr std::size_t kDim = 100;
  Coded c(*GetParam(), kDim);
  PreparedQuery query;
  std::vector<float> costs(kRows);
  for (std::size_t q = 0; q < 20; ++q) {
    const float* x = c.x.data() + q * kDim;
    c.coder.prepare(x, c.codes, query, c.memory);
    RowScorer(c.codes, RowMetric::kSquaredL2, query.data()).score(c.slots.data(), 300, costs.data());
    for (std::size_t i = 0; i < 300; ++i) {
      const double exact = distance2(x, c.x.data() + i * kDim, kDim);
      // Steps of 1/127 of the largest coordinate, on both sides, and the product of the two rests.
      EXPECT_NEAR(costs[i], exact, 0.05 * exact + 0.1) << i;
    }
  }
}

TEST_P(HeadCoderTest, DecidesByWhatIsDecoded) {
  constexpr std::size_t kDim = 100;
  Coded c(*GetParam(), kDim);
  HeadMemory deciding;
  std::vector<float> out(kDim), zeros(kDim);
  for (std::size_t q = 0; q < 10; ++q) {
    std::vector<float> x(c.x.begin() + static_cast<std::ptrdiff_t>(q * kDim),
                         c.x.begin() + static_cast<std::ptrdiff_t>((q + 1) * kDim));
    x[q] += 0.3f;
    for (const VectorStore* rest : {static_cast<const VectorStore*>(nullptr), static_cast<const VectorStore*>(&c.rest)}) {
      for (const RowMetric metric : {RowMetric::kDot, RowMetric::kSquaredL2}) {
        const HeadDecider decider(c.coder, c.codes, rest, metric, x.data(), deciding);
        for (std::uint32_t slot = 0; slot < 50; ++slot) {
          c.coder.decode(c.codes, rest, {&slot, 1}, out.data(), c.memory);
          double dot = 0;
          for (std::size_t j = 0; j < kDim; ++j) dot += static_cast<double>(x[j]) * out[j];
          const double expected = metric == RowMetric::kDot ? -dot : distance2(x.data(), out.data(), kDim);
          const double size = distance2(x.data(), zeros.data(), kDim) + distance2(out.data(), zeros.data(), kDim);
          EXPECT_NEAR(decider.cost(slot), expected, (8.0 + kDim) * 0x1p-22 * size);
        }
      }
    }
  }
}

TEST_P(HeadCoderTest, AVectorGetsTheSameBytesInAnyCompany) {
  constexpr std::size_t kDim = 100;
  Coded c(*GetParam(), kDim);
  VectorStore codes(*GetParam(), Storage::kPca8, c.coder.head()), rest(*GetParam(), Storage::kSq8, kDim);
  codes.resize(kRows);
  rest.resize(kRows);
  std::size_t first = 0;
  for (const std::size_t n : {1u, 2u, 3u, 5u, 7u, 8u, 9u, 63u, 64u, 65u, 130u}) {
    c.coder.encode(MatrixView(c.x, kDim).slice(first, n), c.slots.data() + first, codes, &rest, c.memory);
    first += n;
  }
  EXPECT_EQ(std::memcmp(codes.rows(), c.codes.rows(), first * codes.stride()), 0);
  EXPECT_EQ(std::memcmp(rest.rows(), c.rest.rows(), first * rest.stride()), 0);
}

}  // namespace
}  // namespace segue
