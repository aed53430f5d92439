// What a filter that lets little through is worth, once it has come often: the same answers, to the bit, from codes of its own.

#include <gtest/gtest.h>

#include <cmath>

#include "answers.hpp"
#include "segue/file.hpp"
#include "segue/ivf.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 48;
constexpr std::size_t kRows = 3000;
constexpr std::size_t kLists = 120;
constexpr std::size_t kMatches = 90;
constexpr std::size_t kK = 10;

struct Found {
  std::vector<Id> ids;
  std::vector<float> scores;
  std::uint64_t visited = 0;
  std::uint64_t distances = 0;

  bool operator==(const Found& other) const { return ids == other.ids && scores == other.scores; }
};

class CodedFilter : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    SCOPED_TRACE("seed " + std::to_string(kSeed));
    const IndexCase& c = GetParam();
    if (is_lists()) {
      const Storage rerank = rabitq_bits(c.storage) != 0 ? Storage::kSq8 : Storage::kAuto;
      index_ = IvfIndex::create(kDim, c.metric, {.nlist = kLists, .storage = c.storage, .rerank = rerank}).value();
    } else {
      index_ = make_index(c, kDim);
    }
    const Vectors x = some_vectors(kRows);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim)));
    queries_ = some_vectors(8);
  }
  bool is_lists() const { return GetParam().kind == "ivf"; }

  // Few directions matter, and norms spread over three decades.
  Vectors some_vectors(std::size_t n) {
    Vectors x = clustered_vectors(random_, n, kDim, 30, 0.6F);
    for (std::size_t i = 0; i < n; ++i) {
      const float length = std::exp(1.5F * gaussian(random_));
      for (std::size_t j = 0; j < kDim; ++j) x[i * kDim + j] *= length / static_cast<float>(1 + j / 4);
    }
    return x;
  }

  IdSet some(std::size_t n) {
    std::vector<Id> ids = index_->ids();
    for (std::size_t i = 0; i < n; ++i) std::swap(ids[i], ids[i + random_.below(ids.size() - i)]);
    ids.resize(n);
    return IdSet::from_ids(ids).value();
  }

  // One query at a time, as few as possible. `afresh`: each brings a filter that never came, as it also names an item that is
  // not there.
  Found search(const IdSet& filter, SearchOptions options = {}, std::size_t k = kK, bool afresh = false) {
    Found found;
    const MatrixView queries(queries_, kDim);
    if (is_lists()) options.nprobe = 1;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const IdSet other = filter | IdSet::from_ids(std::vector<Id>{++nobody_}).value();
      options.filter = afresh ? &other : &filter;
      QueryStats stats;
      options.stats = {&stats, 1};
      const Result<SearchResult> result = index_->search(queries.slice(q, 1), k, options);
      EXPECT_TRUE(result.ok()) << result.status().message();
      found.visited += stats.visited;
      found.distances += stats.distances;
      found.ids.insert(found.ids.end(), result->ids.begin(), result->ids.end());
      found.scores.insert(found.scores.end(), result->scores.begin(), result->scores.end());
    }
    return found;
  }
  Found search_afresh(const IdSet& filter, const SearchOptions& options = {}, std::size_t k = kK) {
    return search(filter, options, k, true);
  }
  Found search_until_coded(const IdSet& filter, const SearchOptions& options = {}, std::size_t k = kK) {
    for (int i = 0; i < 10; ++i) search(filter, options, k);
    return search(filter, options, k);
  }
  void expect_exact(const IdSet& filter, std::size_t k = kK) const {
    const Reference reference = Reference::of(*index_);
    Tally tally;
    check_search(*index_, reference, MatrixView(queries_, kDim), k, {.nprobe = is_lists() ? 1U : 0U, .filter = &filter}, true, tally);
    EXPECT_EQ(tally.recall(), 1.0);
  }

  static constexpr std::uint64_t kSeed = 57;
  Random random_{kSeed};
  Id nobody_ = 1'000'000;
  std::unique_ptr<Index> index_;
  Vectors queries_;
};

