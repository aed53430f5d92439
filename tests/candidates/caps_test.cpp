// Caps and minimums by small cases that one can count by hand.

#include <numeric>

#include "candidates/world.hpp"

namespace segue::test {
namespace {

// Ids 0, 1, 2, ... with scores that fall, and a catalog.
Candidates in_order(std::vector<ColumnData> columns, std::size_t k, std::vector<GroupCap> caps,
                    std::vector<MinimumQuota> minimums = {}, std::size_t listed = 0) {
  GeneratorOptions options;
  options.catalog = Catalog::create(columns).value();
  std::vector<Id> ids(listed == 0 ? options.catalog->size() : listed);
  std::iota(ids.begin(), ids.end(), Id{0});
  std::vector<float> scores;
  for (const Id id : ids) scores.push_back(-static_cast<float>(id));
  options.sources = {{"list", ranked_list(ids, scores).value()}};
  options.caps = std::move(caps);
  options.minimums = std::move(minimums);
  const auto generator = make_generator(std::move(options));
  return generate(*generator, {.k = k});
}

using Ids = std::vector<Id>;

TEST(Caps, HoldForEachTypeOfColumn) {
  const ColumnData::Missing missing = {0, 0, 1, 0, 1, 0};
  EXPECT_EQ(in_order({ColumnData::categories("x", {"a", "a", "", "b", "", "a"}, missing)}, 9, {{"x", 1}}).ids,
            (Ids{0, 2, 3, 4}));
  EXPECT_EQ(in_order({ColumnData::integers("x", {-1, -1, 0, 0, 0, -2}, missing)}, 9, {{"x", 1}}).ids,
            (Ids{0, 2, 3, 4, 5}));
  EXPECT_EQ(in_order({ColumnData::booleans("x", {false, false, false, true, false, true}, missing)}, 9, {{"x", 1}}).ids,
            (Ids{0, 2, 3, 4}));
  EXPECT_EQ(in_order({ColumnData::dates("x", {-5, -5, 0, 86400, 0, 86400}, missing)}, 9, {{"x", 1}}).ids,
            (Ids{0, 2, 3, 4}));
  // Counts for each of its values; an empty set has none.
  EXPECT_EQ(
      in_order({ColumnData::sets("x", {{"a", "b"}, {"b"}, {"b"}, {}, {"c"}, {"a", "c"}}, missing)}, 9, {{"x", 1}}).ids,
      (Ids{0, 2, 3, 4}));
}

TEST(Caps, NumbersAtBothEnds) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max(), kLeast = -kMost;
  EXPECT_EQ(in_order({ColumnData::integers("x", {kMost, kLeast, 0, kMost, kLeast, -1, -1})}, 9, {{"x", 1}}).ids,
            (Ids{0, 1, 2, 5}));
}

TEST(Caps, WhatHasNoRowIsNotCapped) {
  EXPECT_EQ(in_order({ColumnData::integers("x", {1, 1, 1})}, 9, {{"x", 1}}, {}, 6).ids, (Ids{0, 3, 4, 5}));
}

TEST(Caps, SeveralHoldAtOnce) {
  EXPECT_EQ(in_order({ColumnData::integers("x", {1, 1, 2, 2, 3}), ColumnData::integers("y", {1, 2, 1, 2, 1})}, 9,
                     {{"x", 1}, {"y", 2}})
                .ids,
            (Ids{0, 2}));
}

// The nearest thousand are one artist's: what is asked for at first does not fill the list.
TEST(Caps, TheSearchWidensUntilTheListIsFull) {
  std::vector<float> vectors;
  std::vector<std::int64_t> artist;
  for (int i = 0; i < 1100; ++i) {
    vectors.insert(vectors.end(), {static_cast<float>(i), 0});
    artist.push_back(i < 1000 ? 7 : i);
  }
  GeneratorOptions options;
  options.catalog = Catalog::create(std::vector{ColumnData::integers("artist", artist)}).value();
  const auto index = std::shared_ptr<Index>(FlatIndex::create(2, Metric::kL2).value());
  ASSERT_TRUE(index->add(MatrixView(vectors, 2)).ok());
  options.sources = {{"near", nearest_to_vectors(index)}};
  options.caps = {{"artist", 2}};
  const auto generator = make_generator(std::move(options));
  const std::vector<float> origin = {0, 0};
  const Candidates found = generate(*generator, {.k = 5, .vectors = MatrixView(origin, 2)});
  EXPECT_EQ(found.ids, (Ids{0, 1, 1000, 1001, 1002}));
  EXPECT_EQ(found.ended_by, EndedBy::kFull);
  EXPECT_GT(found.reports[0].proposed, 1000u);
  const Candidates all = generate(*generator, {.k = 200, .vectors = MatrixView(origin, 2)});
  EXPECT_EQ(all.ids.size(), 102u);
  EXPECT_EQ(all.ended_by, EndedBy::kExhausted);
  EXPECT_NE(all.reason.find("102 of 200"), std::string::npos) << all.reason;
}

TEST(Minimums, TakeThePlacesOfTheLast) {
  const auto x = ColumnData::integers("x", {0, 0, 0, 0, 0, 1, 0, 1, 1});
  EXPECT_EQ(in_order({x}, 4, {}, {{field("x") == 1, 2}}).ids, (Ids{0, 1, 5, 7}));
  EXPECT_EQ(in_order({x}, 4, {}, {{field("x") == 1, 4}}).ids, (Ids{0, 5, 7, 8}));  // as many as there are
  EXPECT_EQ(in_order({x}, 4, {}, {{field("x") == 2, 4}}).ids, (Ids{0, 1, 2, 3}));
}

// An artist who fills the genre in what is nearest, and may be there once only.
TEST(Minimums, AreLookedForBeyondWhatCapsRefuse) {
  std::vector<std::int64_t> genre(200, 0), artist(200);
  std::iota(artist.begin(), artist.end(), 0);
  for (const std::size_t i : {0, 1, 2, 3, 4}) {
    genre[i] = 1;
    artist[i] = 1000;
  }
  for (const std::size_t i : {150, 160, 170}) genre[i] = 1;
  const Candidates found = in_order({ColumnData::integers("genre", genre), ColumnData::integers("artist", artist)}, 6,
                                    {{"artist", 1}}, {{field("genre") == 1, 3}});
  EXPECT_EQ(found.ids, (Ids{0, 5, 6, 7, 150, 160}));
}

// What one item does for two minimums is counted for both.
TEST(Minimums, MayOverlap) {
  const auto a = ColumnData::integers("a", {0, 0, 0, 1, 1, 1, 1}), b = ColumnData::integers("b", {0, 0, 0, 0, 1, 1, 1});
  EXPECT_EQ(in_order({a, b}, 4, {}, {{field("a") == 1, 3}, {field("b") == 1, 3}}).ids, (Ids{3, 4, 5, 6}));
  EXPECT_EQ(in_order({a, b}, 4, {}, {{field("b") == 1, 3}, {field("b") != 0, 3}}).ids, (Ids{0, 4, 5, 6}));
}

// Together they want more places than there are: all go to what one of them wants.
TEST(Minimums, OfMoreThanTheListHasRoomForFillIt) {
  const auto x = ColumnData::integers("x", {0, 0, 1, 2, 1, 2, 1, 2});
  EXPECT_EQ(in_order({x}, 4, {}, {{field("x") == 1, 3}, {field("x") == 2, 3}}).ids, (Ids{2, 3, 4, 5}));
}

// What several minimums bring in behind what a source proposed of itself is in order too.
TEST(Minimums, DoNotMixUpTheOrderOfScores) {
  std::vector<float> vectors, origin = {0};
  std::vector<std::int64_t> genre(40, 0);
  Ids ids;
  for (int i = 0; i < 40; ++i) {
    vectors.push_back(static_cast<float>(i));
    ids.push_back(100 - i);
  }
  genre[20] = genre[30] = 2;
  genre[25] = genre[35] = 1;
  GeneratorOptions options;
  options.catalog = Catalog::create(std::vector{ColumnData::integers("genre", genre)}, {.ids = ids}).value();
  const auto index = std::shared_ptr<Index>(FlatIndex::create(1, Metric::kL2).value());
  ASSERT_TRUE(index->add(MatrixView(vectors, 1), ids).ok());
  options.sources = {{"near", nearest_to_vectors(index)}};
  options.minimums = {{field("genre") == 1, 2}, {field("genre") == 2, 2}};
  const auto generator = make_generator(std::move(options));
  EXPECT_EQ(generate(*generator, {.k = 6, .vectors = MatrixView(origin, 1)}).ids, (Ids{100, 99, 80, 75, 70, 65}));
}

}  // namespace
}  // namespace segue::test
