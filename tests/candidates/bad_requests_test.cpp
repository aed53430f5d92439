// What generators, sources and requests are refused for: the message says what came and what was expected.

#include <limits>

#include "candidates/world.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = World::kDim;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

void expect_refused(const Status& status, const char* part) {
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << part;
  EXPECT_NE(status.message().find(part), std::string::npos)
      << "message: " << status.message() << "\nexpected: " << part;
}

class BadRequests : public testing::Test {
 protected:
  GeneratorOptions options() const { return world.options({{"taste", nearest_to_vectors(world.index)}}); }
  template <class Change>
  void refused(const Change& change, const char* part) const {
    GeneratorOptions o = options();
    change(o);
    expect_refused(CandidateGenerator::create(std::move(o)).status(), part);
  }
  World world{25, 50};
};

TEST_F(BadRequests, Sources) {
  refused([](auto& o) { o.sources.clear(); }, "without sources; give at least one");
  refused([](auto& o) { o.sources.push_back(o.sources[0]); }, "two sources are named 'taste'");
  refused([](auto& o) { o.sources[0].source = nullptr; }, "source 'taste' is null");
  refused([](auto& o) { o.sources[0].weight = -1; }, "source 'taste' has weight -1; it must be a number of at least 0");
  refused([](auto& o) { o.sources[0].weight = kNaN; }, "source 'taste' has weight nan");
  refused([](auto& o) { o.sources[0].weight = std::numeric_limits<float>::infinity(); }, "has weight inf");
  refused(
      [](auto& o) {
        for (int i = 0; i < 1024; ++i) o.sources.push_back({std::to_string(i), o.sources[0].source});
      },
      "1025 sources; at most 1024");
}

TEST_F(BadRequests, Shares) {
  refused([](auto& o) { o.sources[0].share = 0.5f; }, "only the blend 'shares' looks at; the blend is 'weighted'");
  refused([](auto& o) { o.blend = Blend::kShares; }, "no source has one; give at least one source a share");
  for (const float share : {-0.1f, 1.5f, kNaN}) {
    refused(
        [share](auto& o) {
          o.blend = Blend::kShares;
          o.sources[0].share = share;
        },
        "it must be from 0 to 1");
  }
  refused(
      [](auto& o) {
        o.blend = Blend::kShares;
        o.sources.push_back({"b", o.sources[0].source, 1, 0.7f});
        o.sources[0].share = 0.7f;
      },
      "the shares of all sources add up to 1.4");
  refused(
      [](auto& o) {
        o.blend = Blend::kShares;
        o.sources[0].share = 1;
        o.mmr = Mmr{o.sources[0].source == nullptr ? nullptr : FlatIndex::create(2).value()};
      },
      "use one of them");
}

TEST_F(BadRequests, Caps) {
  refused(
      [](auto& o) {
        o.caps = {{"artist", 0}};
      },
      "the cap on 'artist' is 0, which lets nothing through; it must be at least 1");
  refused(
      [](auto& o) {
        o.caps = {{"genre", 1}};
      },
      "needs column 'genre', which the catalog does not have; it has artist (integer), minutes");
  refused(
      [](auto& o) {
        o.caps = {{"loudness", 1}};
      },
      "needs a column of categories, sets, integers, booleans or dates, and 'loudness' is of type float");
  refused(
      [](auto& o) {
        o.catalog = nullptr;
        o.caps = {{"artist", 1}};
      },
      "needs column 'artist' of a catalog, and the generator has none");
}

TEST_F(BadRequests, Minimums) {
  refused([](auto& o) { o.minimums = {{field("genre") == "x", 1}}; }, "genre");
  refused([](auto& o) { o.minimums = {{field("minutes") == "x", 1}}; }, "the minimum quota of 'minutes = 'x''");
  refused(
      [](auto& o) {
        o.minimums = {{field("minutes") == 3, 0}};
      },
      "the minimum quota of 'minutes = 3' is 0; it must be at least 1");
  refused(
      [](auto& o) {
        o.catalog = nullptr;
        o.minimums = {{field("minutes") == 3, 1}};
      },
      "needs a catalog, and the generator has none");
  refused([](auto& o) { o.minimums.assign(65, {field("minutes") == 3, 1}); }, "65 minimum quotas; at most 64");
}