TEST_P(CodedFilter, AnswersAsBeforeFromFewerRows) {
  const IdSet filter = some(kMatches);
  const std::size_t memory = index_->memory_usage();
  const Found first = search_afresh(filter);
  EXPECT_EQ(first.distances, kMatches * queries_.size() / kDim) << "one by one";
  const Found coded = search_until_coded(filter);
  EXPECT_EQ(coded, first);
  EXPECT_LT(coded.distances, 2 * first.distances) << "codes, and the best of them in full";
  EXPECT_GT(index_->memory_usage(), memory + kMatches * kDim / 4) << "codes are counted";
  expect_exact(filter);
}

TEST_P(CodedFilter, ABatchIsCodedAtOnce) {
  Vectors many;
  for (int i = 0; i < 40; ++i) many.insert(many.end(), queries_.begin(), queries_.end());
  const IdSet other = some(kMatches);
  std::vector<QueryStats> stats(many.size() / kDim);
  SearchOptions options{.filter = &other, .threads = 1, .stats = stats};
  const SearchResult result = index_->search(MatrixView(many, kDim), kK, options).value();
  std::size_t distances = 0;
  for (const QueryStats& s : stats) distances += s.distances;
  EXPECT_NE(distances, kMatches * stats.size()) << "not one by one: codes, and the best of them in full";
  const Found alone = search_afresh(other);
  for (std::size_t i = 0; i < result.ids.size(); ++i) {
    ASSERT_EQ(result.ids[i], alone.ids[i % alone.ids.size()]) << i;
    ASSERT_EQ(result.scores[i], alone.scores[i % alone.ids.size()]) << i;
  }
}

TEST_P(CodedFilter, ExclusionsRangesAndEveryK) {
  const IdSet filter = some(kMatches);
  const Found best = search_afresh(filter);
  const std::vector<Id> out(best.ids.begin(), best.ids.begin() + 7);
  const Found without = search_afresh(filter, {.exclude = {out, {}}});
  const MatrixView queries(queries_, kDim);
  const SearchOptions options{.nprobe = is_lists() ? 1U : 0U, .filter = &filter};
  const RangeResult range = index_->range_search(queries, best.scores[kK - 1], options).value();
  const Found all = search_afresh(filter, {}, kMatches + 5);
  const Found coded = search_until_coded(filter);
  ASSERT_EQ(coded, best);
  EXPECT_EQ(search(filter, {.exclude = {out, {}}}), without);
  const RangeResult again = index_->range_search(queries, best.scores[kK - 1], options).value();
  EXPECT_EQ(again.ids, range.ids);
  EXPECT_EQ(again.scores, range.scores);
  EXPECT_EQ(search(filter, {}, kMatches + 5), all);
  for (const std::size_t k : {std::size_t{1}, kMatches - 1, kMatches, kMatches + 5}) expect_exact(filter, k);
}

