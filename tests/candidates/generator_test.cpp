// Lists of a generator against a slow reference that sorts the whole catalogue.

#include <set>
#include <stdexcept>

#include "candidates/world.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = World::kDim;

TEST(Generator, CapsFiltersAndExclusionsAreThoseOfTheWholeCatalogue) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, 50 + 17 * seed);
    const std::size_t k = 1 + world.random.below(40), cap = 1 + world.random.below(3);
    GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
    options.caps = {{"artist", cap}, {"mood", 4 * cap}};
    const auto generator = make_generator(std::move(options));
    const Vectors query = gaussian_vectors(world.random, 1, kDim);
    const std::vector<Id> out = {0, 3, 4, 4, -1, 1000000};
    const Candidates found = generate(*generator, {.k = k, .vectors = MatrixView(query, kDim), .filter = field("minutes") < 40, .exclude = out});
    std::map<std::int64_t, std::size_t> of_artist;
    std::map<std::string, std::size_t> of_mood;
    std::vector<Id> expected;
    for (const Id id : world.ranked([&](Id i) { return world.score(query.data(), i); })) {
      const auto i = static_cast<std::size_t>(id);
      if (world.minutes[i] >= 40 || std::find(out.begin(), out.end(), id) != out.end() || expected.size() == k) continue;
      bool fits = of_artist[world.artist[i]] < cap;
      for (const std::string& mood : world.mood[i]) fits &= of_mood[mood] < 4 * cap;
      if (!fits) continue;
      ++of_artist[world.artist[i]];
      for (const std::string& mood : world.mood[i]) ++of_mood[mood];
      expected.push_back(id);
    }
    EXPECT_EQ(found.ids, expected);
    EXPECT_EQ(found.ended_by, expected.size() == k ? EndedBy::kFull : EndedBy::kExhausted);
    EXPECT_EQ(found.reason.empty(), expected.size() == k) << found.reason;
  }
}

TEST(Generator, CombinesAreThoseOfTheWholeCatalogue) {
  for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine, Metric::kL2}) {
    for (const Combine combine : {Combine::kMax, Combine::kSum, Combine::kAverage, Combine::kLeastHappy}) {
      SCOPED_TRACE(std::string(to_string(metric)) + " " + std::string(to_string(combine)));
      World world(11, 500, metric);
      const auto generator = make_generator(world.options({{"taste", nearest_to_vectors(world.index)}}));
      const Vectors people = gaussian_vectors(world.random, 3, kDim);
      const std::vector<float> weights = {1.0f, 0.5f, 2.0f};
      const double sign = metric == Metric::kL2 ? -1 : 1;
      const auto value = [&](Id id) {
        double most = -1e300, least = 1e300, sum = 0;
        for (std::size_t p = 0; p < 3; ++p) {
          const double s = sign * world.score(people.data() + p * kDim, id);
          const double w = weights[p];
          most = std::max(most, metric == Metric::kL2 ? s / w : w * s);
          least = std::min(least, s);
          sum += w * s;
        }
        return combine == Combine::kMax ? most : combine == Combine::kLeastHappy ? least : combine == Combine::kSum ? sum : sum / 3.5;
      };
      const Candidates found = generate(*generator, {.k = 25, .vectors = MatrixView(people, kDim), .weights = weights, .combine = combine});
      const std::vector<Id> expected = world.ranked(value);
      ASSERT_EQ(found.ids.size(), 25u);
      for (std::size_t i = 0; i < 25; ++i) {
        EXPECT_EQ(found.ids[i], expected[i]) << i;
        EXPECT_NEAR(found.source_scores[i], sign * value(expected[i]), 1e-4) << i;
      }
    }
  }
}

