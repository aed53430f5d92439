#include "segue/core/projection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.hpp"

namespace segue {
namespace {

constexpr unsigned kSeed = 11;

// n rows whose energy lies in `directions` hidden axes with falling weight, plus noise, around a shifted mean.
std::vector<float> low_rank_rows(std::size_t n, std::size_t dim, std::size_t directions, float noise, float shift) {
  std::mt19937 random(kSeed);
  std::normal_distribution<float> normal;
  std::vector<float> axes(directions * dim), x(n * dim);
  for (float& a : axes) a = normal(random);
  for (std::size_t i = 0; i < n; ++i) {
    float* row = x.data() + i * dim;
    for (std::size_t j = 0; j < dim; ++j) row[j] = shift + noise * normal(random);
    for (std::size_t k = 0; k < directions; ++k) {
      const float w = normal(random) / static_cast<float>(k + 1);
      for (std::size_t j = 0; j < dim; ++j) row[j] += w * axes[k * dim + j];
    }
  }
  return x;
}

class ProjectionTest : public ::testing::TestWithParam<const kernels::KernelTable*> {};

INSTANTIATE_TEST_SUITE_P(EverySet, ProjectionTest, ::testing::ValuesIn(kernels::available_kernels().begin(),
                                                                      kernels::available_kernels().end()),
                         [](const auto& set) { return set.param->name; });

TEST_P(ProjectionTest, FindsTheDirectionsThatHoldTheEnergy) {
  for (const std::size_t dim : {7u, 33u, 200u}) {
    const std::vector<float> x = low_rank_rows(500, dim, 5, 0.01f, 3.0f);
    const Projection p = Projection::train(*GetParam(), MatrixView(x, dim), {.head = 5, .centered = true});
    ASSERT_EQ(p.head(), 5u);
    ASSERT_EQ(p.dim(), dim);
    double held = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      held += p.energies()[i];
      EXPECT_LE(p.energies()[i], p.energies()[i == 0 ? 0 : i - 1]);
    }
    EXPECT_GT(held, 0.999 * p.total_energy()) << "dim " << dim;
    EXPECT_LE(held, 1.00001 * p.total_energy());
    EXPECT_LT(p.defect(), 1e-5);
  }
}

TEST_P(ProjectionTest, HeadAndTailAddUpAndBothFormsAgree) {
  constexpr std::size_t kDim = 70;
  const std::vector<float> x = low_rank_rows(200, kDim, 40, 0.3f, 1.0f);
  const Projection p = Projection::train(*GetParam(), MatrixView(x, kDim), {.head = 20, .centered = true});
  ProjectionMemory memory;
  std::vector<float> heads(200 * 20), tails(200), head(20);
  p.apply(MatrixView(x, kDim), heads.data(), tails.data(), memory);
  for (std::size_t i = 0; i < 200; ++i) {
    const float tail = p.apply(x.data() + i * kDim, head.data(), memory);
    double whole = 0, kept = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      const double d = static_cast<double>(x[i * kDim + j]) - p.centre()[j];
      whole += d * d;
    }
    const double length = std::sqrt(whole);
    for (std::size_t j = 0; j < 20; ++j) {
      double exact = 0;
      for (std::size_t d = 0; d < kDim; ++d) {
        exact += (static_cast<double>(x[i * kDim + d]) - p.centre()[d]) * p.basis()[j * kDim + d];
      }
      // (dim/2 + 16) u for scalar kernels, and u for the subtraction of the centre.
      ASSERT_NEAR(head[j], exact, (kDim / 2.0 + 17) * 0x1p-24 * length);
      ASSERT_NEAR(heads[i * 20 + j], exact, (kDim + 17.0) * 0x1p-24 * length);
      kept += exact * exact;
    }
    EXPECT_NEAR(tail, std::sqrt(whole - kept), 1e-4 * length);
    EXPECT_NEAR(tails[i], tail, 1e-4 * length);
  }
}

TEST_P(ProjectionTest, AnyNumberOfThreadsGivesTheSameBits) {
  const std::vector<float> x = low_rank_rows(700, 150, 60, 0.1f, 0.0f);
  const MatrixView rows(x, 150);
  const Projection one = Projection::train(*GetParam(), rows, {.head = 48, .threads = 1});
  const Projection three = Projection::train(*GetParam(), rows, {.head = 48, .threads = 3});
  ASSERT_EQ(one.basis().size(), three.basis().size());
  EXPECT_EQ(std::memcmp(one.basis().data(), three.basis().data(), one.basis().size() * sizeof(float)), 0);
}

// More directions than the rows span, equal rows, zeros, a single row: still orthonormal.
TEST_P(ProjectionTest, PoorInputStillGivesABasis) {
  const std::vector<float> zeros(20 * 16), same(20 * 16, 2.5f);
  const std::vector<float> flat = low_rank_rows(30, 16, 2, 0.0f, 0.0f);
  for (const std::vector<float>* x : {&zeros, &same, &flat}) {
    for (const bool centered : {false, true}) {
      const Projection p = Projection::train(*GetParam(), MatrixView(*x, 16), {.head = 40, .centered = centered});
      EXPECT_EQ(p.head(), 16u);
      EXPECT_LT(p.defect(), 1e-5);
      for (const double e : p.energies()) EXPECT_GE(e, 0);
    }
  }
  const Projection p = Projection::train(*GetParam(), MatrixView(flat.data(), 1, 16), {.head = 3});
  EXPECT_LT(p.defect(), 1e-5);
  EXPECT_NEAR(p.energies()[0], p.total_energy(), 1e-4 * p.total_energy());
}

TEST_P(ProjectionTest, HugeAndTinyNumbersKeepTheirDirections) {
  for (const float scale : {1e30f, 1e-30f}) {
    std::vector<float> x = low_rank_rows(100, 12, 2, 0.0f, 0.0f);
    for (float& v : x) v *= scale;
    const Projection p = Projection::train(*GetParam(), MatrixView(x, 12), {.head = 2});
    EXPECT_GT(p.energies()[0] + p.energies()[1], 0.999 * p.total_energy()) << scale;
    EXPECT_LT(p.defect(), 1e-5);
  }
}

TEST_P(ProjectionTest, TheIdentityPassesThrough) {
  const std::vector<float> x = low_rank_rows(3, 9, 2, 1.0f, 0.0f);
  const Projection p = Projection::identity(*GetParam(), 9);
  ProjectionMemory memory;
  std::vector<float> heads(27), tails(3, 1.0f);
  p.apply(MatrixView(x, 9), heads.data(), tails.data(), memory);
  EXPECT_EQ(heads, x);
  EXPECT_EQ(tails, std::vector<float>(3));
  EXPECT_EQ(p.apply(x.data(), heads.data(), memory), 0.0f);
  EXPECT_FALSE(p.rotates());
  EXPECT_EQ(p.head(), 9u);
  EXPECT_EQ(p.defect(), 0.0);
}

}  // namespace
}  // namespace segue