// Codes of what is no longer there, or no longer the same, would be wrong answers; and what comes is an answer.
TEST_P(CodedFilter, FollowChanges) {
  constexpr Id kToCome = 500'000;
  std::vector<Id> listed = some(kMatches).listed_ids();
  for (Id i = 0; i < 40; ++i) listed.push_back(kToCome + i);
  const IdSet filter = IdSet::from_ids(listed).value();
  const Found before = search_until_coded(filter);
  for (int step = 0; step < 9; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const std::size_t n = step < 6 ? 2 : 12;
    std::vector<Id> ids(listed.begin() + 10 * step, listed.begin() + 10 * step + static_cast<std::ptrdiff_t>(n / 2));
    if (step % 3 == 0) {
      ids.insert(ids.end(), before.ids.begin() + step, before.ids.begin() + step + 1);
      EXPECT_GE(index_->remove(ids).value(), 1U);
    } else {
      // Some are others than before, some come. Near queries: who does not see them finds less.
      for (std::size_t i = n / 2; i < n; ++i) ids.push_back(kToCome + 3 * step + static_cast<Id>(i));
      Vectors x;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        for (std::size_t j = 0; j < kDim; ++j) x.push_back(queries_[i % 8 * kDim + j] + 0.01F * gaussian(random_));
      }
      SEGUE_ASSERT_OK(index_->upsert(MatrixView(x, kDim), ids));
    }
    const Found after = search(filter);
    EXPECT_EQ(after, search_afresh(filter));
    expect_exact(filter);
    EXPECT_EQ(search_until_coded(filter), after);
    // Nobody else's changes are in the way.
    const std::vector<Id> other = {static_cast<Id>(kRows + 7 + step)};
    SEGUE_ASSERT_OK(index_->upsert(MatrixView(queries_.data(), 1, kDim), other));
    EXPECT_EQ(search(filter), after);
  }
}

// A few changes cost a few codes: nothing is scored one by one again.
TEST_P(CodedFilter, StayCodedThroughAFewChanges) {
  const IdSet filter = some(kMatches);
  search_until_coded(filter);
  const std::vector<Id> gone = {filter.listed_ids().front()};
  ASSERT_EQ(index_->remove(gone).value(), 1U);
  const Found first = search_afresh(filter);
  ASSERT_EQ(first.distances, (kMatches - 1) * queries_.size() / kDim) << "one by one";
  EXPECT_NE(search(filter).distances, first.distances) << "codes, and the best of them in full";
}

TEST_P(CodedFilter, AFileAnswersTheSame) {
  const IdSet filter = some(kMatches);
  const Found coded = search_until_coded(filter);
  Result<std::vector<unsigned char>> bytes = index_->to_bytes();
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  index_ = load_bytes(*bytes).value();
  EXPECT_EQ(search(filter), coded);
  EXPECT_EQ(search_until_coded(filter), coded);
}

// There is time for lists, not for all that matches: what is found is allowed, and found again.
TEST_P(CodedFilter, DeadlinesAreNotSpentOnRowsOneByOne) {
  const IdSet filter = some(kMatches);
  const SearchOptions options{.deadline_us = 10'000'000};
  const Found first = search_afresh(filter, options);
  for (const Id id : first.ids) EXPECT_TRUE(id == kMissingId || filter.contains(id));
  EXPECT_EQ(std::count(first.ids.begin(), first.ids.end(), kMissingId), 0);
  EXPECT_EQ(search_until_coded(filter, options), search(filter)) << "codes are scanned in time";
}

// Any part of a flat index has codes of its own in the order of all others.
TEST_P(CodedFilter, HalfOfAFlatIndex) {
  if (is_lists()) GTEST_SKIP() << "lists are looked into one by one";
  for (const std::size_t n : {65U, 500U, 1400U}) {
    SCOPED_TRACE(std::to_string(n));
    const IdSet filter = some(n);
    const Found first = search_afresh(filter);
    const Found coded = search_until_coded(filter);
    EXPECT_EQ(coded, first);
    if (n > kRows / 32) {
      EXPECT_LT(coded.visited, first.visited);
    }
    expect_exact(filter);
    // Rows that come later lie behind those that fall by norm.
    const Vectors more = some_vectors(40);
    SEGUE_ASSERT_OK(index_->add(MatrixView(more, kDim)));
  }
}

std::vector<IndexCase> coded_cases() {
  std::vector<IndexCase> all = cases({"flat"}, kAllMetrics, {Storage::kF32, Storage::kSq8});
  const std::vector<IndexCase> lists = cases({"ivf"}, kAllMetrics, {Storage::kAuto, Storage::kF32, Storage::kRabitq2});
  all.insert(all.end(), lists.begin(), lists.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, CodedFilter, testing::ValuesIn(coded_cases()), CaseName());

}  // namespace
}  // namespace segue::test
