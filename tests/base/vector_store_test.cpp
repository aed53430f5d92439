// Rows moved about and read in numbers.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/dispatch.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {
namespace {

class VectorStoreTest : public ::testing::TestWithParam<Storage> {};

INSTANTIATE_TEST_SUITE_P(EveryStorage, VectorStoreTest,
                         ::testing::Values(Storage::kF32, Storage::kF16, Storage::kBf16, Storage::kSq8, Storage::kSq4),
                         [](const auto& storage) { return std::string(to_string(storage.param)); });

VectorStore filled(Storage storage, std::size_t n, std::size_t dim) {
  VectorStore store(kernels::active_kernels(), storage, dim);
  store.resize(n);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> row(dim);
  for (std::size_t i = 0; i < n; ++i) {
    for (float& x : row) x = normal(random);
    store.write(i, row.data());
  }
  return store;
}

TEST_P(VectorStoreTest, PermutingMovesEachRowOnce) {
  std::mt19937 random(4);
  for (const std::size_t n : {0u, 1u, 2u, 3u, 50u, 500u}) {
    for (int round = 0; round < 5; ++round) {
      const VectorStore before = filled(GetParam(), n, 19);
      std::vector<std::uint32_t> from(n);
      std::iota(from.begin(), from.end(), 0u);
      if (round > 0) std::shuffle(from.begin(), from.end(), random);
      VectorStore after = before;
      after.permute(from);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(std::equal(after.row(i), after.row(i) + after.stride(), before.row(from[i]))) << n << " row " << i;
      }
    }
  }
}

TEST_P(VectorStoreTest, ManyAreReadAsEachAlone) {
  constexpr std::size_t kDim = 21;
  const VectorStore store = filled(GetParam(), 40, kDim);
  std::vector<float> alone(kDim);
  for (const std::size_t n : {0u, 1u, 7u, 30u}) {
    std::vector<std::uint32_t> slots(n);
    for (std::size_t i = 0; i < n; ++i) slots[i] = static_cast<std::uint32_t>((i * 17 + 39) % 40);
    std::vector<float> together(n * kDim);
    store.read(slots, together.data());
    for (std::size_t i = 0; i < n; ++i) {
      store.read(slots[i], alone.data());
      ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(i * kDim))) << i;
    }
  }
}

}  // namespace
}  // namespace segue
