// Many requests at once: each gets what it gets alone, whatever else is in the batch.

#include <atomic>
#include <stdexcept>

#include "candidates/world.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = World::kDim;

void expect_same(const Candidates& found, const Candidates& expected, std::size_t i) {
  EXPECT_EQ(found.ids, expected.ids) << "request " << i;
  EXPECT_EQ(found.scores, expected.scores) << "request " << i;
  EXPECT_EQ(found.offsets, expected.offsets) << "request " << i;
  EXPECT_EQ(found.sources, expected.sources) << "request " << i;
  EXPECT_EQ(found.ranks, expected.ranks) << "request " << i;
  EXPECT_EQ(found.ended_by, expected.ended_by) << "request " << i;
  EXPECT_EQ(found.reason, expected.reason) << "request " << i;
  ASSERT_EQ(found.reports.size(), expected.reports.size());
  for (std::size_t s = 0; s < found.reports.size(); ++s) {
    EXPECT_EQ(found.reports[s].status.message(), expected.reports[s].status.message()) << "request " << i;
    EXPECT_EQ(found.reports[s].proposed, expected.reports[s].proposed) << "request " << i << ", source " << s;
    EXPECT_EQ(found.reports[s].cut, expected.reports[s].cut) << "request " << i << ", source " << s;
  }
}

// All kinds of requests: several vectors in each way, seeds, filters that many share, exclusions, nothing at all.
struct Mixture {
  Mixture(World& world, std::size_t n) : vectors(gaussian_vectors(world.random, n + 3, kDim)) {
    const IdSet half = IdSet::from_ids(world.ranked([](Id id) { return static_cast<double>(-id); })).value();
    allowed = half & ~IdSet::from_ids(std::vector<Id>{3, 5, 8}).value();
    excluded.resize(n);
    seeds.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = world.random.below(40); j > 0; --j) excluded[i].push_back(static_cast<Id>(world.random.below(world.size() + 50)));
      for (std::size_t j = world.random.below(4); j > 0; --j) seeds[i].push_back(static_cast<Id>(world.random.below(world.size() + 5)));
    }
    for (std::size_t i = 0; i < n; ++i) {
      requests.push_back({.k = i % 3 == 0 ? 10u : 25u,
                          .vectors = MatrixView(vectors.data() + i * kDim, world.random.below(4), kDim),
                          .combine = static_cast<Combine>(world.random.below(5)),
                          .seeds = seeds[i],
                          .exclude = excluded[i]});
      Request& request = requests.back();
      switch (world.random.below(6)) {
        case 0: request.filter = field("minutes") < 30; break;
        case 1: request.filter = field("minutes") < static_cast<std::int64_t>(i); break;
        case 2: request.filter = field("minutes") > 100; break;  // nobody
        case 3: request.allowed = &allowed; break;
        case 4: request.allowed = &allowed, request.filter = field("minutes") < 30; break;
        default: break;
      }
      if (world.random.below(8) == 0) request.deadline_us = 10'000'000;
    }
  }

  Vectors vectors;
  IdSet allowed;
  std::vector<std::vector<Id>> excluded, seeds;
  std::vector<Request> requests;
};

std::shared_ptr<Index> make_index(const World& world, std::string_view kind) {
  std::shared_ptr<Index> index;
  if (kind == "flat") index = FlatIndex::create(kDim, world.metric).value();
  if (kind == "hnsw") index = HnswIndex::create(kDim, world.metric).value();
  if (kind == "ivf") {
    auto lists = IvfIndex::create(kDim, world.metric, {.nlist = 16}).value();
    EXPECT_TRUE(lists->train(MatrixView(world.vectors, kDim)).ok());
    index = std::move(lists);
  }
  EXPECT_TRUE(index->add(MatrixView(world.vectors, kDim)).ok());
  return index;
}

TEST(GenerateBatch, EachAsByItself) {
  std::uint64_t seed = 60;
  for (const std::string_view kind : {"flat", "hnsw", "ivf"}) {
    for (const Metric metric : {Metric::kInnerProduct, Metric::kL2, Metric::kCosine}) {
      World world(++seed, 900, metric);
      const auto index = make_index(world, kind);
      GeneratorOptions options = world.options({{"taste", nearest_to_vectors(index)},
                                                {"session", nearest_to_seeds(index), 0.5f},
                                                {"popular", ranked_list({1, 2, 3, 4, 5, 6, 7, 8}).value(), 0.2f}});
      options.caps = {{"artist", 1}};
      const Mixture mixture(world, 150);
      for (const bool whole : {false, true}) {
        SCOPED_TRACE(std::string(kind) + " " + std::string(to_string(metric)) + (whole ? ", with all rules" : ""));
        if (whole) {
          options.minimums = {{field("minutes") == 3, 4}};
          options.mmr = Mmr{index, 0.6f, 60};
        }
        const auto generator = make_generator(options);
        for (const int threads : {1, 3}) {
          const auto found = generator->generate(mixture.requests, threads);
          ASSERT_TRUE(found.ok()) << found.status().message();
          for (std::size_t i = 0; i < found->size(); ++i) {
            expect_same((*found)[i], generate(*generator, mixture.requests[i]), i);
          }
        }
      }
    }
  }
}

