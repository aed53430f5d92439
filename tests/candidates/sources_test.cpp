// Sources: what each kind proposes, those that users write, and what happens where one misbehaves.

#include <stdexcept>

#include "candidates/world.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = World::kDim;
using Ids = std::vector<Id>;

TEST(Sources, EqualScoresAreOrderedById) {
  const std::vector<float> vectors = {1, 2, 1, 2, 1, 0};
  const Ids ids = {9, 8, 7, 6, 5, 4};
  const auto index = std::shared_ptr<Index>(FlatIndex::create(1).value());
  ASSERT_TRUE(index->add(MatrixView(vectors, 1), ids).ok());
  const std::vector<float> one = {1};
  GeneratorOptions options;
  options.sources = {{"near", nearest_to_vectors(index)}};
  EXPECT_EQ(generate(*make_generator(options), {.k = 6, .vectors = MatrixView(one, 1)}).ids, (Ids{6, 8, 5, 7, 9, 4}));
  options.sources = {{"a", ranked_list({5, 3}).value()}, {"b", ranked_list({2, 4}).value()}};
  EXPECT_EQ(generate(*make_generator(options), {.k = 4}).ids, (Ids{2, 5, 3, 4}));
}

TEST(Sources, TwoIndexesAtOnce) {
  World tracks(41, 100);
  const auto shows = std::shared_ptr<Index>(FlatIndex::create(2).value());
  const std::vector<float> vectors = {1, 0, 0, 1};
  const Ids ids = {1000, 1001};
  ASSERT_TRUE(shows->add(MatrixView(vectors, 2), ids).ok());
  // One of another dimension is asked by its seeds alone.
  const auto generator = make_generator(
      tracks.options({{"tracks", nearest_to_vectors(tracks.index)}, {"shows", nearest_to_seeds(shows)}}));
  const Ids seeds = {1001};
  const Vectors query = gaussian_vectors(tracks.random, 1, kDim);
  const Candidates found = generate(*generator, {.k = 102, .vectors = MatrixView(query, kDim), .seeds = seeds});
  EXPECT_EQ(found.ids.size(), 101u);
  EXPECT_EQ(std::count(found.ids.begin(), found.ids.end(), 1000), 1);
  EXPECT_EQ(found.reports[0].proposed, 100u);
  EXPECT_EQ(found.reports[1].proposed, 1u);
}

