// Filters that come again have their rows copied side by side: the same answers from fewer codes.

#include <gtest/gtest.h>

#include "index/answers.hpp"
#include "index/vectors.hpp"
#include "segue/ivf.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;
constexpr std::size_t kRows = 3000;
constexpr std::size_t kLists = 10;
constexpr std::size_t kMatches = 300;

struct Found {
  std::vector<Id> ids;
  std::vector<float> scores;
  std::uint64_t visited = 0;

  bool operator==(const Found& other) const { return ids == other.ids && scores == other.scores; }
};

class PackedFilter : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    const IndexCase& c = GetParam();
    const Storage rerank = c.storage == Storage::kPca8 || rabitq_bits(c.storage) != 0 ? Storage::kSq8 : Storage::kAuto;
    index_ = IvfIndex::create(kDim, c.metric, {.nlist = kLists, .storage = c.storage, .rerank = rerank}).value();
    const Vectors x = clustered_vectors(random_, kRows, kDim, 30, 0.6f);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim)));
    queries_ = clustered_vectors(random_, 8, kDim, 30, 0.6f);
  }

  IdSet some(std::size_t n) {
    std::vector<Id> ids = index_->ids();
    for (std::size_t i = 0; i < n; ++i) std::swap(ids[i], ids[i + random_.below(ids.size() - i)]);
    ids.resize(n);
    return IdSet::from_ids(ids).value();
  }

  Found search(const IdSet& filter, SearchOptions options = {}) const {
    Found found;
    const MatrixView queries(queries_, kDim);
    std::vector<QueryStats> stats(queries.rows());
    options.filter = &filter;
    options.stats = stats;
    if (options.nprobe == 0) options.nprobe = 3;
    Result<SearchResult> result = index_->search(queries, 10, options);
    EXPECT_TRUE(result.ok()) << result.status().message();
    for (const QueryStats& s : stats) found.visited += s.visited;
    found.ids = std::move(result->ids);
    found.scores = std::move(result->scores);
    return found;
  }
  Found search_until_packed(const IdSet& filter) const {
    for (int i = 0; i < 50; ++i) search(filter);
    return search(filter);
  }

  Random random_{91};
  std::unique_ptr<IvfIndex> index_;
  Vectors queries_;
};

TEST_P(PackedFilter, AnswersAsBeforeFromFewerRows) {
  const IdSet filter = some(kMatches);
  const Found first = search(filter);
  const std::size_t memory = index_->memory_usage();
  const Found packed = search_until_packed(filter);
  EXPECT_EQ(packed, first);
  EXPECT_LT(2 * packed.visited, first.visited);
  EXPECT_GT(index_->memory_usage(), memory) << "copies are counted";
  // In all lists it is exact.
  const Reference reference = Reference::of(*index_);
  Tally tally;
  check_search(*index_, reference, MatrixView(queries_, kDim), 10, {.nprobe = kLists, .filter = &filter}, true, tally);
  EXPECT_EQ(tally.recall(), 1.0);
}

TEST_P(PackedFilter, ExclusionsAndRangesToo) {
  const IdSet filter = some(kMatches);
  const Found best = search(filter);
  const std::vector<Id> out(best.ids.begin(), best.ids.begin() + 10);
  const Found without = search(filter, {.exclude = {out, {}}});
  const MatrixView queries(queries_, kDim);
  const float threshold = best.scores[9];
  const SearchOptions options{.nprobe = 3, .filter = &filter};
  const RangeResult range = index_->range_search(queries, threshold, options).value();
  const Found packed = search_until_packed(filter);
  EXPECT_LT(packed.visited, best.visited);
  EXPECT_EQ(search(filter, {.exclude = {out, {}}}), without);
  const RangeResult again = index_->range_search(queries, threshold, options).value();
  EXPECT_EQ(again.ids, range.ids);
  EXPECT_EQ(again.scores, range.scores);
}

// A copy of what is no longer there would be a wrong answer.
TEST_P(PackedFilter, ChangesAreSeen) {
  const IdSet filter = some(kMatches);
  const Found packed = search_until_packed(filter);
  const std::vector<Id> gone(packed.ids.begin(), packed.ids.begin() + 20);
  ASSERT_GT(index_->remove(gone).value(), 0u);
  for (int i = 0; i < 2; ++i) {
    const Found after = search_until_packed(filter);
    for (const Id id : gone) EXPECT_EQ(std::count(after.ids.begin(), after.ids.end(), id), 0);
    EXPECT_LT(2 * after.visited, search(some(kMatches)).visited) << "packed again";
    const Reference reference = Reference::of(*index_);
    Tally tally;
    check_search(*index_, reference, MatrixView(queries_, kDim), 10, {.nprobe = kLists, .filter = &filter}, true, tally);
    EXPECT_EQ(tally.recall(), 1.0);
    // The last rows move into the places of these.
    ASSERT_GT(index_->remove(std::vector<Id>(after.ids.end() - 3, after.ids.end())).value(), 0u);
  }
}

// What hardly saves anything is not copied.
TEST_P(PackedFilter, MostRowsStayWhereTheyAre) {
  const IdSet filter = some(kRows * 3 / 4);
  const Found first = search(filter);
  EXPECT_EQ(search_until_packed(filter).visited, first.visited);
}

// All copies together have no more rows than the index.
TEST_P(PackedFilter, ManyFiltersShareBoundedMemory) {
  std::vector<IdSet> filters;
  for (int i = 0; i < 20; ++i) filters.push_back(some(kMatches));
  std::vector<Found> first;
  for (const IdSet& filter : filters) first.push_back(search(filter));
  const std::size_t before = index_->memory_usage();
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < filters.size(); ++i) EXPECT_EQ(search_until_packed(filters[i]), first[i]) << i;
  }
  const std::size_t bytes_a_row = kDim + 4 * sizeof(float) + sizeof(std::uint32_t);
  EXPECT_LT(index_->memory_usage(), before + 2 * kRows * bytes_a_row);
}

INSTANTIATE_TEST_SUITE_P(All, PackedFilter,
                         testing::ValuesIn(cases({"ivf"}, kAllMetrics, {Storage::kF32, Storage::kPca8, Storage::kRabitq2})), CaseName());

}  // namespace
}  // namespace segue::test
