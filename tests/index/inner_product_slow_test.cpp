// Maximum inner product over norms of every spread. What is asked for is exact MIPS, not neighbours on a sphere.

#include <gtest/gtest.h>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kQueries = 100;

struct Spread {
  double decades;
  std::size_t dim;
};

class InnerProduct : public testing::TestWithParam<Spread> {};

double recall_at(const Index& index, MatrixView queries, std::size_t k, std::size_t ef) {
  Tally tally;
  check_search(index, Reference::of(index), queries, k, {.ef = ef}, true, tally);
  return tally.recall();
}

TEST_P(InnerProduct, NormsOverManyDecades) {
  const auto [decades, dim] = GetParam();
  Random random(31);
  const Vectors x = wide_norm_vectors(random, 10'000, dim, decades);
  const Vectors queries = gaussian_vectors(random, kQueries, dim);
  const auto index = make_index({"hnsw", Metric::kInnerProduct, Storage::kF32}, dim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, dim)));
  SEGUE_ASSERT_OK(index->validate());
  for (const std::size_t k : {1u, 10u, 100u}) {
    EXPECT_GE(recall_at(*index, MatrixView(queries, dim), k, 256), 0.99) << "k " << k;
  }
}

// The largest norms may also come last, or be removed: what the index knows of norms follows.
TEST_P(InnerProduct, TheLargestComeAndGo) {
  const auto [decades, dim] = GetParam();
  Random random(37);
  const Vectors x = wide_norm_vectors(random, 3000, dim, decades);
  std::vector<std::pair<double, std::size_t>> by_norm(3000);
  for (std::size_t i = 0; i < 3000; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < dim; ++j) sum += static_cast<double>(x[i * dim + j]) * x[i * dim + j];
    by_norm[i] = {sum, i};
  }
  std::sort(by_norm.begin(), by_norm.end());
  Vectors rising;
  for (const auto& [norm, i] : by_norm) {
    rising.insert(rising.end(), x.begin() + static_cast<std::ptrdiff_t>(i * dim),
                  x.begin() + static_cast<std::ptrdiff_t>((i + 1) * dim));
  }
  const auto index = make_index({"hnsw", Metric::kInnerProduct, Storage::kF32}, dim);
  for (std::size_t first = 0; first < 3000; first += 500) {
    SEGUE_ASSERT_OK(index->add(MatrixView(rising, dim).slice(first, 500)));
    SEGUE_ASSERT_OK(index->validate());
  }
  const Vectors queries = gaussian_vectors(random, kQueries, dim);
  EXPECT_GE(recall_at(*index, MatrixView(queries, dim), 10, 256), 0.99);
  for (Id first = 2999; first > 500; first -= 500) {
    std::vector<Id> gone;
    for (Id id = first; id > first - 500; --id) gone.push_back(id);
    ASSERT_EQ(index->remove(gone).value(), 500U);
    SEGUE_ASSERT_OK(index->validate());
    EXPECT_GE(recall_at(*index, MatrixView(queries, dim), 10, 256), 0.99) << index->size() << " left";
  }
}

// Queries all of whose products are negative, and items that point away from every query.
TEST_P(InnerProduct, NothingButNegativeScores) {
  const std::size_t dim = GetParam().dim;
  Random random(41);
  Vectors x = wide_norm_vectors(random, 2000, dim, GetParam().decades);
  for (float& value : x) value = -std::abs(value);
  Vectors queries = gaussian_vectors(random, kQueries, dim);
  for (float& value : queries) value = std::abs(value);
  const auto index = make_index({"hnsw", Metric::kInnerProduct, Storage::kF32}, dim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, dim)));
  EXPECT_GE(recall_at(*index, MatrixView(queries, dim), 10, 256), 0.99);
}

INSTANTIATE_TEST_SUITE_P(Spreads, InnerProduct,
                         testing::Values(Spread{0, 16}, Spread{1, 32}, Spread{2, 16}, Spread{6, 16}, Spread{8, 16},
                                         Spread{8, 64}, Spread{8, 3}),
                         [](const auto& spread) {
                           return std::to_string(static_cast<int>(spread.param.decades)) + "decades_dim" +
                                  std::to_string(spread.param.dim);
                         });

}  // namespace
}  // namespace segue::test
