// tune(): the recall that was asked for is the recall that other queries get; and everything that may be asked.

#include "segue/tune.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "index/answers.hpp"
#include "index/vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kItems = 2500;
constexpr std::size_t kTuneOn = 300;
constexpr std::size_t kHeldOut = 600;

// Few links, so that recall has to be bought.
std::unique_ptr<Index> make_graph(Metric metric, Storage storage, const Vectors& x) {
  auto index = HnswIndex::create(kDim, metric, {.m = 5, .ef_construction = 40, .storage = storage}).value();
  EXPECT_TRUE(index->add(MatrixView(x, kDim)).ok());
  return index;
}

struct Measured {
  double mean = 0;
  double error = 0;  // standard error of the mean
};

Measured measure(const std::vector<Id>& found, const std::vector<Id>& truth, std::size_t k) {
  double sum = 0, squares = 0;
  const std::size_t n = found.size() / k;
  for (std::size_t q = 0; q < n; ++q) {
    double hits = 0;
    for (std::size_t i = 0; i < k; ++i) {
      hits += std::count(truth.begin() + static_cast<std::ptrdiff_t>(q * k),
                         truth.begin() + static_cast<std::ptrdiff_t>((q + 1) * k), found[q * k + i]) > 0;
    }
    sum += hits / static_cast<double>(k);
    squares += hits / static_cast<double>(k) * hits / static_cast<double>(k);
  }
  const auto count = static_cast<double>(n);
  return {sum / count, std::sqrt(std::max(0.0, squares / count - sum / count * sum / count) / count)};
}

// What is true of the vectors as the index stores them.
std::vector<Id> truth_of(const Index& index, MatrixView queries, std::size_t k) {
  const Metric metric = index.metric() == Metric::kCosine ? Metric::kInnerProduct : index.metric();
  auto flat = FlatIndex::create(index.dim(), metric).value();
  const std::vector<Id> ids = index.ids();
  const std::vector<float> rows = index.get(ids).value();
  EXPECT_TRUE(flat->add(MatrixView(rows, index.dim()), ids).ok());
  return flat->search(queries, k)->ids;
}

class Tune : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    Random random(2027);
    constexpr std::size_t kAll = kItems + kTuneOn + kHeldOut;
    Vectors all = GetParam().metric == Metric::kInnerProduct ? wide_norm_vectors(random, kAll, kDim, 2)
                                                             : clustered_vectors(random, kAll, kDim, 50, 0.6f);
    // Clusters come one after the other; items and both kinds of queries are to be of all of them.
    Vectors mixed(all.size());
    constexpr std::size_t kStep = 7;
    static_assert(kAll % kStep != 0);
    for (std::size_t i = 0; i < kAll; ++i) {
      const auto from = static_cast<std::ptrdiff_t>(i * kStep % kAll * kDim);
      std::copy_n(all.begin() + from, kDim, mixed.begin() + static_cast<std::ptrdiff_t>(i * kDim));
    }
    const auto queries_at = mixed.begin() + static_cast<std::ptrdiff_t>(kItems * kDim);
    queries_.assign(queries_at, mixed.end());
    mixed.erase(queries_at, mixed.end());
    index_ = make_graph(GetParam().metric, GetParam().storage, mixed);
  }
  MatrixView tune_on() const { return MatrixView(queries_, kDim).slice(0, kTuneOn); }
  MatrixView held_out() const { return MatrixView(queries_, kDim).slice(kTuneOn, kHeldOut); }

  Vectors queries_;
  std::unique_ptr<Index> index_;
};

// Three standard errors of the held-out mean: the margin of 1.645 errors in the choice comes on top, so a failure by
// chance is a matter of one in ten thousand.
TEST_P(Tune, HeldOutQueriesReachTheRecallAskedFor) {
  for (const double wanted : {0.80, 0.95, 0.99}) {
    SCOPED_TRACE(wanted);
    const Result<Tuning> tuning = tune(*index_, tune_on(), {.k = 10, .recall = wanted});
    ASSERT_TRUE(tuning.ok()) << tuning.status().message();
    ASSERT_TRUE(tuning->reached);
    EXPECT_GE(tuning->expected_recall, wanted);
    EXPECT_GT(tuning->expected_microseconds, 0);
    const std::vector<Id> truth = truth_of(*index_, held_out(), 10);
    const Result<SearchResult> found = index_->search(held_out(), 10, {.recall = wanted});
    ASSERT_TRUE(found.ok()) << found.status().message();
    const Measured held = measure(found->ids, truth, 10);
    EXPECT_GE(held.mean, wanted - 3 * held.error);
    // Four errors of the difference of two samples; what the choice left for the error of its own is 1.645 of those.
    const double own_error = (tuning->expected_recall - wanted) / 1.645;
    EXPECT_NEAR(held.mean, tuning->expected_recall, 4 * std::hypot(own_error, held.error) + 1e-3);
    // It is the search of that ef.
    EXPECT_EQ(found->ids, index_->search(held_out(), 10, {.ef = tuning->effort})->ids);
  }
}