// Widening: most lists are full after a pass, some need several.
TEST(GenerateBatch, SomeGoOnAlone) {
  World world(71, 900, Metric::kL2);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
  options.caps = {{"mood", 15}};
  const auto generator = make_generator(std::move(options));
  const Vectors vectors = gaussian_vectors(world.random, 100, kDim);
  std::vector<Request> requests;
  for (std::size_t i = 0; i < 100; ++i) requests.push_back({.k = 1 + i % 50, .vectors = MatrixView(vectors.data() + i * kDim, 1, kDim)});
  const auto found = generator->generate(requests, 1).value();
  std::size_t wider = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    expect_same(found[i], generate(*generator, requests[i]), i);
    wider += found[i].reports[0].proposed > requests[i].k;
  }
  EXPECT_GT(wider, 10u);
  EXPECT_LT(wider, 90u);
}

// A source that takes batches in its own way, and may not be up to them.
class Counting final : public Source {
 public:
  enum Way { kAnswers, kRefuses, kThrows, kForgetsAScore };
  explicit Counting(Way way) : way_(way) {}

  Status propose(const Wanted& wanted, Proposals& out) const override {
    ++alone;
    if (wanted.request.seeds[0] == 7) throw std::runtime_error("seven");
    if (wanted.request.seeds[0] == 8) return {StatusCode::kUnsupported, "eight"};
    put(wanted, out);
    return {};
  }
  bool propose_batch(std::span<const Wanted> wanted, std::span<Proposals> out) const override {
    ++batches;
    together += wanted.size();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_TRUE(out[i].ids.empty() && out[i].scores.empty() && !out[i].exhausted);
      EXPECT_EQ(wanted[i].deadline_us, 0);
      put(wanted[i], out[i]);
    }
    if (way_ == kThrows) throw std::runtime_error("not together");
    if (way_ == kForgetsAScore) out.back().scores.pop_back();
    return way_ != kRefuses;
  }

  mutable std::atomic<std::size_t> alone{0}, batches{0}, together{0};

 private:
  static void put(const Wanted& wanted, Proposals& out) {
    for (Id id = wanted.request.seeds[0]; out.ids.size() < wanted.n; ++id) {
      if (!wanted.allows(id)) continue;
      out.ids.push_back(id);
      out.scores.push_back(static_cast<float>(-id));
    }
  }
  Way way_;
};

TEST(GenerateBatch, SourcesThatTakeBatches) {
  std::vector<Id> seeds(10);
  std::vector<Request> requests;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    seeds[i] = static_cast<Id>(i);
    requests.push_back({.k = 5, .seeds = std::span(seeds).subspan(i, 1)});
  }
  requests[4].deadline_us = 10'000'000;  // comes alone
  for (const auto way : {Counting::kAnswers, Counting::kRefuses, Counting::kThrows, Counting::kForgetsAScore}) {
    SCOPED_TRACE(way);
    const auto source = std::make_shared<Counting>(way);
    GeneratorOptions options;
    options.sources = {{"own", source}};
    const auto generator = make_generator(std::move(options));
    const auto found = generator->generate(requests, 1).value();
    EXPECT_EQ(source->batches, 1u);
    EXPECT_EQ(source->together, 9u);
    EXPECT_EQ(source->alone, way == Counting::kAnswers ? 1u : 10u);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const bool fails = way != Counting::kAnswers && (i == 7 || i == 8);
      const Id first = static_cast<Id>(i) + 1;  // what was just played is not proposed
      EXPECT_EQ(found[i].ids, fails ? std::vector<Id>() : std::vector<Id>({first, first + 1, first + 2, first + 3, first + 4})) << i;
      const std::string said = !fails ? "" : i == 7 ? "it threw: seven" : "eight";
      EXPECT_EQ(found[i].reports[0].status.message(), said) << i;
    }
  }
}

// One that cannot be answered fails the call, and says which it was.
TEST(GenerateBatch, BadRequestsAreNamed) {
  World world(72, 100);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}});
  const auto generator = make_generator(std::move(options));
  const Vectors vectors = gaussian_vectors(world.random, 100, kDim);
  std::vector<Request> requests(80, {.k = 5, .vectors = MatrixView(vectors, kDim)});
  requests[70].k = 0;
  const auto found = generator->generate(requests, 1);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().message(), "request 70: a request came with k of 0; it must be at least 1");
}

// Vectors that cancel out fail one source of one request; the batch goes on.
TEST(GenerateBatch, OneFailureIsOnesOwn) {
  World world(73, 200, Metric::kCosine);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)}, {"popular", ranked_list({4, 5, 6}).value()}});
  const auto generator = make_generator(std::move(options));
  Vectors vectors = gaussian_vectors(world.random, 2 * 20, kDim);
  for (std::size_t j = 0; j < kDim; ++j) vectors[(2 * 9 + 1) * kDim + j] = -vectors[2 * 9 * kDim + j];
  std::vector<Request> requests;
  for (std::size_t i = 0; i < 20; ++i) {
    requests.push_back({.k = 5, .vectors = MatrixView(vectors.data() + 2 * i * kDim, 2, kDim), .combine = Combine::kSum});
  }
  const auto found = generator->generate(requests, 1).value();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    expect_same(found[i], generate(*generator, requests[i]), i);
    EXPECT_EQ(found[i].reports[0].status.ok(), i != 9) << i;
  }
}

}  // namespace
}  // namespace segue::test
