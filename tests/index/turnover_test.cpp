// A catalogue that is replaced three times over: searches look at hardly more than in a fresh index of the same items, and
// find as much.

#include <gtest/gtest.h>

#include <numeric>

#include "answers.hpp"
#include "segue/recall.hpp"
#include "support/sanitized.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;
constexpr std::size_t kItems = kSanitized ? 2000 : 6000;
constexpr std::size_t kQueries = 100;

struct Cost {
  double distances = 0;
  double recall = 0;
};

class Turnover : public testing::TestWithParam<IndexCase> {
 protected:
  Cost measure(const Index& index, const Vectors& x, const Vectors& queries) const {
    const std::unique_ptr<Index> exact = make_index({"flat", GetParam().metric, Storage::kF32}, kDim);
    EXPECT_TRUE(exact->add(MatrixView(x, kDim)).ok());
    const SearchResult truth = exact->search(MatrixView(queries, kDim), 10).value();
    std::vector<QueryStats> stats(kQueries);
    const SearchResult found = index.search(MatrixView(queries, kDim), 10, {.threads = 1, .stats = stats}).value();
    Cost cost;
    for (std::size_t q = 0; q < kQueries; ++q) {
      cost.distances += static_cast<double>(stats[q].distances) / kQueries;
      for (std::size_t i = 0; i < 10; ++i) {
        const auto begin = truth.ids.begin() + static_cast<std::ptrdiff_t>(10 * q);
        cost.recall += static_cast<double>(std::count(begin, begin + 10, found.ids[10 * q + i])) / (10.0 * kQueries);
      }
    }
    return cost;
  }
};

TEST_P(Turnover, CostsNothing) {
  Random random(311);
  // Forty kinds of item, of lengths that spread where products count; the kinds move while the catalogue turns over.
  constexpr std::size_t kKinds = 40;
  Vectors kinds = gaussian_vectors(random, kKinds, kDim);
  const auto draw = [&](std::size_t n) {
    Vectors x = gaussian_vectors(random, n, kDim);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t kind = random.below(kKinds);
      const double length = GetParam().metric == Metric::kInnerProduct ? std::pow(10.0, 2 * uniform(random)) : 1.0;
      for (std::size_t j = 0; j < kDim; ++j) {
        float& value = x[i * kDim + j];
        value = static_cast<float>(length) * (kinds[kind * kDim + j] + 0.4F * value);
      }
    }
    return x;
  };
  const auto drift = [&] {
    for (float& value : kinds) value += 0.01F * gaussian(random);
  };
  Vectors x = draw(kItems);
  const std::unique_ptr<Index> index = make_index(GetParam(), kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const std::size_t memory = index->memory_usage();
  // One by one, a few, and hundreds at a time.
  for (std::size_t replaced = 0, round = 0; replaced < 3 * kItems; ++round) {
    const std::size_t n = round % 3 == 0 ? 1 : round % 3 == 1 ? 20 : 400;
    drift();
    const Vectors fresh = draw(n);
    std::vector<Id> ids;
    for (std::size_t i = 0; i < n; ++i) ids.push_back(static_cast<Id>((replaced + i * 13) % kItems));
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(fresh.begin() + static_cast<std::ptrdiff_t>(i * kDim), kDim,
                  x.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(ids[i]) * kDim));
    }
    SEGUE_ASSERT_OK(index->upsert(MatrixView(fresh, kDim), ids));
    replaced += n;
  }
  SEGUE_ASSERT_OK(index->validate());
  const std::unique_ptr<Index> anew = make_index(GetParam(), kDim);
  SEGUE_ASSERT_OK(anew->add(MatrixView(x, kDim)));
  const Vectors queries = draw(kQueries);
  const Cost now = measure(*index, x, queries);
  const Cost then = measure(*anew, x, queries);
  EXPECT_GE(now.recall, then.recall - 0.01);
  EXPECT_LE(now.distances, 1.2 * then.distances);
  EXPECT_LE(index->memory_usage(), 2 * memory);  // room to grow by halves
  double longest = 0, lists = 0;
  for (const auto& [name, value] : index->stats()) {
    if (name == "longest list") longest = value;
    if (name == "lists") lists = value;
  }
  EXPECT_LE(longest * lists, 20.0 * kItems) << "a list of twenty times the mean";
  EXPECT_EQ(index->size(), kItems);
}

