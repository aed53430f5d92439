// Orders of insertion that break naive graphs: sorted along an axis, cluster after cluster, a line, one by one.

#include <gtest/gtest.h>

#include <numeric>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kItems = 10'000;

class InsertionOrder : public testing::TestWithParam<Metric> {
 protected:
  void expect_recall(const Vectors& x, const Vectors& queries, std::size_t batch, double floor) {
    const auto index = make_index({"hnsw", GetParam(), Storage::kF32}, kDim);
    const MatrixView view(x, kDim);
    for (std::size_t first = 0; first < view.rows(); first += batch) {
      SEGUE_ASSERT_OK(index->add(view.slice(first, std::min(batch, view.rows() - first))));
    }
    SEGUE_ASSERT_OK(index->validate());
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(
        check_search(*index, Reference::of(*index), MatrixView(queries, kDim), 10, {.ef = 128}, true, tally));
    EXPECT_GE(tally.recall(), floor);
  }

  Random random_{51};
};

TEST_P(InsertionOrder, SortedAlongAnAxis) {
  Vectors x = gaussian_vectors(random_, kItems, kDim);
  std::vector<std::size_t> order(kItems);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a * kDim] < x[b * kDim]; });
  Vectors sorted;
  for (const std::size_t i : order) sorted.insert(sorted.end(), &x[i * kDim], &x[i * kDim] + kDim);
  const Vectors queries = gaussian_vectors(random_, 50, kDim);
  expect_recall(sorted, queries, kItems, 0.98);
  expect_recall(sorted, queries, 1000, 0.98);
}

// Tight and far apart: a graph that links nearest only falls into islands.
TEST_P(InsertionOrder, ClusterAfterCluster) {
  const Vectors x = clustered_vectors(random_, kItems, kDim, 100, 0.01F);
  Vectors queries;
  for (std::size_t i = 0; i < kItems; i += 100) {
    for (std::size_t j = 0; j < kDim; ++j) queries.push_back(x[(i + 50) * kDim + j] + 0.002F * gaussian(random_));
  }
  expect_recall(x, queries, kItems, 0.98);
  // A cluster a call: later ones are reached through few links. Measured 0.90 to 0.92; hnswlib 0.83 on such data.
  expect_recall(x, queries, 100, 0.85);
}

TEST_P(InsertionOrder, AlongALine) {
  Vectors x(kItems * kDim);
  const Vectors a = gaussian_vectors(random_, 1, kDim);
  const Vectors b = gaussian_vectors(random_, 1, kDim);
  for (std::size_t i = 0; i < kItems; ++i) {
    const float t = static_cast<float>(i) / kItems;
    for (std::size_t j = 0; j < kDim; ++j) x[i * kDim + j] = a[j] + t * b[j];
  }
  Vectors queries;
  for (std::size_t i = 5; i < kItems; i += 200) queries.insert(queries.end(), &x[i * kDim], &x[i * kDim] + kDim);
  expect_recall(x, queries, kItems, 0.98);
}

TEST_P(InsertionOrder, OneByOne) {
  const Vectors x = gaussian_vectors(random_, 2000, kDim);
  expect_recall(x, gaussian_vectors(random_, 50, kDim), 1, 0.98);
}

// The worst of both: no call sees more than one item, and clusters come one after another. Measured 0.80 to 0.94 over
// four seeds; hnswlib 0.89 on such data.
TEST_P(InsertionOrder, OneByOneClusterAfterCluster) {
  const Vectors x = clustered_vectors(random_, 2000, kDim, 20, 0.1F);
  expect_recall(x, gaussian_vectors(random_, 50, kDim), 1, 0.7);
}

INSTANTIATE_TEST_SUITE_P(Metrics, InsertionOrder, testing::ValuesIn(kAllMetrics),
                         [](const auto& metric) { return std::string(to_string(metric.param)); });

}  // namespace
}  // namespace segue::test
