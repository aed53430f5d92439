#pragma once
// Whether what a search returned is right.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "index_cases.hpp"
#include "reference.hpp"

namespace segue::test {

// Over many searches: how many results there could have been, how many were as good as the truth.
struct Tally {
  std::size_t wanted = 0;
  std::size_t found = 0;

  double recall() const { return wanted == 0 ? 1.0 : static_cast<double>(found) / static_cast<double>(wanted); }
};

// What a ranking says of an id, or nullptr. Answers are ranked too, so what is there is found near the front.
inline const Scored* find(const std::vector<Scored>& ranked, Id id) {
  const auto at = std::find_if(ranked.begin(), ranked.end(), [&](const Scored& s) { return s.id == id; });
  return at == ranked.end() ? nullptr : &*at;
}

// A tolerance that covers every item of a ranking.
inline double widest_tolerance(const std::vector<Scored>& ranked) {
  double widest = 0;
  for (const Scored& s : ranked) widest = std::max(widest, s.tolerance);
  return widest;
}

// One row of results, against the ranking of all that was allowed. Holds for any index: ids are allowed and distinct,
// scores are theirs, best first, ties by id, missing ones last. `complete`: nothing may be missing either. Counts into
// `tally` those that are as good as the k-th best; an exact index has all of them.
inline void check_row(const Reference& reference, const std::vector<Scored>& ranked, Metric metric, const Id* ids,
                      const float* scores, std::size_t k, bool exact, bool complete, Tally& tally) {
  const std::size_t wanted = std::min(k, ranked.size());
  std::size_t count = 0;
  while (count < k && ids[count] != kMissingId) ++count;
  for (std::size_t i = count; i < k; ++i) {
    ASSERT_EQ(ids[i], kMissingId) << "a result after a missing one, at " << i;
    ASSERT_EQ(scores[i], missing_score(metric));
  }
  ASSERT_LE(count, wanted);
  if (exact || complete) {
    ASSERT_EQ(count, wanted) << "of " << ranked.size() << " allowed, k = " << k;
  }

  const double slack = widest_tolerance(ranked);
  std::set<Id> seen;
  std::size_t good = 0;
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(seen.insert(ids[i]).second) << "id " << ids[i] << " twice, again at " << i;
    const Scored* const allowed = find(ranked, ids[i]);
    ASSERT_NE(allowed, nullptr)
        << "id " << ids[i] << (reference.contains(ids[i]) ? " is filtered out or excluded" : " is not in the index");
    const Scored& s = *allowed;
    ASSERT_NEAR(scores[i], s.score, s.tolerance) << "id " << ids[i] << " at " << i;
    if (i > 0) {
      ASSERT_FALSE(reference.better(scores[i], scores[i - 1])) << "order at " << i;
      if (scores[i] == scores[i - 1]) {
        ASSERT_LT(ids[i - 1], ids[i]) << "tie at " << i;
      }
    }
    const double kth = ranked[wanted - 1].score;
    const bool as_good = !reference.better(kth, s.score) || std::abs(kth - s.score) <= 2 * slack;
    if (exact) {
      ASSERT_TRUE(as_good) << "id " << ids[i] << " scores " << s.score << ", the k-th best " << kth;
    }
    good += as_good;
  }
  tally.wanted += wanted;
  tally.found += good;
}

// Searches, and checks every row.
inline void check_search(const Index& index, const Reference& reference, MatrixView queries, std::size_t k,
                         const SearchOptions& options, bool complete, Tally& tally) {
  const Result<SearchResult> result = index.search(queries, k, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(result->k, k);
  ASSERT_EQ(result->ids.size(), queries.rows() * k);
  ASSERT_EQ(result->scores.size(), queries.rows() * k);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    SCOPED_TRACE("query " + std::to_string(q) + " of " + std::to_string(queries.rows()));
    const std::vector<Scored> ranked = reference.ranked(queries.row(q), options.filter, options.exclude.of(q));
    ASSERT_NO_FATAL_FAILURE(check_row(reference, ranked, index.metric(), result->ids.data() + q * k,
                                      result->scores.data() + q * k, k, index.kind() == "flat", complete, tally));
  }
}

// Range searches, and checks every row: all that an exact index returns lies within the threshold, and nothing within
// it is left out, up to rounding.
inline void check_range(const Index& index, const Reference& reference, MatrixView queries, float threshold,
                        const SearchOptions& options, Tally& tally) {
  const Result<RangeResult> result = index.range_search(queries, threshold, options);
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(result->offsets.size(), queries.rows() + 1);
  ASSERT_EQ(result->offsets.front(), 0U);
  ASSERT_EQ(result->offsets.back(), result->ids.size());
  ASSERT_EQ(result->ids.size(), result->scores.size());
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    SCOPED_TRACE("query " + std::to_string(q));
    ASSERT_LE(result->offsets[q], result->offsets[q + 1]);
    const std::vector<Scored> ranked = reference.ranked(queries.row(q), options.filter, options.exclude.of(q));
    std::set<Id> seen;
    for (std::size_t i = result->offsets[q]; i < result->offsets[q + 1]; ++i) {
      const Id id = result->ids[i];
      const float score = result->scores[i];
      ASSERT_TRUE(seen.insert(id).second) << "id " << id << " twice";
      const Scored* const allowed = find(ranked, id);
      ASSERT_NE(allowed, nullptr) << "id " << id << " is not allowed";
      ASSERT_NEAR(score, allowed->score, allowed->tolerance);
      ASSERT_FALSE(reference.better(threshold, score)) << "id " << id << " is beyond the threshold";
      if (i == result->offsets[q]) continue;
      ASSERT_FALSE(reference.better(score, result->scores[i - 1])) << "order";
      if (score == result->scores[i - 1]) {
        ASSERT_LT(result->ids[i - 1], id) << "tie";
      }
    }
    for (const Scored& s : ranked) {
      if (!reference.better(s.score, threshold) || std::abs(s.score - threshold) <= 2 * s.tolerance) continue;
      ++tally.wanted;
      tally.found += seen.count(s.id);
      if (index.kind() == "flat") {
        ASSERT_TRUE(seen.count(s.id) != 0) << "id " << s.id << " is missing";
      }
    }
  }
}

}  // namespace segue::test
