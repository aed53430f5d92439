// Deadlines: a list that was cut still keeps every rule, and says that it was cut.

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "candidates/world.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = World::kDim;
using std::chrono::microseconds;

double microseconds_of(const auto& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

std::shared_ptr<const Source> slow_list(int us, std::vector<Id> ids) {
  return callable_source([us, ids](const Wanted&, Proposals& out) {
    std::this_thread::sleep_for(microseconds(us));
    out.ids = ids;
    return Status();
  });
}

// Deadlines from one that leaves no time to one that leaves enough, over rules of every kind.
TEST(GenerateDeadline, WhateverIsCutTheRulesHold) {
  World world(51, 4000);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)},
                                            {"session", nearest_to_seeds(world.index)},
                                            {"slow", slow_list(50, {5, 6, 7, 7, 8, 9})},
                                            {"popular", ranked_list({1, 2, 3, 4, 5, 6}).value()}});
  options.caps = {{"artist", 1}, {"mood", 20}};
  options.minimums = {{field("minutes") == 7, 3}};
  options.mmr = Mmr{world.index, 0.6f, 80};
  const auto generator = make_generator(std::move(options));
  Random random(3);
  std::size_t cut = 0, whole = 0;
  for (const std::int64_t deadline : {1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600, 5000, 2'000'000}) {
    for (int i = 0; i < 8; ++i) {
      SCOPED_TRACE("deadline " + std::to_string(deadline) + ", " + std::to_string(i));
      const Vectors query = gaussian_vectors(random, 2, kDim);
      const std::vector<Id> seeds = {static_cast<Id>(random.below(4000)), 6};
      const Candidates found = generate(*generator, {.k = 40,
                                                     .vectors = MatrixView(query, kDim),
                                                     .combine = static_cast<Combine>(i % 5),
                                                     .seeds = seeds,
                                                     .filter = field("minutes") < 30,
                                                     .deadline_us = deadline});
      std::set<std::int64_t> artists;
      std::set<Id> distinct;
      for (const Id id : found.ids) {
        const auto at = static_cast<std::size_t>(id);
        EXPECT_TRUE(distinct.insert(id).second && artists.insert(world.artist[at]).second);
        EXPECT_TRUE(world.minutes[at] < 30 && std::find(seeds.begin(), seeds.end(), id) == seeds.end());
      }
      ASSERT_EQ(found.scores.size(), found.ids.size());
      ASSERT_EQ(found.offsets.size(), found.ids.size() + 1);
      for (std::size_t c = 0; c < found.ids.size(); ++c) EXPECT_LT(found.offsets[c], found.offsets[c + 1]);
      ASSERT_EQ(found.ranks.size(), found.offsets.back());
      bool one_cut = false;
      for (const SourceReport& report : found.reports) {
        EXPECT_TRUE(report.status.ok()) << report.status.message();
        one_cut |= report.cut;
      }
      EXPECT_EQ(found.reason.empty(), found.ids.size() == 40);
      if (found.ended_by == EndedBy::kDeadline) {
        ++cut;
        if (found.ids.size() < 40) {
          EXPECT_NE(found.reason.find("time ran out"), std::string::npos) << found.reason;
        }
      } else {
        ++whole;
        EXPECT_FALSE(one_cut);
      }
    }
  }
  EXPECT_GE(cut, 8u);
  EXPECT_GE(whole, 8u);
}

TEST(GenerateDeadline, WhatIsWholeIsAsWithoutADeadline) {
  World world(52, 1000);
  GeneratorOptions options =
      world.options({{"taste", nearest_to_vectors(world.index)}, {"popular", ranked_list({1, 2, 3}).value()}});
  options.mmr = Mmr{world.index};
  const auto generator = make_generator(std::move(options));
  Random random(4);
  for (int i = 0; i < 20; ++i) {
    const Vectors query = gaussian_vectors(random, 1, kDim);
    Request request{.k = 30, .vectors = MatrixView(query, kDim)};
    const Candidates free = generate(*generator, request);
    request.deadline_us = 60'000'000;
    const Candidates found = generate(*generator, request);
    ASSERT_EQ(found.ended_by, EndedBy::kFull);
    EXPECT_EQ(found.ids, free.ids);
    EXPECT_EQ(found.scores, free.scores);
  }
}