// Those go that searches find most often, a tenth of all at a time, as when the rights of what is popular are withdrawn.
using TurnoverOfHubs = Turnover;
TEST_P(TurnoverOfHubs, CostsNothing) {
  Random random(314);
  Vectors x = gaussian_vectors(random, kItems, kDim);  // in so many dimensions some are near to very many
  const std::unique_ptr<Index> index = make_index(GetParam(), kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Vectors queries = gaussian_vectors(random, kQueries, kDim);
  for (int round = 0; round < 10; ++round) {
    std::vector<std::size_t> found(kItems, 0);
    const SearchResult near = index->search(MatrixView(x, kDim), 10).value();
    for (const Id id : near.ids) ++found[static_cast<std::size_t>(id)];
    std::vector<Id> hubs(kItems);
    std::iota(hubs.begin(), hubs.end(), Id{0});
    std::stable_sort(hubs.begin(), hubs.end(), [&](Id a, Id b) {
      return found[static_cast<std::size_t>(a)] > found[static_cast<std::size_t>(b)];
    });
    hubs.resize(kItems / 10);
    EXPECT_GT(found[static_cast<std::size_t>(hubs[0])], 30U);
    const Vectors fresh = gaussian_vectors(random, hubs.size(), kDim);
    ASSERT_EQ(index->remove(hubs).value(), hubs.size());
    SEGUE_ASSERT_OK(index->add(MatrixView(fresh, kDim), hubs));
    for (std::size_t i = 0; i < hubs.size(); ++i) {
      std::copy_n(&fresh[i * kDim], kDim, &x[static_cast<std::size_t>(hubs[i]) * kDim]);
    }
  }
  SEGUE_ASSERT_OK(index->validate());
  const std::unique_ptr<Index> anew = make_index(GetParam(), kDim);
  SEGUE_ASSERT_OK(anew->add(MatrixView(x, kDim)));
  const Cost now = measure(*index, x, queries);
  const Cost then = measure(*anew, x, queries);
  EXPECT_GE(now.recall, then.recall - 0.01);
  EXPECT_LE(now.distances, 1.2 * then.distances);
}

// Lists are not trained anew, however far items have drifted, where there are fewer of those than of lists.
TEST(TurnoverOfFew, KeepsTheListsThatWereAskedFor) {
  Random random(312);
  auto index = IvfIndex::create(kDim, Metric::kL2, {.nlist = 64}).value();
  const Vectors x = gaussian_vectors(random, 300, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  std::vector<Id> ids(260);
  std::iota(ids.begin(), ids.end(), Id{40});
  ASSERT_EQ(index->remove(ids).value(), 260U);
  ids.resize(40);
  std::iota(ids.begin(), ids.end(), Id{0});
  for (int round = 0; round < 6; ++round) {
    Vectors far = gaussian_vectors(random, 40, kDim);
    for (float& value : far) value = 50 * value + 1000;
    SEGUE_ASSERT_OK(index->upsert(MatrixView(far, kDim), ids));
    SEGUE_ASSERT_OK(index->validate());
    EXPECT_EQ(index->search(MatrixView(far.data(), 1, kDim), 1, {.nprobe = 64}).value().ids[0], 0);
  }
}

// An eighth of the items are others, from the same distribution: lists go on from where they were, and find what lists made
// afresh do.
TEST(TurnoverOfAnEighth, MovesTheListsThereWere) {
  Random random(315);
  auto index = IvfIndex::create(kDim, Metric::kL2).value();
  Vectors x = gaussian_vectors(random, 3000, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const std::vector<float> trained = index->centroids();
  for (Id first = 0; first <= 375; first += 75) {
    EXPECT_EQ(index->centroids(), trained) << first;
    const Vectors fresh = gaussian_vectors(random, 75, kDim);
    std::copy(fresh.begin(), fresh.end(), x.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first) * kDim));
    std::vector<Id> ids(75);
    std::iota(ids.begin(), ids.end(), first);
    SEGUE_ASSERT_OK(index->upsert(MatrixView(fresh, kDim), ids));
    SEGUE_ASSERT_OK(index->validate());
  }
  auto anew = IvfIndex::create(kDim, Metric::kL2).value();
  SEGUE_ASSERT_OK(anew->add(MatrixView(x, kDim)));
  EXPECT_EQ(index->nlist(), anew->nlist());
  // Nine tenths are near where they were; those of other rows would be anywhere.
  const std::vector<float> moved = index->centroids();
  EXPECT_NE(moved, trained);
  std::size_t near = 0;
  for (std::size_t l = 0; l < index->nlist(); ++l) {
    double nearest = 1e30;
    for (std::size_t m = 0; m < index->nlist(); ++m) {
      double d = 0;
      for (std::size_t j = 0; j < kDim; ++j) d += std::pow(moved[l * kDim + j] - trained[m * kDim + j], 2.0);
      nearest = std::min(nearest, d);
    }
    near += nearest < 4;
  }
  EXPECT_GE(near, index->nlist() * 8 / 10);
  const Vectors queries = gaussian_vectors(random, 100, kDim);
  auto exact = FlatIndex::create(kDim, Metric::kL2).value();
  SEGUE_ASSERT_OK(exact->add(MatrixView(x, kDim)));
  const SearchResult truth = exact->search(MatrixView(queries, kDim), 10).value();
  const auto found = [&](const Index& by) {
    const SearchResult result = by.search(MatrixView(queries, kDim), 10, {.nprobe = 40}).value();
    return recall(result.ids, 10, truth.ids, 10, 10).value();
  };
  EXPECT_GE(found(*index), found(*anew) - 0.02);
}

// Rows lie in six directions of 48, and those turn while the catalogue is replaced twice, each step too small to be seen as
// drift. What codes leave out is then more and more, unless they are of directions that rows have now.
TEST(TurnoverOfDirections, IsFollowedByTheCodes) {
  constexpr std::size_t kWide = 48, kDirections = 6, kRows = 3000, kStep = 75;
  Random random(316);
  const auto draw = [&](std::size_t n, double turn) {
    const auto c = static_cast<float>(std::cos(turn)), s = static_cast<float>(std::sin(turn));
    Vectors x = gaussian_vectors(random, n, kWide);
    for (float& value : x) value *= 0.02F;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < kDirections; ++j) {
        const float along = gaussian(random);
        x[i * kWide + j] += c * along;
        x[i * kWide + kWide / 2 + j] += s * along;
      }
    }
    return x;
  };
  auto index = IvfIndex::create(kWide, Metric::kL2).value();
  Vectors x = draw(kRows, 0);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kWide)));
  for (std::size_t replaced = 0; replaced < 2 * kRows; replaced += kStep) {
    const Vectors fresh = draw(kStep, 1.57 * static_cast<double>(replaced) / (2.0 * kRows));
    std::vector<Id> ids(kStep);
    std::iota(ids.begin(), ids.end(), static_cast<Id>(replaced % kRows));
    std::copy(fresh.begin(), fresh.end(), x.begin() + static_cast<std::ptrdiff_t>(replaced % kRows * kWide));
    SEGUE_ASSERT_OK(index->upsert(MatrixView(fresh, kWide), ids));
  }
  SEGUE_ASSERT_OK(index->validate());
  auto anew = IvfIndex::create(kWide, Metric::kL2).value();
  SEGUE_ASSERT_OK(anew->add(MatrixView(x, kWide)));
  const Vectors queries = draw(100, 1.57);
  const auto distances = [&](const Index& of) {
    std::vector<QueryStats> stats(100);
    EXPECT_TRUE(of.search(MatrixView(queries, kWide), 10, {.nprobe = 16, .threads = 1, .stats = stats}).ok());
    return std::accumulate(stats.begin(), stats.end(), 0.0, [](double sum, const QueryStats& s) { return sum + static_cast<double>(s.distances); });
  };
  const auto error = [&](const Index& of) {
    std::vector<Id> ids(kRows);
    std::iota(ids.begin(), ids.end(), Id{0});
    const std::vector<float> rows = of.get(ids).value();
    double sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) sum += std::pow(rows[i] - x[i], 2.0);
    return std::sqrt(sum);
  };
  EXPECT_LE(distances(*index), 1.2 * distances(*anew));
  // Each of sixteen trainings rounds what the one before had rounded.
  EXPECT_LE(error(*index), 3 * error(*anew));
}

