// Deadlines cut a query short and say so; stats say what a query cost.

#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "answers.hpp"
#include "support/sanitized.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

class Deadlines : public testing::TestWithParam<IndexCase> {
 protected:
  // Large enough that a query takes a millisecond or so, and a graph is walked rather than scanned. Made once for each
  // case, as no test changes it.
  void fill() {
    static std::map<std::string, std::shared_ptr<const Index>> made;
    constexpr std::size_t kRows = kSanitized ? 16'005 : 50'005;  // no whole blocks of codes
    dim_ = GetParam().exact() ? 128 : 16;
    items_ = GetParam().exact() ? kRows : 8'000;
    Random random(71);
    queries_ = gaussian_vectors(random, 4, dim_);
    index_ = made[name_of(GetParam())];
    if (index_ != nullptr) return;
    std::unique_ptr<Index> index = make_index(GetParam(), dim_);
    const Vectors x = gaussian_vectors(random, items_, dim_);
    SEGUE_ASSERT_OK(index->add(MatrixView(x, dim_)));
    index_ = made[name_of(GetParam())] = std::move(index);
  }

  SearchOptions options(std::int64_t deadline_us, std::span<QueryStats> stats) const {
    return {.ef = 400, .deadline_us = deadline_us, .threads = 1, .stats = stats};
  }

  std::size_t dim_ = 0, items_ = 0;
  Vectors queries_;
  std::shared_ptr<const Index> index_;
};

TEST_P(Deadlines, OneMicrosecondIsCutAndStillAnAnswer) {
  ASSERT_NO_FATAL_FAILURE(fill());
  const Reference reference = Reference::of(*index_);
  const MatrixView query = MatrixView(queries_, dim_).slice(0, 1);
  QueryStats full, cut;
  double full_us = 1e18, cut_us = 1e18;
  constexpr std::size_t k = 25;
  // The best of several rounds: other work on the machine must not decide.
  for (int round = 0; round < 5; ++round) {
    auto start = Clock::now();
    ASSERT_TRUE(index_->search(query, k, options(0, {&full, 1})).ok());
    full_us = std::min(full_us, microseconds_since(start));
    EXPECT_FALSE(full.cut);

    start = Clock::now();
    const Result<SearchResult> found = index_->search(query, k, options(1, {&cut, 1}));
    cut_us = std::min(cut_us, microseconds_since(start));
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_TRUE(cut.cut);
    EXPECT_LT(cut.distances, full.distances);
    ASSERT_EQ(found->ids.size(), k);
    std::size_t count = 0;
    while (count < k && found->ids[count] != kMissingId) ++count;
    EXPECT_GT(count, 0U) << "what was seen until then is the answer";
    std::set<Id> seen;
    for (std::size_t i = 0; i < k; ++i) {
      if (i >= count) {
        ASSERT_EQ(found->ids[i], kMissingId);
        ASSERT_EQ(found->scores[i], missing_score(index_->metric()));
        continue;
      }
      ASSERT_TRUE(seen.insert(found->ids[i]).second);
      ASSERT_TRUE(reference.contains(found->ids[i]));
      const Scored s = reference.score(found->ids[i], query.data());
      ASSERT_NEAR(found->scores[i], s.score, s.tolerance);
    }
  }
  // A scan that is over in some microseconds anyway has little to cut beside what every query costs.
  EXPECT_LT(cut_us, std::max(full_us / 2, 20.0)) << "full " << full_us << " us";
}

TEST_P(Deadlines, CountFromTheStartOfEachQuery) {
  ASSERT_NO_FATAL_FAILURE(fill());
  // Generous for one query: the last of a batch is not cut because of the first ones.
  const std::size_t n = 64;
  Random random(72);
  const Vectors queries = gaussian_vectors(random, n, dim_);
  std::vector<QueryStats> stats(n);
  ASSERT_TRUE(index_->search(MatrixView(queries, dim_), 10, options(2'000'000, stats)).ok());
  for (const QueryStats& s : stats) EXPECT_FALSE(s.cut);
  // And each of a batch is cut.
  ASSERT_TRUE(index_->search(MatrixView(queries, dim_), 10, options(1, stats)).ok());
  for (const QueryStats& s : stats) EXPECT_TRUE(s.cut);
}