TEST_F(BadRequests, WhatMovesScores) {
  refused([](auto& o) { o.freshness = Freshness{"minutes"}; },
          "freshness needs a column of dates, and 'minutes' is of type integer");
  refused([](auto& o) { o.freshness = Freshness{"when"}; }, "freshness needs column 'when'");
  refused([](auto& o) { o.freshness = Freshness{"released", 0}; }, "half-life of 0 days; it must be above 0");
  refused([](auto& o) { o.freshness = Freshness{"released", std::nan("")}; }, "half-life of nan");
  refused([](auto& o) { o.freshness = Freshness{"released", 3, 1.5}; }, "weight 1.5; it must be from 0 to 1");
  refused([](auto& o) { o.popularity = Popularity{"mood"}; },
          "popularity needs a column of integers or floats, and 'mood' is of type set");
  refused([](auto& o) { o.popularity = Popularity{"minutes", std::nan("")}; }, "strength that is not a number");
  refused([](auto& o) { o.mmr = Mmr{nullptr}; }, "mmr came without an index");
  for (const float lambda : {-0.5f, 1.5f, kNaN}) {
    refused([&](auto& o) { o.mmr = Mmr{world.index, lambda}; }, "it must be from 0 (unlike) to 1 (relevant)");
  }
  refused([&](auto& o) { o.mmr = Mmr{world.index, 0.5f, 0}; }, "mmr has a pool of 0");
}

TEST_F(BadRequests, Lists) {
  expect_refused(ranked_list({1, 2, 1}).status(), "id 1 at position 2 of a ranked list is at position 0 too");
  expect_refused(ranked_list({1, -2}).status(), "id -2 at position 1 of a ranked list is negative");
  expect_refused(ranked_list({-1}).status(), "id -1 at position 0");
  expect_refused(ranked_list({1, 2}, {1.0f}).status(),
                 "a ranked list of 2 ids came with 1 scores; give one each, or none");
  expect_refused(ranked_list({1, 2}, {1.0f, kNaN}).status(), "the score at position 1 of a ranked list is not finite");
}

TEST_F(BadRequests, Names) {
  expect_refused(parse_blend("best").status(),
                 "unknown blend \"best\"; known: \"weighted\", \"reciprocal_rank\", \"shares\"");
  expect_refused(parse_combine("").status(), "known: \"max\", \"sum\", \"average\", \"least_happy\", \"shares\"");
  for (const Blend blend : {Blend::kWeighted, Blend::kReciprocalRank, Blend::kShares})
    EXPECT_EQ(parse_blend(to_string(blend)).value(), blend);
  for (const Combine combine :
       {Combine::kMax, Combine::kSum, Combine::kAverage, Combine::kLeastHappy, Combine::kShares}) {
    EXPECT_EQ(parse_combine(to_string(combine)).value(), combine);
  }
  EXPECT_EQ(to_string(EndedBy::kExhausted), "exhausted");
}

TEST_F(BadRequests, Requests) {
  GeneratorOptions o = options();
  o.minimums = {{field("minutes") < 30, 3}};
  const auto generator = make_generator(std::move(o));
  const MatrixView one(world.vectors.data(), 1, kDim), two(world.vectors.data(), 2, kDim),
      wide(world.vectors.data(), 1, kDim + 1);
  const auto expect = [&](const Request& request, const char* part) {
    expect_refused(generator->generate(request).status(), part);
  };
  const std::vector<float> weights = {1, 1}, zero = {0}, negative = {-2}, unknown = {kNaN};
  std::vector<float> hole(2 * kDim, 1);
  hole[kDim + 3] = kNaN;
  expect({.k = 0}, "k of 0; it must be at least 1");
  expect({.k = (std::size_t{1} << 20) + 1}, "k of 1048577; at most 1048576");
  expect({.k = 2, .vectors = one}, "a minimum quota asks for 3 and a request for k of 2");
  expect({.vectors = wide}, "source 'taste': the request's vectors have 9 dimensions, the index 8");
  expect({.vectors = one, .weights = weights}, "1 vectors and 2 weights; give one each, or none");
  expect({.weights = weights}, "0 vectors and 2 weights");
  for (const auto* bad : {&zero, &negative, &unknown})
    expect({.vectors = one, .weights = *bad}, "weights must be above 0");
  expect({.vectors = MatrixView(hole, kDim)}, "vector 1 of a request has a number that is not finite");
  for (const double life : {0.0, -1.0, std::nan("")})
    expect({.vectors = one, .seed_half_life = life}, "seed_half_life of");
  expect({.vectors = one, .deadline_us = -1}, "a deadline of -1 us; it must be above 0, or 0 for none");
  expect({.vectors = one, .filter = field("genre") == "x"}, "genre");
  expect({.vectors = one, .filter = field("minutes") == "x"}, "minutes");
  EXPECT_TRUE(generator->generate(Request{.vectors = two}).ok());
}