// Centres of a sample stay where what comes is like the sample, a row or hundreds at a time, and move where it is not.
TEST(TurnoverOfNothing, KeepsTheCentresThatTrainingFound) {
  Random random(313);
  auto index = IvfIndex::create(kDim, Metric::kL2, {.nlist = 16}).value();
  const Vectors sample = gaussian_vectors(random, 2000, kDim);
  SEGUE_ASSERT_OK(index->train(MatrixView(sample, kDim)));
  const std::vector<float> trained = index->centroids();
  for (const std::size_t n : {1, 7, 300, 300, 300}) {
    const Vectors like = gaussian_vectors(random, n, kDim);
    SEGUE_ASSERT_OK(index->add(MatrixView(like, kDim)));
    EXPECT_EQ(index->centroids(), trained) << index->size();
  }
  for (int round = 0; round < 2; ++round) {
    Vectors far = gaussian_vectors(random, 600, kDim);
    for (float& value : far) value = 9 * value + 30;
    SEGUE_ASSERT_OK(index->add(MatrixView(far, kDim)));
  }
  EXPECT_NE(index->centroids(), trained);
  EXPECT_EQ(index->nlist(), 16U);
  SEGUE_ASSERT_OK(index->validate());
}

// Not of lists: those of isotropic noise fit the rows that they were made of, and lose what comes later, hubs or not.
INSTANTIATE_TEST_SUITE_P(All, TurnoverOfHubs, testing::ValuesIn(cases({"flat", "hnsw"}, {Metric::kL2, Metric::kInnerProduct}, {Storage::kF32})),
                         CaseName());
INSTANTIATE_TEST_SUITE_P(All, Turnover, testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, {Metric::kL2, Metric::kInnerProduct}, {Storage::kF32})),
                         CaseName());

}  // namespace
}  // namespace segue::test