TEST_P(Deadlines, FiltersAndRangesAreCutToo) {
  ASSERT_NO_FATAL_FAILURE(fill());
  const MatrixView query = MatrixView(queries_, dim_).slice(0, 1);
  std::vector<std::uint8_t> mask(items_);
  for (std::size_t i = 0; i < items_; i += 3) mask[i] = 1;
  const IdSet third = IdSet::from_mask(mask);
  QueryStats stats;
  SearchOptions filtered = options(1, {&stats, 1});
  filtered.filter = &third;
  const SearchResult found = index_->search(query, 10, filtered).value();
  EXPECT_TRUE(stats.cut);
  for (const Id id : found.ids) EXPECT_TRUE(id == kMissingId || id % 3 == 0) << id;
  stats = {};
  const float everything = larger_is_better(index_->metric()) ? -1e30F : 1e30F;
  const Result<RangeResult> range = index_->range_search(query, everything, options(1, {&stats, 1}));
  ASSERT_TRUE(range.ok());
  EXPECT_TRUE(stats.cut);
  EXPECT_LT(range->ids.size(), items_);
}

// What a cut search found is the answer, also where some of it was excluded: there is no time to search once more. Where
// the clock cuts before anything but the excluded was seen (a slow build, a busy machine), nothing is left; so time is
// doubled until something is.
TEST_P(Deadlines, ExclusionsAreCutAsWell) {
  ASSERT_NO_FATAL_FAILURE(fill());
  const MatrixView query = MatrixView(queries_, dim_).slice(0, 1);
  constexpr std::size_t k = 25;
  QueryStats cut;
  std::vector<Id> out = index_->search(query, k, options(1, {&cut, 1})).value().ids;
  out.resize(10);
  std::size_t count = 0;
  for (std::int64_t deadline_us = 1; count == 0; deadline_us *= 2) {
    ASSERT_LT(deadline_us, 1'000'000) << "everything was excluded, in a second of time";
    SearchOptions some = options(deadline_us, {&cut, 1});
    some.exclude = {out, {}};
    const Result<SearchResult> found = index_->search(query, k, some);
    ASSERT_TRUE(found.ok()) << found.status().message();
    if (deadline_us == 1) {
      EXPECT_TRUE(cut.cut);
    }
    for (const Id id : found->ids) {
      if (id == kMissingId) continue;
      ++count;
      EXPECT_EQ(std::count(out.begin(), out.end(), id), 0) << id;
    }
    EXPECT_TRUE(cut.cut || count == k) << count << " of " << k << " after " << deadline_us << " us";
  }
  // Both of its passes count, where there were two.
  QueryStats all;
  SearchOptions nearest = options(0, {&all, 1});
  const std::vector<Id> best = index_->search(query, 3 * k, nearest).value().ids;
  nearest.exclude = {best, {}};
  QueryStats once = all;
  ASSERT_TRUE(index_->search(query, k, nearest).ok());
  if (GetParam().exact()) {
    EXPECT_GT(all.visited, once.visited);
  }
}

TEST_P(Deadlines, StatsArePlausible) {
  ASSERT_NO_FATAL_FAILURE(fill());
  std::vector<QueryStats> stats(4);
  const auto search = [&](std::size_t ef) {
    const SearchOptions options{.ef = ef, .threads = 1, .stats = stats};
    ASSERT_TRUE(index_->search(MatrixView(queries_, dim_), 10, options).ok());
  };
  std::uint64_t before = 0;
  for (const std::size_t ef : {10u, 100u, 1000u}) {
    search(ef);
    std::uint64_t distances = 0;
    for (const QueryStats& s : stats) {
      EXPECT_FALSE(s.cut);
      EXPECT_GT(s.microseconds, 0.0);
      EXPECT_LT(s.microseconds, 60e6);
      EXPECT_GE(s.distances, 10U);
      EXPECT_GE(s.visited, GetParam().exact() ? items_ : 1U);
      EXPECT_LE(s.visited, items_ + s.distances);
      if (GetParam().exact()) {
        EXPECT_EQ(s.visited, items_);
        EXPECT_GE(s.distances, items_);
        EXPECT_LE(s.distances, items_ + items_ / 10);
      }
      distances += s.distances;
    }
    // Under inner product the scan of so few items is complete from ef 100 on: more of it finds, and does, the same.
    const bool complete_before = GetParam().metric == Metric::kInnerProduct && ef > 100;
    if (complete_before) {
      EXPECT_EQ(distances, before) << "ef " << ef;
    } else if (!GetParam().exact()) {
      EXPECT_GT(distances, before) << "ef " << ef;
    }
    before = distances;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Deadlines,
                         testing::ValuesIn(cases({"flat", "hnsw"}, {Metric::kL2, Metric::kInnerProduct},
                                                 {Storage::kF32, Storage::kSq8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
