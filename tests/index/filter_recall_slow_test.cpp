// Floors of recall@10 under filters, at random and against the query, on clustered vectors. What was measured, rounded
// down by about a point and a half.

#include <gtest/gtest.h>

#include <algorithm>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 32;
constexpr std::size_t kItems = 30000;
constexpr std::size_t kQueries = 100;

struct Floor {
  std::size_t matches;
  std::size_t ef;
  double drawn;
  double skewed;
};

TEST(FilterRecall, OfRegionsAndCodes) {
  constexpr std::uint64_t kSeed = 31;
  Random random(kSeed);
  const Vectors all = clustered_vectors(random, kItems + kQueries * 100, kDim, 300, 0.7F);
  Vectors x, queries;
  for (std::size_t i = 0; i < kItems + kQueries * 100; ++i) {
    Vectors& to = i % 400 == 7 && queries.size() < kQueries * kDim ? queries : x;
    to.insert(to.end(), &all[i * kDim], &all[i * kDim] + kDim);
  }
  auto index = std::move(HnswIndex::create(kDim, Metric::kL2)).value();
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Reference reference = Reference::of(*index);
  std::vector<std::pair<float, Id>> along;
  for (const auto& [id, row] : reference.items()) along.emplace_back(row[0], id);
  std::sort(along.begin(), along.end());
  std::vector<Id> shuffled = index->ids();
  for (std::size_t i = 0; i < shuffled.size(); ++i) std::swap(shuffled[i], shuffled[i + random.below(shuffled.size() - i)]);

  const Floor floors[] = {
      {20000, 10, 0.985, 0.965}, {20000, 64, 0.995, 0.985}, {4000, 10, 0.98, 0.95},
      {4000, 64, 0.995, 0.985},  {800, 10, 0.995, 0.99},    {100, 10, 0.995, 0.995},
  };
  for (const Floor& floor : floors) {
    SCOPED_TRACE(std::to_string(floor.matches) + " matches, ef " + std::to_string(floor.ef));
    std::vector<Id> drawn(shuffled.begin(), shuffled.begin() + static_cast<std::ptrdiff_t>(floor.matches));
    std::vector<Id> skewed;
    for (std::size_t i = 0; i < floor.matches; ++i) skewed.push_back(along[i].second);
    for (const bool skew : {false, true}) {
      const IdSet filter = IdSet::from_ids(skew ? skewed : drawn).value();
      Tally tally;
      ASSERT_NO_FATAL_FAILURE(check_search(*index, reference, MatrixView(queries, kDim), 10,
                                           {.ef = floor.ef, .filter = &filter}, true, tally));
      EXPECT_GE(tally.recall(), skew ? floor.skewed : floor.drawn) << (skew ? "skewed" : "drawn");
    }
  }
}

}  // namespace
}  // namespace segue::test
