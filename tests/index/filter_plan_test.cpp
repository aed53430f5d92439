// Filters on a graph that is large enough to plan: packed codes, regions, walks, and scans by norm, against a slow reference.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "answers.hpp"
#include "support/sanitized.hpp"
#include "vectors.hpp"

#include "segue/file.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 20;
constexpr std::size_t kItems = 6000;
constexpr std::size_t kQueries = kSanitized ? 4 : 12;

class FilterPlan : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    SCOPED_TRACE("seed " + std::to_string(kSeed));
    index_ = make_index(GetParam(), kDim);
    x_ = clustered_vectors(random_, kItems, kDim, 60, 0.5F);
    std::vector<Id> ids(kItems);
    for (std::size_t i = 0; i < kItems; ++i) ids[i] = static_cast<Id>(2 * i);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x_, kDim), ids));
    queries_ = clustered_vectors(random_, kQueries, kDim, 60, 0.5F);
    for (std::size_t q = 0; q < kQueries; ++q) {
      // Near an item, as searches are; clusters of their own would all be far away.
      const float* near = x_.data() + random_.below(kItems) * kDim;
      for (std::size_t j = 0; j < kDim; ++j) queries_[q * kDim + j] = near[j] + 0.3F * gaussian(random_);
    }
    refresh();
  }

  void refresh() { reference_.emplace(Reference::of(*index_)); }

  IdSet random_filter(std::size_t n) {
    std::vector<Id> ids = index_->ids();
    for (std::size_t i = 0; i < n; ++i) std::swap(ids[i], ids[i + random_.below(ids.size() - i)]);
    ids.resize(n);
    return IdSet::from_ids(ids).value();
  }
  // Those at one end of the first coordinate: far from most queries.
  IdSet skewed_filter(std::size_t n) {
    std::vector<std::pair<float, Id>> along;
    for (const auto& [id, x] : reference_->items()) along.emplace_back(x[0], id);
    std::sort(along.begin(), along.end());
    std::vector<Id> ids;
    for (std::size_t i = 0; i < n; ++i) ids.push_back(along[i].second);
    return IdSet::from_ids(ids).value();
  }

  // Each alone and all together give the same.
  double recall_of(const SearchOptions& options, std::size_t k) {
    Tally tally;
    const MatrixView queries(queries_, kDim);
    check_search(*index_, *reference_, queries, k, options, true, tally);
    const SearchResult all = index_->search(queries, k, options).value();
    for (std::size_t q = 0; q < 3; ++q) {
      SearchOptions one = options;
      one.exclude = {options.exclude.of(q), {}};
      const SearchResult single = index_->search(queries.slice(q, 1), k, one).value();
      EXPECT_TRUE(std::equal(single.ids.begin(), single.ids.end(), all.ids.begin() + static_cast<std::ptrdiff_t>(q * k)));
    }
    return tally.recall();
  }

  static constexpr std::uint64_t kSeed = 23;
  Random random_{kSeed};
  Vectors x_, queries_;
  std::unique_ptr<Index> index_;
  std::optional<Reference> reference_;
};

TEST_P(FilterPlan, EveryShareAtRandomAndAgainstTheQuery) {
  for (const std::size_t n : {0u, 1u, 5u, 60u, 180u, 400u, 1500u, 3000u, 4500u, 5900u, 6000u}) {
    SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(kItems));
    const IdSet drawn = random_filter(n);
    const IdSet skewed = skewed_filter(n);
    for (const std::size_t k : {1u, 10u, 60u}) {
      SCOPED_TRACE("k " + std::to_string(k));
      EXPECT_GE(recall_of({.ef = 100, .filter = &drawn}, k), 0.98);
      EXPECT_GE(recall_of({.ef = 100, .filter = &skewed}, k), 0.95) << "skewed";
      if (HasFatalFailure()) return;
    }
    // What is far from everything is found as well, by looking at all.
    EXPECT_GE(recall_of({.ef = 6000, .filter = &skewed}, 10), 0.999);
  }
}

TEST_P(FilterPlan, KeptPlansFollowChanges) {
  std::vector<IdSet> filters;
  for (const std::size_t n : {4u, 150u, 1200u, 3500u}) {
    filters.push_back(random_filter(n));
    filters.push_back(skewed_filter(n));
    filters.push_back(~filters.back());
  }
  for (int step = 0; step < 6; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    // Few changes bring a plan up to date, many make it anew, and a removal of many repairs the graph.
    const std::size_t n = step == 2 ? 1500 : 12 + random_.below(30);
    std::vector<Id> ids(n);
    const std::vector<Id> there = index_->ids();
    const std::size_t first = random_.below(there.size() - n);
    std::copy_n(there.begin() + static_cast<std::ptrdiff_t>(first), n, ids.begin());
    if (step % 2 == 0) {
      ASSERT_EQ(index_->remove(ids).value(), n);
    } else {
      // Near queries, so that who does not see them finds less. Some are replaced and some new, or all are new.
      for (std::size_t i = 0; i < n; ++i) {
        if (step == 3 || i % 2 == 0) ids[i] = static_cast<Id>(2 * kItems + 100 * static_cast<std::size_t>(step) + i);
      }
      Vectors x(n * kDim);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = queries_[i % queries_.size()] + 0.1F * gaussian(random_);
      SEGUE_ASSERT_OK(step == 3 ? index_->add(MatrixView(x, kDim), ids) : index_->upsert(MatrixView(x, kDim), ids));
    }
    SEGUE_ASSERT_OK(index_->validate());
    refresh();
    for (const IdSet& filter : filters) EXPECT_GE(recall_of({.ef = 200, .filter = &filter}, 10), 0.97);
    if (HasFatalFailure()) return;
  }
}

