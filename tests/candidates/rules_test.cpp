// Minimum quotas, diversity, freshness, popularity, deadlines.

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "candidates/world.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = World::kDim;

TEST(Rules, AMinimumIsLookedForBeyondWhatIsNearest) {
  World world(21, 2000);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
  options.minimums = {{field("minutes") == 59, 5}, {field("minutes") == 1, 3}};
  const auto generator = make_generator(std::move(options));
  const Vectors query = gaussian_vectors(world.random, 1, kDim);
  const Candidates found = generate(*generator, {.k = 20, .vectors = MatrixView(query, kDim)});
  const auto of = [&](std::int64_t minutes) {
    return std::count_if(found.ids.begin(), found.ids.end(), [&](Id id) { return world.minutes[static_cast<std::size_t>(id)] == minutes; });
  };
  ASSERT_EQ(found.ids.size(), 20u);
  EXPECT_EQ(of(59), 5);
  EXPECT_EQ(of(1), 3);
  EXPECT_TRUE(std::is_sorted(found.scores.rbegin(), found.scores.rend()));
  // The other places are the best.
  std::vector<Id> best = world.ranked([&](Id i) { return world.score(query.data(), i); });
  std::erase_if(best, [&](Id id) { return world.minutes[static_cast<std::size_t>(id)] == 59 || world.minutes[static_cast<std::size_t>(id)] == 1; });
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NE(std::find(found.ids.begin(), found.ids.end(), best[i]), found.ids.end()) << i;
}

TEST(Rules, CapsAndMinimumsTogetherLeaveNoPlaceEmpty) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, 400);
    GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}, {"some", ranked_list({1, 2, 3}).value(), 0.5f}});
    options.caps = {{"artist", 1}};
    options.minimums = {{field("minutes") < 10, 4}};
    if (seed % 2 == 0) options.mmr = Mmr{world.index, 0.5f, 60};
    const auto generator = make_generator(std::move(options));
    const Vectors query = gaussian_vectors(world.random, 1, kDim);
    const Candidates found = generate(*generator, {.k = 30, .vectors = MatrixView(query, kDim)});
    ASSERT_EQ(found.ids.size(), 30u);
    std::set<std::int64_t> artists;
    std::size_t few = 0;
    for (const Id id : found.ids) {
      EXPECT_TRUE(artists.insert(world.artist[static_cast<std::size_t>(id)]).second);
      few += world.minutes[static_cast<std::size_t>(id)] < 10;
    }
    EXPECT_GE(few, 4u);
  }
}

TEST(Rules, MinimumsForWhichThereIsNoRoomGetWhatRoomThereIs) {
  World world(28, 300);
  const Vectors query = gaussian_vectors(world.random, 1, kDim);
  const auto count = [&](const Candidates& found, auto matches) {
    return std::count_if(found.ids.begin(), found.ids.end(), [&](Id id) { return matches(world.minutes[static_cast<std::size_t>(id)]); });
  };
  // Apart: together more than k.
  GeneratorOptions apart = world.options({{"taste", nearest_to_vectors(world.index)}});
  apart.minimums = {{field("minutes") < 5, 5}, {field("minutes") >= 55, 5}};
  const Candidates few = generate(*make_generator(std::move(apart)), {.k = 6, .vectors = MatrixView(query, kDim)});
  EXPECT_EQ(count(few, [](std::int64_t m) { return m < 5 || m >= 55; }), 6);
  // The same items for both: it can be done.
  GeneratorOptions same = world.options({{"taste", nearest_to_vectors(world.index)}});
  same.minimums = {{field("minutes") < 5, 5}, {field("minutes") < 5, 5}};
  const Candidates both = generate(*make_generator(std::move(same)), {.k = 6, .vectors = MatrixView(query, kDim)});
  EXPECT_GE(count(both, [](std::int64_t m) { return m < 5; }), 5);
}

// Two quotas search by themselves; what the second brings may be better than what the first did.
TEST(Rules, WhatSeveralMinimumsBringIsInTheOrderOfItsScores) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, 1000);
    GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
    options.minimums = {{field("minutes") == 59, 4}, {field("minutes") == 1, 4}};
    const auto generator = make_generator(std::move(options));
    const Vectors query = gaussian_vectors(world.random, 1, kDim);
    const Candidates found = generate(*generator, {.k = 10, .vectors = MatrixView(query, kDim)});
    ASSERT_EQ(found.ids.size(), 10u);
    EXPECT_TRUE(std::is_sorted(found.source_scores.rbegin(), found.source_scores.rend()));
    EXPECT_TRUE(std::is_sorted(found.ranks.begin(), found.ranks.end()));
    for (const std::int64_t minutes : {59, 1}) {
      const auto matches = [&](Id id) { return world.minutes[static_cast<std::size_t>(id)] == minutes; };
      std::vector<Id> best = world.ranked([&](Id i) { return world.score(query.data(), i); });
      std::erase_if(best, [&](Id id) { return !matches(id); });
      for (std::size_t i = 0; i < 4; ++i) EXPECT_NE(std::find(found.ids.begin(), found.ids.end(), best[i]), found.ids.end()) << i;
    }
  }
}