TEST(Generator, EachVectorHasItsShare) {
  World world(12, 400);
  const auto generator = make_generator(world.options({{"taste", nearest_to_vectors(world.index)}}));
  const Vectors people = gaussian_vectors(world.random, 2, kDim);
  const std::vector<float> weights = {3.0f, 1.0f};
  const Candidates found = generate(*generator, {.k = 40, .vectors = MatrixView(people, kDim), .weights = weights, .combine = Combine::kShares});
  std::set<Id> first;
  for (const Id id : world.ranked([&](Id i) { return world.score(people.data(), i); })) {
    if (first.size() < 30) first.insert(id);
  }
  const auto of_first = std::count_if(found.ids.begin(), found.ids.end(), [&](Id id) { return first.count(id) != 0; });
  EXPECT_GE(of_first, 29);  // one may be the other's too
  EXPECT_TRUE(std::isnan(found.source_scores[0]));
}

TEST(Generator, SeedsAreOneVectorWithFallingWeights) {
  World world(13, 300);
  const auto generator = make_generator(world.options({{"session", nearest_to_seeds(world.index)}}));
  const std::vector<Id> seeds = {7, 999999, 20, 33};  // one that the index does not hold
  std::vector<float> sum(kDim, 0.0f);
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (seeds[i] < 300) {
      for (std::size_t j = 0; j < kDim; ++j) sum[j] += static_cast<float>(std::exp2(-static_cast<double>(i) / 2)) * world.row(seeds[i])[j];
    }
  }
  std::vector<Id> expected = world.ranked([&](Id i) { return world.score(sum.data(), i); });
  for (const bool without : {true, false}) {
    const Candidates found = generate(*generator, {.k = 20, .seeds = seeds, .seed_half_life = 2, .exclude_seeds = without});
    std::vector<Id> wanted = expected;
    if (without) std::erase_if(wanted, [&](Id id) { return std::find(seeds.begin(), seeds.end(), id) != seeds.end(); });
    wanted.resize(20);
    EXPECT_EQ(found.ids, wanted);
  }
  EXPECT_TRUE(generate(*generator, {.k = 20}).ids.empty());
}

TEST(Generator, BlendsMergeAndKeepWhoProposed) {
  World world(14, 200);
  const std::vector<Id> popular = {5, 9, 12, 40}, fresh = {12, 5, 77};
  for (const Blend blend : {Blend::kWeighted, Blend::kReciprocalRank}) {
    GeneratorOptions options = world.options({{"popular", ranked_list(popular, {9.0f, 8.0f, 7.0f, 5.0f}).value(), 2.0f}, {"new", ranked_list(fresh).value(), 1.0f}});
    options.blend = blend;
    const auto generator = make_generator(std::move(options));
    const Candidates found = generate(*generator, {.k = 10});
    EXPECT_EQ(found.ended_by, EndedBy::kExhausted);
    std::map<Id, double> expected;
    for (std::size_t i = 0; i < popular.size(); ++i) {
      const double worth = 0.25 + 0.75 * (std::vector{9.0, 8.0, 7.0, 5.0}[i] - 5) / 4;
      expected[popular[i]] += 2 * (blend == Blend::kWeighted ? worth : 1 / (61.0 + static_cast<double>(i)));
    }
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      expected[fresh[i]] += blend == Blend::kWeighted ? 1 - static_cast<double>(i) / 3 : 1 / (61.0 + static_cast<double>(i));
    }
    ASSERT_EQ(found.ids.size(), expected.size());
    for (std::size_t i = 0; i < found.ids.size(); ++i) {
      EXPECT_NEAR(found.scores[i], expected[found.ids[i]], 1e-6) << found.ids[i];
      if (i > 0) {
        EXPECT_LE(found.scores[i], found.scores[i - 1]);
      }
    }
    const auto five = static_cast<std::size_t>(std::find(found.ids.begin(), found.ids.end(), 5) - found.ids.begin());
    const std::uint32_t at = found.offsets[five];
    ASSERT_EQ(found.offsets[five + 1] - at, 2u);
    EXPECT_EQ(found.sources[at], 0);
    EXPECT_EQ(found.ranks[at], 0u);
    EXPECT_EQ(found.source_scores[at], 9.0f);
    EXPECT_EQ(found.sources[at + 1], 1);
    EXPECT_EQ(found.ranks[at + 1], 1u);
    EXPECT_TRUE(std::isnan(found.source_scores[at + 1]));
  }
}

