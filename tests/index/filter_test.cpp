// filter and exclude: what they leave out is never returned and never counts against k.

#include <gtest/gtest.h>

#include <numeric>
#include <optional>

#include "answers.hpp"
#include "support/sanitized.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kItems = 2000;
constexpr std::size_t kQueries = kSanitized ? 6 : 20;

class IndexFilter : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    index_ = make_index(GetParam(), kDim);
    const Vectors x = clustered_vectors(random_, kItems, kDim, 20, 0.4F);
    // Every id is three times its place, so that filters hold ids that are not there.
    std::vector<Id> ids(kItems);
    for (std::size_t i = 0; i < kItems; ++i) ids[i] = static_cast<Id>(3 * i);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim), ids));
    reference_.emplace(Reference::of(*index_));
    queries_ = clustered_vectors(random_, kQueries, kDim, 20, 0.4F);
  }

  // A random set of so many of the ids.
  IdSet some(std::size_t n) {
    std::vector<Id> ids = index_->ids();
    for (std::size_t i = 0; i < n; ++i) std::swap(ids[i], ids[i + random_.below(ids.size() - i)]);
    ids.resize(n);
    return IdSet::from_ids(ids).value();
  }

  void expect_right(const SearchOptions& options, std::size_t k, double floor = 0.99) {
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(
        check_search(*index_, *reference_, MatrixView(queries_, kDim), k, options, true, tally));
    EXPECT_GE(tally.recall(), floor);
    // The same without batching.
    Tally singly;
    for (std::size_t q = 0; q < 3; ++q) {
      SearchOptions one = options;
      one.exclude = {options.exclude.of(q), {}};
      ASSERT_NO_FATAL_FAILURE(
          check_search(*index_, *reference_, MatrixView(queries_, kDim).slice(q, 1), k, one, true, singly));
    }
  }

  Random random_{17};
  std::unique_ptr<Index> index_;
  std::optional<Reference> reference_;
  Vectors queries_;
};

TEST_P(IndexFilter, EverySelectivity) {
  for (const std::size_t n : {0u, 1u, 2u, 20u, 200u, 1000u, 1800u, 1999u, 2000u}) {
    SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(kItems));
    const IdSet listed = some(n);
    const IdSet complement = ~listed;
    for (const std::size_t k : {1u, 10u, 100u}) {
      SCOPED_TRACE("k " + std::to_string(k));
      ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .filter = &listed}, k));
      ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .filter = &complement}, k));
    }
  }
}

// What an index keeps of a filter has to be right after every change too.
class IndexKeptFilter : public IndexFilter {};

TEST_P(IndexKeptFilter, StaysRightWhileItemsChange) {
  std::vector<IdSet> filters;
  for (const std::size_t n : {3u, 150u, 1000u}) {
    filters.push_back(some(n));
    filters.push_back(~filters.back());
  }
  Id fresh = 3 * kItems;
  for (int step = 0; step < 12; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const std::size_t n = step == 6 ? 700 : 1 + random_.below(12);
    const Vectors x = clustered_vectors(random_, n, kDim, 20, 0.4F);
    std::vector<Id> ids = index_->ids();
    for (std::size_t i = 0; i < n; ++i) std::swap(ids[i], ids[i + random_.below(ids.size() - i)]);
    ids.resize(n);
    switch (step % 4) {
      case 0: ASSERT_EQ(index_->remove(ids).value(), n); break;
      case 1: SEGUE_ASSERT_OK(index_->upsert(MatrixView(x, kDim), ids)); break;
      case 2:
        // Ids that filters name came, went, and come again.
        for (std::size_t i = 0; i < n; ++i) ids[i] = i % 2 == 0 ? fresh++ : static_cast<Id>(3 * i);
        SEGUE_ASSERT_OK(index_->upsert(MatrixView(x, kDim), ids));
        break;
      default: ASSERT_EQ(index_->remove(std::span(ids).first((n + 1) / 2)).value(), (n + 1) / 2); break;
    }
    reference_.emplace(Reference::of(*index_));
    for (const IdSet& filter : filters) {
      ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .nprobe = 1000, .filter = &filter}, 10));
    }
  }
}