TEST_F(BadRequests, ABatchNamesTheRequest) {
  const auto generator = make_generator(options());
  const MatrixView one(world.vectors.data(), 1, kDim);
  std::vector<Request> requests(4, Request{.k = 3, .vectors = one});
  requests[2].deadline_us = -5;
  expect_refused(generator->generate(requests).status(), "request 2: a request came with a deadline of -5");
  expect_refused(generator->generate(std::span(requests).first(2), -1).status(), "threads");
  EXPECT_TRUE(generator->generate(std::span<const Request>()).value().empty());
}

TEST_F(BadRequests, AFilterThatMatchesNothingGivesNothingAndTheReason) {
  const auto generator = make_generator(options());
  const MatrixView one(world.vectors.data(), 1, kDim);
  const IdSet low = IdSet::from_ids(std::vector<Id>{1, 2}).value(), none;
  for (const Request& request :
       {Request{.vectors = one, .filter = field("minutes") > 1000}, Request{.vectors = one, .allowed = &none},
        Request{.vectors = one, .filter = field("minutes") > 1000, .allowed = &low}}) {
    const Candidates found = generate(*generator, request);
    EXPECT_TRUE(found.ids.empty());
    EXPECT_EQ(found.offsets.size(), 1u);
    EXPECT_EQ(found.ended_by, EndedBy::kExhausted);
    EXPECT_EQ(found.reason, "the filter matches nothing");
    EXPECT_EQ(found.reports.size(), 1u);
  }
}

TEST_F(BadRequests, AFilterWithoutACatalog) {
  GeneratorOptions bare = options();
  bare.catalog = nullptr;
  const MatrixView one(world.vectors.data(), 1, kDim);
  expect_refused(make_generator(std::move(bare))->generate({.vectors = one, .filter = field("minutes") > 1}).status(),
                 "the filter 'minutes > 1', and the generator has no catalog");
}

// Of vectors that point nowhere together nothing is nearest: that source's failure, and no more.
TEST_F(BadRequests, VectorsThatCancelOut) {
  World cosine(27, 50, Metric::kCosine);
  const auto generator =
      make_generator(cosine.options({{"taste", nearest_to_vectors(cosine.index)}, {"list", ranked_list({3}).value()}}));
  std::vector<float> both(2 * kDim, 0);
  both[0] = 1;
  both[kDim] = -1;
  const Candidates found = generate(*generator, {.k = 3, .vectors = MatrixView(both, kDim), .combine = Combine::kSum});
  EXPECT_EQ(found.ids, (std::vector<Id>{3}));
  expect_refused(found.reports[0].status, "cancel each other out");
}

// Nothing to search: said when a generator is asked, as sources are made without a result.
TEST_F(BadRequests, SourcesWithoutAnIndex) {
  const MatrixView one(world.vectors.data(), 1, kDim);
  const std::vector<Id> seeds = {1};
  for (const auto& source : {nearest_to_vectors(nullptr), nearest_to_seeds(nullptr)}) {
    const auto generator = make_generator(world.options({{"taste", source}}));
    expect_refused(generator->generate({.vectors = one, .seeds = seeds}).status(),
                   "source 'taste': it came without an index");
  }
}

}  // namespace
}  // namespace segue::test