// By the definition, place by place, in double precision.
TEST(Rules, DiversityIsMaximalMarginalRelevance) {
  for (const float lambda : {0.0f, 0.4f, 0.8f, 1.0f}) {
    SCOPED_TRACE("lambda " + std::to_string(lambda));
    World world(22, 500);
    GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
    options.mmr = Mmr{world.index, lambda, 80};
    const auto generator = make_generator(std::move(options));
    const Vectors query = gaussian_vectors(world.random, 1, kDim);
    const Candidates found = generate(*generator, {.k = 30, .vectors = MatrixView(query, kDim)});
    ASSERT_EQ(found.ids.size(), 30u);
    std::vector<Id> pool = world.ranked([&](Id i) { return world.score(query.data(), i); });
    pool.resize(80);
    const double high = world.score(query.data(), pool.front()), low = world.score(query.data(), pool.back());
    const auto cosine = [&](Id a, Id b) {
      double ab = 0, aa = 0, bb = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        ab += static_cast<double>(world.row(a)[j]) * world.row(b)[j];
        aa += static_cast<double>(world.row(a)[j]) * world.row(a)[j];
        bb += static_cast<double>(world.row(b)[j]) * world.row(b)[j];
      }
      return ab / std::sqrt(aa * bb);
    };
    const double l = lambda;
    for (std::size_t place = 0; place < 30; ++place) {
      const auto marginal = [&](Id id) {
        double nearest = place == 0 ? 0 : -1;
        for (std::size_t i = 0; i < place; ++i) nearest = std::max(nearest, cosine(id, found.ids[i]));
        // The scale of a blend: the last of the pool has 1 / n, which the scale from 0 to 1 undoes.
        return l * (world.score(query.data(), id) - low) / (high - low) - (1 - l) * nearest;
      };
      double most = -1e300;
      for (const Id id : pool) {
        if (std::find(found.ids.begin(), found.ids.begin() + static_cast<std::ptrdiff_t>(place), id) ==
            found.ids.begin() + static_cast<std::ptrdiff_t>(place)) {
          most = std::max(most, marginal(id));
        }
      }
      ASSERT_NEAR(marginal(found.ids[place]), most, 1e-5) << "place " << place;
    }
  }
}

TEST(Rules, FreshnessAndPopularityMoveScores) {
  World world(23, 100);
  const std::vector<Id> list = {10, 20, 30, 40, 5000};  // the last has no row
  GeneratorOptions options = world.options({{"list", ranked_list(list).value()}});
  options.freshness = Freshness{"released", 100, 0.6, 86400 * 1000};
  options.popularity = Popularity{"minutes", 0.1};
  const auto generator = make_generator(std::move(options));
  const Candidates found = generate(*generator, {.k = 5});
  ASSERT_EQ(found.ids.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto rank = static_cast<double>(std::find(list.begin(), list.end(), found.ids[i]) - list.begin());
    const bool known = found.ids[i] < 100;
    const auto id = static_cast<std::size_t>(found.ids[i]);
    const double age = known ? 1000 - static_cast<double>(world.released[id]) / 86400 : 1e9;
    const double count = known ? std::max<double>(1, static_cast<double>(world.minutes[id])) : 1;
    const double expected = (1 - rank / 5) * (0.4 + 0.6 * std::exp2(-age / 100)) - 0.1 * std::log(count);
    EXPECT_NEAR(found.scores[i], expected, 1e-6) << found.ids[i];
    if (i > 0) {
        EXPECT_LE(found.scores[i], found.scores[i - 1]);
      }
  }
}

TEST(Rules, ListsAreThereWhenTimeIsUp) {
  World world(26, 300);
  const auto slow = callable_source([](const Wanted&, Proposals& out) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    out.ids = {1, 2};
    return Status();
  });
  const std::vector<Id> list = {10, 20, 30, 40, 50};
  // It stands behind two that take longer than there is time, and comes first nevertheless.
  const auto generator =
      make_generator(world.options({{"slow", slow}, {"slower", slow}, {"list", ranked_list(list).value()}}));
  for (const std::int64_t deadline_us : {1, 1000}) {
    const Candidates found = generate(*generator, {.k = 5, .deadline_us = deadline_us});
    EXPECT_EQ(found.ended_by, EndedBy::kDeadline);
    EXPECT_EQ(found.ids.size(), 5u) << deadline_us;
    EXPECT_EQ(std::count(found.ids.begin(), found.ids.end(), 10), 1) << deadline_us;
    EXPECT_FALSE(found.reports[2].cut);
  }
}

TEST(Rules, ADeadlineEndsItAndSaysSo) {
  World world(24, 300);
  const auto slow = callable_source([](const Wanted& wanted, Proposals& out) {
    EXPECT_GT(wanted.deadline_us, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    out.ids = {1, 2};
    return Status();
  });
  const auto generator = make_generator(world.options({{"slow", slow}, {"taste", nearest_to_vectors(world.index)}}));
  const Vectors query = gaussian_vectors(world.random, 1, kDim);
  const Candidates found = generate(*generator, {.k = 10, .vectors = MatrixView(query, kDim), .deadline_us = 5000});
  EXPECT_EQ(found.ended_by, EndedBy::kDeadline);
  EXPECT_EQ(found.ids, (std::vector<Id>{1, 2}));
  EXPECT_TRUE(found.reports[1].cut) << "it was never asked";
  EXPECT_NE(found.reason.find("time ran out"), std::string::npos);
  EXPECT_GT(found.reports[0].microseconds, 15000);
}

}  // namespace
}  // namespace segue::test