// A filter that has nothing to do with nearness is easy; one that holds just what is far away is not.
TEST_P(IndexFilter, OnlyWhatIsFarAway) {
  const Vectors query(queries_.begin(), queries_.begin() + kDim);
  std::vector<Scored> ranked = reference_->ranked(query.data(), nullptr, {});
  std::reverse(ranked.begin(), ranked.end());
  for (const std::size_t n : {5u, 50u, 500u}) {
    SCOPED_TRACE("the farthest " + std::to_string(n));
    std::vector<Id> far;
    for (std::size_t i = 0; i < n; ++i) far.push_back(ranked[i].id);
    const IdSet filter = IdSet::from_ids(far).value();
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(check_search(*index_, *reference_, MatrixView(query, kDim), 10,
                                         {.ef = 100, .filter = &filter}, true, tally));
    EXPECT_GE(tally.recall(), 0.9);
  }
}

TEST_P(IndexFilter, FiltersOfUnknownIdsOnly) {
  const IdSet unknown = IdSet::from_ids(std::vector<Id>{1, 2, 4, 1'000'000'007, 1LL << 62}).value();
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 100, .filter = &unknown}, 5));
  const IdSet all = ~unknown;
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 100, .filter = &all}, 5));
  const IdSet everything = ~IdSet();
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 100, .filter = &everything}, 5));
}

// What was found before is excluded: the answer goes on where it ended.
TEST_P(IndexFilter, ExcludingTheBestGivesTheNext) {
  const MatrixView queries(queries_, kDim);
  const SearchResult best = index_->search(queries, 50, {.ef = 400}).value();
  std::vector<std::size_t> offsets(kQueries + 1);
  for (std::size_t q = 0; q <= kQueries; ++q) offsets[q] = 50 * q;
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .exclude = {best.ids, offsets}}, 50));
  const std::vector<Id> first(best.ids.begin(), best.ids.begin() + 50);
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .exclude = {first, {}}}, 50));
}

TEST_P(IndexFilter, ExcludingAllButAFew) {
  std::vector<Id> most = index_->ids();
  most.resize(kItems - 7);
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .exclude = {most, {}}}, 10));
  const std::vector<Id> all = index_->ids();
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .exclude = {all, {}}}, 10));
}

TEST_P(IndexFilter, ExcludeTakesUnknownNegativeAndRepeatedIds) {
  const std::vector<Id> odd = {-1, -77, 1, 2, 30, 30, 30, 1LL << 60, std::numeric_limits<Id>::min()};
  ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .exclude = {odd, {}}}, 10));
}

TEST_P(IndexFilter, FilterAndExcludeTogether) {
  for (const std::size_t n : {20u, 400u, 1500u}) {
    const IdSet filter = some(n);
    const MatrixView queries(queries_, kDim);
    const SearchResult best = index_->search(queries, 5, {.ef = 400, .filter = &filter}).value();
    std::vector<std::size_t> offsets(kQueries + 1);
    for (std::size_t q = 0; q <= kQueries; ++q) offsets[q] = 5 * q;
    SCOPED_TRACE("filter of " + std::to_string(n));
    ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .filter = &filter, .exclude = {best.ids, offsets}}, 10));
    // Some queries exclude nothing.
    for (std::size_t q = 0; q <= kQueries; ++q) offsets[q] = q < kQueries / 2 ? 0 : best.ids.size();
    ASSERT_NO_FATAL_FAILURE(expect_right({.ef = 400, .filter = &filter, .exclude = {best.ids, offsets}}, 10));
  }
}

TEST_P(IndexFilter, RangeSearchObeysThem) {
  const MatrixView queries(queries_, kDim);
  for (const std::size_t n : {0u, 1u, 20u, 1000u, 2000u}) {
    SCOPED_TRACE("filter of " + std::to_string(n));
    const IdSet filter = some(n);
    const std::vector<Id> out = index_->search(queries.slice(0, 1), 30, {.ef = 400}).value().ids;
    const auto ranked = reference_->ranked(queries.row(0), nullptr, {});
    Tally tally;
    const SearchOptions options{.ef = 400, .filter = &filter, .exclude = {out, {}}};
    ASSERT_NO_FATAL_FAILURE(check_range(*index_, *reference_, queries, static_cast<float>(ranked[300].score), options,
                                        tally));
    EXPECT_GE(tally.recall(), 0.95);
  }
}

INSTANTIATE_TEST_SUITE_P(All, IndexFilter,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, kAllMetrics, {Storage::kF32, Storage::kSq8, Storage::kPca8})),
                         CaseName());
// A storage more would only change what decides.
INSTANTIATE_TEST_SUITE_P(All, IndexKeptFilter,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, {Metric::kL2, Metric::kInnerProduct}, {Storage::kF32})),
                         CaseName());
INSTANTIATE_TEST_SUITE_P(Codes, IndexKeptFilter, testing::Values(IndexCase{"ivf", Metric::kL2, Storage::kPca8}), CaseName());

}  // namespace
}  // namespace segue::test