TEST(Generator, SourcesTakeTurnsByTheirShares) {
  World world(15, 200);
  std::vector<Id> a(60), b(60);
  for (int i = 0; i < 60; ++i) {
    a[static_cast<std::size_t>(i)] = i;
    b[static_cast<std::size_t>(i)] = 100 + i;
  }
  GeneratorOptions options = world.options({{"a", ranked_list(a).value(), 1, 0.75f}, {"b", ranked_list(b).value(), 1, 0.25f}, {"rest", ranked_list({180}).value()}});
  options.blend = Blend::kShares;
  const auto generator = make_generator(std::move(options));
  const Candidates found = generate(*generator, {.k = 40});
  ASSERT_EQ(found.ids.size(), 40u);
  EXPECT_EQ(std::count_if(found.ids.begin(), found.ids.end(), [](Id id) { return id < 60; }), 30);
  EXPECT_EQ(std::count_if(found.ids.begin(), found.ids.end(), [](Id id) { return id >= 100; }), 10);
  EXPECT_EQ(std::vector<Id>(found.ids.begin(), found.ids.begin() + 4), (std::vector<Id>{0, 1, 2, 100}));
  // What one cannot fill goes to the others, those without a share last.
  const Candidates all = generate(*generator, {.k = 121});
  EXPECT_EQ(all.ids.size(), 121u);
  EXPECT_EQ(all.ids.back(), 180);
}

TEST(Generator, ASourceThatFailsIsReportedAndTheOthersGoOn) {
  World world(16, 100);
  const auto throws = callable_source([](const Wanted&, Proposals&) -> Status { throw std::runtime_error("no network"); });
  const auto fails = callable_source([](const Wanted&, Proposals&) { return not_found("no such shelf"); });
  const auto odd = callable_source([](const Wanted&, Proposals& out) {
    out.ids = {3, 3, -5, 4, 50, 3, 6};
    return Status();
  });
  const auto generator = make_generator(world.options({{"throws", throws}, {"fails", fails}, {"odd", odd}}));
  const std::vector<Id> out = {4};
  const IdSet allowed = IdSet::from_ids(std::vector<Id>{3, 4, 6}).value();
  const Candidates found = generate(*generator, {.k = 5, .allowed = &allowed, .exclude = out});
  EXPECT_EQ(found.ids, (std::vector<Id>{3, 6}));
  EXPECT_NE(found.reports[0].status.message().find("no network"), std::string::npos);
  EXPECT_EQ(found.reports[1].status.code(), StatusCode::kNotFound);
  EXPECT_TRUE(found.reports[2].status.ok());
  const auto none = make_generator(world.options({{"fails", fails}}));
  EXPECT_NE(generate(*none, {.k = 5}).reason.find("no such shelf"), std::string::npos);
}

TEST(Generator, ABatchIsItsRequestsOneByOne) {
  World world(17, 600);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}, {"popular", ranked_list({1, 2, 3, 4, 5}).value(), 0.4f}});
  options.caps = {{"artist", 1}};
  const auto generator = make_generator(std::move(options));
  const Vectors queries = gaussian_vectors(world.random, 50, kDim);
  std::vector<Request> requests;
  for (std::size_t i = 0; i < 50; ++i) requests.push_back({.k = 1 + i, .vectors = MatrixView(queries.data() + i * kDim, 1, kDim)});
  for (const int threads : {1, 4}) {
    const auto all = generator->generate(requests, threads);
    ASSERT_TRUE(all.ok()) << all.status().message();
    for (std::size_t i = 0; i < 50; ++i) {
      const Candidates one = generate(*generator, requests[i]);
      EXPECT_EQ((*all)[i].ids, one.ids);
      EXPECT_EQ((*all)[i].scores, one.scores);
    }
  }
  requests[7].k = 0;
  EXPECT_NE(generator->generate(requests).status().message().find("request 7"), std::string::npos);
}

}  // namespace
}  // namespace segue::test
