// Random catalogues, generators and requests: the list is that of the reference, place by place, and so are its scores
// and who proposed what.

#include <memory>

#include "candidates/slow_generator.hpp"

namespace segue::test {
namespace {

// A generator, the same for the reference, and a request. Members are borrowed by each other: it stays where it is.
struct Case {
  explicit Case(std::uint64_t seed)
      : random(seed), shelf(random, 20 + random.below(random.below(3) == 0 ? 380 : 100), metric_of(random.below(3))) {
    options.catalog = shelf.catalog;
    make_request();
    make_sources();
    make_rules();
  }
  Case(const Case&) = delete;

  static Metric metric_of(std::size_t i) { return std::vector{Metric::kInnerProduct, Metric::kCosine, Metric::kL2}[i]; }
  bool one_in(std::size_t n) { return random.below(n) == 0; }
  Id any_id() { return static_cast<Id>(random.below(3 * shelf.ids.size() + 20)); }
  std::vector<Id> some_ids(std::size_t most) {
    std::vector<Id> ids(random.below(most + 1));
    for (Id& id : ids) id = any_id();
    return ids;
  }

  void make_request() {
    request.k = 1 + random.below(one_in(4) ? 120 : 30);
    people = gaussian_vectors(random, one_in(8) ? 0 : 1 + random.below(3), Shelf::kDim);
    request.vectors = people.empty() ? MatrixView() : MatrixView(people, Shelf::kDim);
    request.combine = static_cast<Combine>(random.below(5));
    for (std::size_t i = 0; i < request.vectors.rows(); ++i)
      weights.push_back(0.25f + static_cast<float>(uniform(random)));
    if (one_in(2)) request.weights = weights;
    seeds = some_ids(6);
    request.seeds = seeds;
    request.seed_half_life = 0.5 + 4 * uniform(random);
    request.exclude_seeds = one_in(2);
    exclude = some_ids(one_in(3) ? shelf.ids.size() : 10);
    if (one_in(4)) exclude.push_back(-1);
    request.exclude = exclude;
    if (one_in(2)) {
      filter = random_condition(random, shelf);
      request.filter = filter->expression;
    }
    if (one_in(3)) {
      const std::vector<Id> some = some_ids(shelf.ids.size());
      allowed = one_in(2) ? IdSet::from_ids(some).value() : ~IdSet::from_ids(some).value();
      request.allowed = &*allowed;
    }
  }

  bool allows(Id id) const {
    const auto in = [id](const std::vector<Id>& ids) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
    return id >= 0 && !in(exclude) && !(request.exclude_seeds && in(seeds)) && (!filter || filter->matches(id)) &&
           (!allowed || allowed->contains(id));
  }

  void add(std::string name, std::shared_ptr<const Source> source, SlowSource same) {
    options.sources.push_back(
        {std::move(name), std::move(source), one_in(10) ? 0.0f : 0.1f + static_cast<float>(uniform(random))});
    slow.push_back(std::move(same));
  }