TEST_P(FilterPlan, TwinsAndExclusions) {
  // A thousand items of four vectors; a filter lets some of each through, and most of those are excluded.
  std::vector<Id> ids(1000);
  Vectors x;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<Id>(2 * i + 1);
    const float* like = x_.data() + i % 4 * 1400 * kDim;
    x.insert(x.end(), like, like + kDim);
  }
  SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim), ids));
  for (std::size_t j = 0; j < kDim; ++j) queries_[j] = x_[1400 * kDim + j];
  refresh();
  for (const std::size_t n : {20u, 100u, 500u}) {
    for (const std::size_t others : {0u, 30u, 2000u}) {
      SCOPED_TRACE(std::to_string(n) + " twins and " + std::to_string(others));
      const std::vector<Id> some(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(n));
      const IdSet filter = IdSet::from_ids(some).value() | random_filter(others);
      const std::vector<Id> out(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(n * 3 / 4));
      EXPECT_GE(recall_of({.ef = 100, .filter = &filter}, 10), 0.97);
      EXPECT_GE(recall_of({.ef = 100, .filter = &filter, .exclude = {out, {}}}, 10), 0.97);
      if (HasFatalFailure()) return;
    }
  }
}

// A walk that finds out afterwards, and the one through a gate where too much of what it found is excluded.
TEST_P(FilterPlan, ExclusionsWithoutAFilter) {
  const MatrixView queries(queries_, kDim);
  const SearchResult best = index_->search(queries, 60, {.ef = 400}).value();
  for (const std::size_t nearest : {0u, 1u, 3u, 12u, 60u}) {
    for (const std::size_t others : {0u, 2000u}) {
      SCOPED_TRACE(std::to_string(nearest) + " of the nearest and " + std::to_string(others));
      std::vector<Id> out;
      std::vector<std::size_t> offsets = {0};
      for (std::size_t q = 0; q < kQueries; ++q) {
        for (std::size_t i = 0; i < nearest; ++i) out.push_back(best.ids[q * 60 + i]);
        for (std::size_t i = 0; i < others; ++i) out.push_back(static_cast<Id>(random_.below(3 * kItems)) - 5);
        offsets.push_back(out.size());
      }
      for (const std::size_t k : {1u, 10u}) {
        EXPECT_GE(recall_of({.ef = 60, .exclude = {out, offsets}}, k), 0.95);
        // As narrow as it can be, which promises no recall: no answer is missing or excluded all the same.
        static_cast<void>(recall_of({.ef = k, .exclude = {out, offsets}}, k));
      }
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(FilterPlan, RangeSearchFindsAllThatMatch) {
  for (const std::size_t n : {0u, 40u, 180u, 1500u, 5000u}) {
    SCOPED_TRACE("filter of " + std::to_string(n));
    const IdSet filter = random_filter(n);
    const auto ranked = reference_->ranked(queries_.data(), nullptr, {});
    Tally tally;
    const auto threshold = static_cast<float>(ranked[200].score);
    ASSERT_NO_FATAL_FAILURE(check_range(*index_, *reference_, MatrixView(queries_, kDim), threshold,
                                        {.ef = 100, .filter = &filter}, tally));
    EXPECT_GE(tally.recall(), 0.97);
  }
}

TEST_P(FilterPlan, AFileGivesTheSameAnswers) {
  const Result<std::vector<unsigned char>> bytes = index_->to_bytes();
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const Result<std::unique_ptr<Index>> loaded = load_bytes(*bytes);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  SEGUE_ASSERT_OK((*loaded)->validate());
  const MatrixView queries(queries_, kDim);
  for (const std::size_t n : {100u, 1000u, 4000u}) {
    const IdSet filter = skewed_filter(n);
    const SearchOptions options{.ef = 20, .filter = &filter};
    const SearchResult here = index_->search(queries, 10, options).value();
    const SearchResult there = (*loaded)->search(queries, 10, options).value();
    EXPECT_EQ(here.ids, there.ids);
    EXPECT_EQ(here.scores, there.scores);
  }
}

TEST_P(FilterPlan, PlansAreCountedAndBounded) {
  const std::size_t before = index_->memory_usage();
  const MatrixView query = MatrixView(queries_, kDim).slice(0, 1);
  const IdSet filter = random_filter(3000);
  ASSERT_TRUE(index_->search(query, 10, {.filter = &filter}).ok());
  EXPECT_GT(index_->memory_usage(), before + 3000);
  for (int i = 0; i < 300; ++i) {
    const IdSet other = random_filter(2000);
    ASSERT_TRUE(index_->search(query, 10, {.filter = &other}).ok());
  }
  EXPECT_LT(index_->memory_usage(), before + before / 3);
}

// Each way of walking, deciding and coding once.
std::vector<IndexCase> plan_cases() {
  return {{"hnsw", Metric::kL2, Storage::kAuto},
          {"hnsw", Metric::kL2, Storage::kF32},
          {"hnsw", Metric::kCosine, Storage::kF16},
          {"hnsw", Metric::kInnerProduct, Storage::kF32},
          {"hnsw", Metric::kInnerProduct, Storage::kSq8}};
}

INSTANTIATE_TEST_SUITE_P(All, FilterPlan, testing::ValuesIn(plan_cases()), CaseName());

}  // namespace
}  // namespace segue::test