TEST(Sources, ARequestOfNothingGetsWhatListsHave) {
  World world(42, 50);
  const auto taste = nearest_to_vectors(world.index), session = nearest_to_seeds(world.index);
  const Candidates none = generate(*make_generator(world.options({{"taste", taste}, {"session", session}})), {.k = 5});
  EXPECT_TRUE(none.ids.empty());
  EXPECT_EQ(none.offsets, (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(none.ended_by, EndedBy::kExhausted);
  EXPECT_FALSE(none.reason.empty());
  const Candidates some =
      generate(*make_generator(world.options({{"taste", taste}, {"list", ranked_list({4, 2}).value()}})), {.k = 2});
  EXPECT_EQ(some.ids, (Ids{4, 2}));
  EXPECT_EQ(some.ended_by, EndedBy::kFull);
  EXPECT_TRUE(some.reason.empty());
}

TEST(Sources, AListWithoutIdsAndAnIndexWithoutItemsHaveNothing) {
  const auto empty = std::shared_ptr<Index>(FlatIndex::create(kDim).value());
  GeneratorOptions options;
  options.sources = {
      {"list", ranked_list({}).value()}, {"taste", nearest_to_vectors(empty)}, {"session", nearest_to_seeds(empty)}};
  options.mmr = Mmr{empty};
  const std::vector<float> query(kDim, 1);
  const Ids seeds = {3};
  for (const Combine combine :
       {Combine::kMax, Combine::kSum, Combine::kAverage, Combine::kLeastHappy, Combine::kShares}) {
    const Candidates found = generate(*make_generator(options),
                                      {.k = 3, .vectors = MatrixView(query, kDim), .combine = combine, .seeds = seeds});
    EXPECT_TRUE(found.ids.empty());
    EXPECT_EQ(found.ended_by, EndedBy::kExhausted);
    for (const SourceReport& report : found.reports) EXPECT_TRUE(report.status.ok()) << report.status.message();
  }
}

// What a source of a user's own is told, and that its check() is asked.
class Own final : public Source {
 public:
  Status propose(const Wanted& wanted, Proposals& out) const override {
    EXPECT_TRUE(out.ids.empty() && out.scores.empty() && !out.exhausted && !out.cut);
    for (Id id = 0; id < 100 && out.ids.size() < wanted.n; ++id) {
      if (wanted.allows(id)) out.ids.push_back(id);
    }
    out.exhausted = out.ids.size() < wanted.n;
    return {};
  }
  Status check(const Request& request) const override {
    return request.seeds.empty() ? invalid_argument("it needs seeds") : Status();
  }
};

TEST(Sources, OfOnesOwn) {
  World world(43, 100);
  const auto generator = make_generator(world.options({{"own", std::make_shared<Own>()}}));
  const Ids seeds = {0, 2}, out = {1, -1, 5};
  const IdSet allowed = IdSet::from_ids(Ids{0, 1, 2, 3, 4, 5, 6}).value();
  EXPECT_EQ(generate(*generator, {.k = 9, .seeds = seeds, .allowed = &allowed, .exclude = out}).ids, (Ids{3, 4, 6}));
  EXPECT_EQ(generate(*generator, {.k = 2, .seeds = seeds, .exclude_seeds = false}).ids, (Ids{0, 1}));
  const auto refused = generator->generate(Request{.k = 9});
  EXPECT_NE(refused.status().message().find("source 'own': it needs seeds"), std::string::npos)
      << refused.status().message();
}

// Whatever a source does, it is that source's failure.
TEST(Sources, ThatMisbehaveAreReported) {
  World world(44, 100);
  const auto failing = [&](ProposeFunction function) {
    const auto generator = make_generator(
        world.options({{"bad", callable_source(std::move(function))}, {"good", ranked_list({1, 2}).value()}}));
    const Candidates found = generate(*generator, {.k = 5});
    EXPECT_EQ(found.ids, (Ids{1, 2}));
    EXPECT_FALSE(found.reports[0].status.ok());
    EXPECT_EQ(found.reports[0].proposed, 0u);
    EXPECT_TRUE(found.reports[1].status.ok());
    EXPECT_EQ(found.ended_by, EndedBy::kExhausted);
    return found.reports[0].status.message();
  };
  const auto has = [](const std::string& message, const char* part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  has(failing([](const Wanted&, Proposals&) -> Status { throw std::out_of_range("page 7"); }), "page 7");
  has(failing([](const Wanted&, Proposals&) -> Status { throw 7; }), "no exception of std");
  has(failing([](const Wanted&, Proposals& out) {
        out.ids = {3, 4, 5};
        out.scores = {1, 2};
        return Status();
      }),
      "3 ids with 2 scores");
  has(failing([](const Wanted&, Proposals& out) {
        out.ids = {3};
        out.scores = {std::nanf("")};
        return Status();
      }),
      "not finite");
  has(failing([](const Wanted&, Proposals& out) {
        out.ids = {3};  // what it had before it failed does not count
        return io_error("the shelf is gone");
      }),
      "the shelf is gone");
  has(failing(nullptr), "no function");
}

// A class of one's own is not checked by callable_source, and still takes nothing down.
TEST(Sources, OfOnesOwnThatGiveTooFewScoresFail) {
  struct Short final : Source {
    Status propose(const Wanted&, Proposals& out) const override {
      out.ids = {3, 4, 5};
      out.scores = {1};
      out.exhausted = true;
      return {};
    }
  };
  World world(45, 20);
  const auto generator =
      make_generator(world.options({{"short", std::make_shared<Short>()}, {"good", ranked_list({1}).value()}}));
  const Candidates found = generate(*generator, {.k = 5});
  EXPECT_EQ(found.ids, (Ids{1}));
  EXPECT_NE(found.reports[0].status.message().find("3 ids with 1 scores"), std::string::npos)
      << found.reports[0].status.message();
}

// Scores for what it is asked for first and none for what a minimum asks for: then ranks alone count.
TEST(Sources, WithScoresNowAndThen) {
  World world(48, 100);
  const auto source = callable_source([](const Wanted& wanted, Proposals& out) {
    for (Id id = 0; id < 100 && out.ids.size() < wanted.n; ++id) {
      if (!wanted.allows(id)) continue;
      out.ids.push_back(id);
      if (wanted.allowed == nullptr) out.scores.push_back(-static_cast<float>(id));
    }
    return Status();
  });
  GeneratorOptions options = world.options({{"now and then", source}});
  options.minimums = {{field("minutes") == world.minutes[90], 1}};
  const Candidates found = generate(*make_generator(std::move(options)), {.k = 3});
  ASSERT_EQ(found.ids.size(), 3u);
  const auto last = static_cast<std::size_t>(found.ids[2]);
  EXPECT_EQ(found.ids, (Ids{0, 1, static_cast<Id>(last)}));
  EXPECT_EQ(world.minutes[last], world.minutes[90]);
  for (const float score : found.source_scores) EXPECT_TRUE(std::isnan(score));
}

// One that fails when it is asked for more keeps what it proposed before.
TEST(Sources, ThatFailLaterKeepWhatTheyProposed) {
  World world(46, 100);
  const auto once = callable_source([](const Wanted& wanted, Proposals& out) {
    if (wanted.n > 10) return not_found("page 2");
    for (Id id = 0; id < 10; ++id) out.ids.push_back(id);
    return Status();
  });
  const IdSet allowed = IdSet::from_ids(Ids{0, 1, 2, 3, 70}).value();
  const Candidates found = generate(*make_generator(world.options({{"pages", once}})), {.k = 10, .allowed = &allowed});
  EXPECT_EQ(found.ids, (Ids{0, 1, 2, 3}));
  EXPECT_NE(found.reports[0].status.message().find("page 2"), std::string::npos);
  EXPECT_EQ(found.ended_by, EndedBy::kExhausted);
  EXPECT_NE(found.reason.find("page 2"), std::string::npos) << found.reason;
}

TEST(Sources, WeighedWithNothingFillUp) {
  World world(47, 50);
  const auto generator = make_generator(
      world.options({{"first", ranked_list({7, 8}).value()}, {"rest", ranked_list({3, 8, 2}).value(), 0}}));
  EXPECT_EQ(generate(*generator, {.k = 4}).ids, (Ids{7, 8, 2, 3}));  // equal scores of 0 by id
}

}  // namespace
}  // namespace segue::test