// Each that waits is left its part, and what one does not use goes to the others.
TEST(GenerateDeadline, TimeIsShared) {
  World world(53, 50);
  std::atomic<std::int64_t> told[3] = {0, 0, 0};
  std::vector<SourceSpec> sources;
  for (int s = 0; s < 3; ++s) {
    sources.push_back({"source " + std::to_string(s), callable_source([s, &told](const Wanted& wanted, Proposals& out) {
                         told[s] = wanted.deadline_us;
                         out.ids = {s};
                         out.exhausted = true;
                         return Status();
                       })});
  }
  const auto generator = make_generator(world.options(std::move(sources)));
  const Candidates found = generate(*generator, {.k = 9, .deadline_us = 30'000'000});
  EXPECT_EQ(found.ended_by, EndedBy::kExhausted);
  EXPECT_NEAR(static_cast<double>(told[0]), 10e6, 2e6);
  EXPECT_NEAR(static_cast<double>(told[1]), 15e6, 2e6);
  EXPECT_NEAR(static_cast<double>(told[2]), 30e6, 2e6);
  generate(*generator, {.k = 9});
  EXPECT_EQ(told[0], 0) << "no limit";
}

// One that takes all of the time leaves the others out (but for lists: rules_test.cpp), and what it said is there.
TEST(GenerateDeadline, ASlowSourceComesFirst) {
  World world(54, 300);
  const auto generator =
      make_generator(world.options({{"slow", slow_list(20'000, {3, 1})}, {"fast", slow_list(0, {7, 8})}}));
  const Candidates found = generate(*generator, {.k = 9, .deadline_us = 2000});
  EXPECT_EQ(found.ids, (std::vector<Id>{3, 1}));
  EXPECT_EQ(found.ended_by, EndedBy::kDeadline);
  EXPECT_TRUE(found.reports[1].cut);
  EXPECT_EQ(found.reports[1].proposed, 0u);
  EXPECT_EQ(found.reason, "time ran out with 2 of 9");
}

TEST(GenerateDeadline, ASlowSourceComesLast) {
  World world(55, 300);
  const auto generator =
      make_generator(world.options({{"fast", ranked_list({7, 8}).value()}, {"slow", slow_list(20'000, {3, 1})}}));
  const Candidates found = generate(*generator, {.k = 2, .deadline_us = 2000});
  EXPECT_EQ(found.ended_by, EndedBy::kDeadline);
  EXPECT_EQ(found.ids.size(), 2u);
  EXPECT_TRUE(found.reason.empty()) << "it is full";
}

// A filter that hardly anything gets past, caps that refuse all but a few: widening stops where time does.
TEST(GenerateDeadline, WideningStops) {
  World world(56, 30'000);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
  options.caps = {{"minutes", 1}};
  const auto generator = make_generator(std::move(options));
  const Vectors query = gaussian_vectors(world.random, 1, kDim);
  Request request{.k = 100, .vectors = MatrixView(query, kDim)};
  const Candidates all = generate(*generator, request);
  EXPECT_EQ(all.ids.size(), 60u);
  EXPECT_EQ(all.ended_by, EndedBy::kExhausted);
  const double whole = microseconds_of([&] { generate(*generator, request); });
  request.deadline_us = static_cast<std::int64_t>(whole / 8);
  Candidates some;
  const double took = microseconds_of([&] { some = generate(*generator, request); });
  EXPECT_EQ(some.ended_by, EndedBy::kDeadline);
  EXPECT_FALSE(some.ids.empty());
  // A pass that was begun may end late; on a machine that others use, later still.
  EXPECT_LT(took, whole);
}

TEST(GenerateDeadline, EachRequestOfABatchHasItsOwn) {
  World world(57, 300);
  const auto generator =
      make_generator(world.options({{"slow", slow_list(3000, {3, 1})}, {"fast", slow_list(0, {7, 8})}}));
  std::vector<Request> requests(6, Request{.k = 4});
  for (std::size_t i = 0; i < 6; i += 2) requests[i].deadline_us = 1000;
  const auto found = generator->generate(requests, 2).value();
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(found[i].ended_by, i % 2 == 0 ? EndedBy::kDeadline : EndedBy::kFull) << i;
    EXPECT_EQ(found[i].ids.size(), i % 2 == 0 ? 2u : 4u) << i;
  }
}

}  // namespace
}  // namespace segue::test