  void make_sources() {
    options.blend = static_cast<Blend>(random.below(3));
    if (one_in(2)) add("taste", nearest_to_vectors(shelf.index), slow_nearest_to_vectors(shelf, request));
    if (one_in(2)) add("session", nearest_to_seeds(shelf.index), slow_nearest_to_seeds(shelf, request));
    if (one_in(2)) {
      std::vector<Id> ids = some_ids(60);
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      for (std::size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
      add("popular", ranked_list(ids).value(), slow_list(ids));
    }
    if (one_in(2) || options.sources.empty()) {
      // As functions are: it does not look at what is allowed, and repeats itself.
      const std::vector<Id> ids = some_ids(80);
      std::vector<float> scores;
      for (std::size_t i = 0; i < ids.size(); ++i) scores.push_back(static_cast<float>(100 + random.below(1000)) / 7);
      std::sort(scores.rbegin(), scores.rend());
      add("function", callable_source([ids, scores](const Wanted&, Proposals& out) {
            out.ids = ids;
            out.scores = scores;
            return Status();
          }),
          slow_list(ids, scores));
    }
    if (options.blend != Blend::kShares) return;
    for (SourceSpec& spec : options.sources) spec.share = one_in(3) ? 0 : static_cast<float>(uniform(random)) / 4;
    options.sources.front().share = 0.2f;
  }

  void make_rules() {
    for (const char* column : {"artist", "moods", "minutes", "live", "released"}) {
      if (one_in(5)) options.caps.push_back({column, 1 + random.below(one_in(2) ? 3 : 15)});
    }
    for (std::size_t n = one_in(2) ? random.below(4) : 0; n > 0; --n) {
      const Condition wanted = random_condition(random, shelf);
      options.minimums.push_back({wanted.expression, 1 + random.below(std::min<std::size_t>(request.k, 8))});
      minimums.push_back(wanted.matches);
    }
    if (one_in(3) && options.blend != Blend::kShares) {
      options.mmr = Mmr{shelf.index, static_cast<float>(random.below(11)) / 10, 1 + random.below(100)};
    }
    if (one_in(4)) options.freshness = Freshness{"released", 1 + 500 * uniform(random), uniform(random), Shelf::kNow};
    if (one_in(4)) options.popularity = Popularity{"plays", 0.1 * uniform(random)};
  }

  Random random;
  Shelf shelf;
  Vectors people;
  std::vector<float> weights;
  std::vector<Id> seeds, exclude;
  std::optional<Condition> filter;
  std::optional<IdSet> allowed;
  Request request;
  GeneratorOptions options;
  std::vector<SlowSource> slow;
  std::vector<Allows> minimums;
};

// What holds for every list, whatever the reference says.
void expect_rules(const Case& c, const Candidates& found) {
  std::set<Id> distinct;
  std::map<std::string, std::size_t> of_group;
  ASSERT_LE(found.ids.size(), c.request.k);
  for (const Id id : found.ids) {
    ASSERT_TRUE(distinct.insert(id).second) << "twice: " << id;
    ASSERT_TRUE(c.allows(id)) << "not allowed: " << id;
    for (const GroupCap& cap : c.options.caps) {
      for (const std::string& group : c.shelf.groups(cap.column, id)) {
        ASSERT_LE(++of_group[cap.column + "=" + group], cap.at_most) << cap.column << " " << group;
      }
    }
  }
  ASSERT_EQ(found.scores.size(), found.ids.size());
  ASSERT_EQ(found.offsets.size(), found.ids.size() + 1);
  ASSERT_EQ(found.offsets.back(), found.sources.size());
  ASSERT_EQ(found.ranks.size(), found.sources.size());
  ASSERT_EQ(found.source_scores.size(), found.sources.size());
  ASSERT_EQ(found.reports.size(), c.options.sources.size());
  for (const SourceReport& report : found.reports) ASSERT_TRUE(report.status.ok()) << report.status.message();
  ASSERT_EQ(found.ended_by, found.ids.size() == c.request.k ? EndedBy::kFull : EndedBy::kExhausted);
  ASSERT_EQ(found.reason.empty(), found.ids.size() == c.request.k) << found.reason;
}

void expect_same(const SlowList& expected, const Candidates& found) {
  ASSERT_EQ(found.ids.size(), expected.items.size());
  for (std::size_t i = 0; i < expected.items.size(); ++i) {
    const SlowItem& item = expected.items[i];
    ASSERT_EQ(found.ids[i], item.id) << "place " << i;
    ASSERT_NEAR(found.scores[i], item.score, 1e-5) << "place " << i;
    ASSERT_EQ(found.offsets[i + 1] - found.offsets[i], item.proposed.size()) << "place " << i;
    for (std::size_t j = 0; j < item.proposed.size(); ++j) {
      const auto& [source, rank, score] = item.proposed[j];
      const std::size_t at = found.offsets[i] + j;
      ASSERT_EQ(found.sources[at], source) << "place " << i;
      ASSERT_EQ(found.ranks[at], rank) << "place " << i;
      ASSERT_EQ(std::isnan(found.source_scores[at]), std::isnan(score)) << "place " << i;
      if (!std::isnan(score)) {
        ASSERT_NEAR(found.source_scores[at], score, 1e-4 * (1 + std::abs(score))) << "place " << i;
      }
    }
  }
}

TEST(GenerateProperty, TheListIsThatOfTheReference) {
  std::size_t full = 0, empty = 0, ambiguous = 0;
  constexpr std::uint64_t kCases = 400;
  for (std::uint64_t seed = 1; seed <= kCases; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case c(seed);
    const auto generator = CandidateGenerator::create(c.options);
    ASSERT_TRUE(generator.ok()) << generator.status().message();
    const Result<Candidates> found = (*generator)->generate(c.request);
    ASSERT_TRUE(found.ok()) << found.status().message();
    ASSERT_NO_FATAL_FAILURE(expect_rules(c, *found));
    SlowGenerator reference(c.shelf, c.options, c.slow, c.minimums);
    const SlowList expected = reference.generate(c.request, [&](Id id) { return c.allows(id); });
    full += expected.full;
    empty += expected.items.empty();
    ambiguous += expected.ambiguous;
    if (!expected.ambiguous) {
      ASSERT_NO_FATAL_FAILURE(expect_same(expected, *found));
    }
  }
  // The cases are of every kind, and few are left out.
  EXPECT_GT(full, kCases / 4);
  EXPECT_GT(kCases - full, kCases / 4);
  EXPECT_LT(empty, kCases / 4);
  EXPECT_LT(ambiguous, kCases / 8);
  RecordProperty("ambiguous", static_cast<int>(ambiguous));
}

// Nothing of a request stays behind for the next one: scratch memory is shared.
TEST(GenerateProperty, TheSameRequestGetsTheSameAnswerAgain) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case c(seed);
    const auto generator = CandidateGenerator::create(c.options).value();
    const Candidates first = generator->generate(c.request).value();
    Request other = c.request;
    other.k = c.request.k + 50;
    other.exclude = {};
    ASSERT_TRUE(generator->generate(other).ok());
    const std::vector<Request> both = {other, c.request};
    const auto batch = generator->generate(both, 2).value();
    for (const Candidates& again : {generator->generate(c.request).value(), batch[1]}) {
      ASSERT_EQ(again.ids, first.ids);
      ASSERT_EQ(again.scores, first.scores);
      ASSERT_EQ(again.offsets, first.offsets);
      ASSERT_EQ(again.sources, first.sources);
      ASSERT_EQ(again.ranks, first.ranks);
      ASSERT_EQ(again.reason, first.reason);
    }
  }
}

}  // namespace
}  // namespace segue::test