TEST_P(Tune, ASmallerKHoldsByTheSameCurve) {
  ASSERT_TRUE(tune(*index_, tune_on(), {.k = 20, .recall = 0.9}).ok());
  for (const std::size_t k : {1u, 5u, 10u}) {
    const std::vector<Id> truth = truth_of(*index_, held_out(), k);
    const Measured held = measure(index_->search(held_out(), k, {.recall = 0.9})->ids, truth, k);
    EXPECT_GE(held.mean, 0.9 - 3 * held.error) << k;
  }
}

TEST_P(Tune, TheCurveIsInOrderAndKept) {
  const Tuning tuning = tune(*index_, tune_on(), {.k = 10, .recall = 0.9}).value();
  const std::vector<CurvePoint>& points = tuning.curve.points;
  // Under inner product the least effort finds all of so few items; elsewhere more of it finds more.
  ASSERT_GT(points.size(), index_->metric() == Metric::kInnerProduct ? 0u : 2u);
  ASSERT_EQ(tuning.microseconds.size(), points.size());
  EXPECT_EQ(points.front().effort, 10u);
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_GT(points[i].effort, points[i - 1].effort);
    EXPECT_GE(points[i].recall, points[i - 1].recall);
    EXPECT_GE(points[i].recall_low, points[i - 1].recall_low);
  }
  EXPECT_GE(points.back().recall_low, 0.99);
  EXPECT_EQ(tuning.curve.queries, kTuneOn);
  EXPECT_EQ(tuning.curve.items, kItems);
  const std::vector<RecallCurve> kept = index_->recall_curves();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].k, 10u);
  EXPECT_EQ(kept[0].effort_for(0.9), tuning.effort);
}

TEST_P(Tune, TheTruthGivenIsTheTruthUsed) {
  const std::vector<Id> truth = truth_of(*index_, tune_on(), 15);
  const Tuning computed = tune(*index_, tune_on(), {.k = 10, .recall = 0.9}).value();
  const Tuning given = tune(*index_, tune_on(), {.k = 10, .recall = 0.9, .truth = truth}).value();
  ASSERT_EQ(given.curve.points.size(), computed.curve.points.size());
  for (std::size_t i = 0; i < given.curve.points.size(); ++i) {
    EXPECT_NEAR(given.curve.points[i].recall, computed.curve.points[i].recall, 1e-3);  // ties of rounding
  }
  const std::vector<Id> wrong(truth.size(), 1'000'000);
  const Tuning nothing = tune(*index_, tune_on(), {.k = 10, .recall = 0.9, .truth = wrong}).value();
  EXPECT_FALSE(nothing.reached);
  EXPECT_EQ(nothing.expected_recall, 0);
  EXPECT_EQ(nothing.effort, nothing.curve.points.back().effort);
}

TEST_P(Tune, ItemsServeWhereNoQueriesAreGiven) {
  const Tuning tuning = tune(*index_, {}, {.k = 10, .recall = 0.9, .sample = 300}).value();
  EXPECT_TRUE(tuning.reached);
  EXPECT_EQ(tuning.curve.queries, 300u);
  // Under inner product items are no queries, so nothing is promised.
  if (GetParam().metric != Metric::kInnerProduct) {
    const Measured held =
        measure(index_->search(held_out(), 10, {.recall = 0.9})->ids, truth_of(*index_, held_out(), 10), 10);
    EXPECT_GE(held.mean, 0.9 - 3 * held.error);
  }
  const Tuning again = tune(*index_, {}, {.k = 10, .recall = 0.9, .sample = 300}).value();
  EXPECT_EQ(again.effort, tuning.effort);
  const Tuning all = tune(*index_, {}, {.k = 10, .recall = 0.9, .sample = 1'000'000}).value();
  EXPECT_EQ(all.curve.queries, kItems);
}

TEST_P(Tune, TheSameFileOnAnyNumberOfThreads) {
  std::vector<unsigned char> first;
  for (const int threads : {1, 2, 3}) {
    ASSERT_TRUE(tune(*index_, tune_on(), {.k = 10, .recall = 0.9, .threads = threads}).ok());
    const std::vector<unsigned char> bytes = index_->to_bytes().value();
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Tune,
                         testing::Values(IndexCase{"hnsw", Metric::kL2, Storage::kF32},
                                         IndexCase{"hnsw", Metric::kCosine, Storage::kF32},
                                         IndexCase{"hnsw", Metric::kInnerProduct, Storage::kF32},
                                         IndexCase{"hnsw", Metric::kL2, Storage::kSq8}),
                         CaseName());

}  // namespace
}  // namespace segue::test
