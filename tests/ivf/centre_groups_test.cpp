// Many centres in groups: every centre has a place, rows join nearly the nearest, queries find nearly the best lists, and what
// is promised of few lists holds of many.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "index/vectors.hpp"
#include "ivf/centroids.hpp"
#include "ivf/list_bonuses.hpp"
#include "kernels/dispatch.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "segue/ivf.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 12;
constexpr std::size_t kGrouped = CentreBlocks::kLeastGrouped;
// So many that queries rank them by groups.
constexpr std::size_t kMany = 16384;

double squared(const float* x, const float* y) {
  double sum = 0;
  for (std::size_t j = 0; j < kDim; ++j) sum += (static_cast<double>(x[j]) - y[j]) * (static_cast<double>(x[j]) - y[j]);
  return sum;
}

Centroids group(const Vectors& centres) { return Centroids(kernels::active_kernels(), MatrixView(centres, kDim)); }

void check_places(const Centroids& centroids) {
  ASSERT_NE(centroids.groups(), nullptr);
  const CentreGroups& groups = *centroids.groups();
  ASSERT_EQ(groups.places(), centroids.places());
  std::set<std::size_t> places;
  for (std::size_t c = 0; c < centroids.size(); ++c) {
    const std::size_t place = groups.place_of(c), g = groups.group_of(c);
    ASSERT_LT(place, groups.places());
    ASSERT_EQ(groups.centre_at(place), c);
    ASSERT_GE(place, groups.first_block(g) * kernels::kBlockRows);
    ASSERT_LT(place, (groups.first_block(g) + groups.blocks(g)) * kernels::kBlockRows);
    places.insert(place);
  }
  ASSERT_EQ(places.size(), centroids.size());
  for (std::size_t p = 0; p < groups.places(); ++p) {
    if (places.contains(p)) continue;
    ASSERT_EQ(groups.centre_at(p), CentreGroups::kNoCentre);
  }
}

TEST(CentreGroups, EveryCentreHasAPlace) {
  Random random(31);
  EXPECT_EQ(group(gaussian_vectors(random, kGrouped - 1, kDim)).groups(), nullptr);
  check_places(group(gaussian_vectors(random, kGrouped, kDim)));
  check_places(group(clustered_vectors(random, 3000, kDim, 7, 0.1f)));
  check_places(group(wide_norm_vectors(random, 3000, kDim, 6)));
  // Nothing to tell them apart: fewer groups than were wanted.
  check_places(group(Vectors(kGrouped * kDim, 0.5f)));
}

TEST(CentreGroups, RowsJoinNearlyTheNearest) {
  Random random(32);
  for (const bool clustered : {false, true}) {
    SCOPED_TRACE(clustered);
    const Vectors rows = clustered ? clustered_vectors(random, 2 * kGrouped, kDim, 60, 0.3f)
                                   : gaussian_vectors(random, 2 * kGrouped, kDim);
    const Vectors centres(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kGrouped * kDim));
    const Centroids centroids = group(centres);
    const std::size_t n = kSanitized ? 200 : 1000;
    const MatrixView asked = MatrixView(rows, kDim).slice(kGrouped - n / 2, n);  // half of them centres
    std::vector<std::uint32_t> lists(n), rough(n), exact(n);
    centroids.assign(asked, lists.data(), 1);
    centroids.assign(asked, rough.data(), 1, Assignment::kRough);
    centroids.assign(asked, exact.data(), 1, Assignment::kExact);
    std::size_t same = 0;
    double sum = 0, rough_sum = 0, least_sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double least = squared(asked.row(i), centres.data());
      for (std::size_t c = 1; c < kGrouped; ++c) least = std::min(least, squared(asked.row(i), centres.data() + c * kDim));
      const double own = squared(asked.row(i), centres.data() + lists[i] * kDim);
      ASSERT_LE(squared(asked.row(i), centres.data() + exact[i] * kDim), 1.01 * least + 1e-6);
      if (i < n / 2) {
        ASSERT_NEAR(own, 0, 1e-6) << "a centre joins itself";
      }
      same += own <= least * (1 + 1e-6) + 1e-9;
      sum += own;
      rough_sum += squared(asked.row(i), centres.data() + rough[i] * kDim);
      least_sum += least;
    }
    EXPECT_GE(same, n * 97 / 100);
    EXPECT_LE(sum, 1.01 * least_sum);
    EXPECT_LE(rough_sum, 1.03 * least_sum);
  }
}

// Whatever comes with it, on however many threads.
TEST(CentreGroups, ARowJoinsTheSameList) {
  Random random(33);
  const Vectors centres = gaussian_vectors(random, kGrouped, kDim);
  const Vectors rows = gaussian_vectors(random, 3000, kDim);
  std::vector<std::uint32_t> lists(3000), other(3000);
  const Centroids centroids = group(centres);
  centroids.assign(MatrixView(rows, kDim), lists.data(), 1);
  for (const int threads : {2, 3, 16}) {
    centroids.assign(MatrixView(rows, kDim), other.data(), threads);
    EXPECT_EQ(other, lists) << threads;
  }
  for (std::size_t i = 0; i < 3000; i += 501) {
    centroids.assign(MatrixView(rows, kDim).slice(i, 1), other.data(), 1);
    EXPECT_EQ(other[0], lists[i]);
  }
  for (const kernels::KernelTable* table : kernels::available_kernels()) {
    Centroids(*table, MatrixView(centres, kDim)).assign(MatrixView(rows, kDim), other.data(), 2);
    EXPECT_EQ(other, lists) << table->name;
  }
}

TEST(CentreGroups, NumbersThatOverflowJoinAListToo) {
  Random random(34);
  const Centroids centroids = group(gaussian_vectors(random, kGrouped, kDim));
  for (const float size : {1e19f, 1e30f, 3e38f, 1e-44f}) {
    const Vectors row(kDim, size);
    for (const Assignment how : {Assignment::kRough, Assignment::kNear, Assignment::kExact}) {
      std::uint32_t list = ~0u;
      centroids.assign(MatrixView(row, kDim), &list, 1, how);
      EXPECT_LT(list, kGrouped) << size;
    }
  }
}

TEST(CentreGroups, QueriesFindNearlyTheBestLists) {
  Random random(35);
  const Vectors centres = clustered_vectors(random, kMany, kDim, 100, 0.5f);
  const Vectors query = clustered_vectors(random, kSanitized ? 8 : 60, kDim, 100, 0.5f);
  const std::size_t n = query.size() / kDim;
  const Centroids centroids = group(centres);
  EXPECT_LT(centroids.looked_at(32), kMany / 4);
  EXPECT_EQ(centroids.looked_at(kMany), kMany);
  ListBonuses bonuses;
  bonuses.start(centroids, 0.4f);
  std::vector<float> spread(kMany);
  for (std::size_t c = 0; c < kMany; ++c) {
    spread[c] = static_cast<float>(uniform(random));
    bonuses.set(centroids, c, spread[c]);
  }
  std::vector<const float*> queries;
  for (std::size_t q = 0; q < n; ++q) queries.push_back(query.data() + q * kDim);
  std::vector<unsigned char> barred(kMany, 0);
  for (unsigned char& b : barred) b = random.below(3) == 0;
  RankMemory memory;
  for (const bool nearest : {true, false}) {
    for (const bool bars : {false, true}) {
      for (const std::size_t count : {1u, 32u, 256u}) {
        SCOPED_TRACE(std::to_string(nearest) + std::to_string(bars) + " " + std::to_string(count));
        ListWorth worth = nearest ? ListWorth{.bonus = centroids.nearness()} : bonuses.worth();
        if (bars) worth.barred = barred;
        std::vector<std::uint32_t> lists(n * count);
        centroids.rank(queries, worth, count, memory, lists.data());
        std::size_t found = 0;
        for (std::size_t q = 0; q < n; ++q) {
          std::vector<std::pair<double, std::uint32_t>> each;
          double length = 0;
          for (std::size_t j = 0; j < kDim; ++j) length += static_cast<double>(queries[q][j]) * queries[q][j];
          for (std::uint32_t c = 0; c < kMany; ++c) {
            if (bars && barred[c] != 0) continue;
            double worth_of_list = nearest ? -squared(queries[q], centres.data() + c * kDim) : 0;
            for (std::size_t j = 0; !nearest && j < kDim; ++j) {
              worth_of_list += static_cast<double>(queries[q][j]) * centres[c * kDim + j];
            }
            if (!nearest) worth_of_list += std::sqrt(length) * 0.4 * static_cast<double>(spread[c]);
            each.emplace_back(-worth_of_list, c);
          }
          std::partial_sort(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(count), each.end());
          const std::set<std::uint32_t> own(lists.begin() + static_cast<std::ptrdiff_t>(q * count),
                                            lists.begin() + static_cast<std::ptrdiff_t>((q + 1) * count));
          ASSERT_EQ(own.size(), count) << "a list twice";
          for (const std::uint32_t l : own) {
            ASSERT_LT(l, kMany);
            ASSERT_TRUE(!bars || barred[l] == 0);
          }
          for (std::size_t i = 0; i < count; ++i) found += own.contains(each[i].second);
        }
        EXPECT_GE(static_cast<double>(found), 0.85 * static_cast<double>(n * count));
      }
    }
  }
}

// Groups that hold nothing which may be visited end no search for lists that do.
TEST(CentreGroups, TheLastListsThatAreOpenAreFound) {
  Random random(36);
  const Centroids centroids = group(gaussian_vectors(random, kMany, kDim));
  const Vectors query = gaussian_vectors(random, 5, kDim);
  std::vector<unsigned char> barred(kMany, 1);
  std::vector<std::uint32_t> open;
  while (open.size() < 20) {
    const auto l = static_cast<std::uint32_t>(random.below(kMany));
    if (std::exchange(barred[l], 0) == 1) open.push_back(l);
  }
  std::sort(open.begin(), open.end());
  RankMemory memory;
  for (std::size_t q = 0; q < 5; ++q) {
    const float* queries[] = {query.data() + q * kDim};
    std::vector<std::uint32_t> lists(20);
    centroids.rank(queries, {.bonus = centroids.nearness(), .barred = barred}, 20, memory, lists.data());
    std::sort(lists.begin(), lists.end());
    EXPECT_EQ(lists, open);
  }
  for (const float size : {0.0f, 1e-44f, 1e30f, 3e38f}) {
    const Vectors odd(kDim, size);
    const float* queries[] = {odd.data()};
    std::vector<std::uint32_t> lists(40);
    centroids.rank(queries, {.bonus = centroids.nearness()}, 40, memory, lists.data());
    EXPECT_EQ(std::set<std::uint32_t>(lists.begin(), lists.end()).size(), 40U) << size;
  }
}

// An index of as many lists, through what may happen to it, against an exact one.
TEST(CentreGroups, AnIndexOfManyListsKeepsItsPromises) {
  Random random(37);
  const std::size_t n = kMany + 3000;
  const Vectors x = wide_norm_vectors(random, n, kDim, 2);
  const Vectors queries = wide_norm_vectors(random, kSanitized ? 5 : 25, kDim, 2);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    if (kSanitized && metric == Metric::kL2) continue;  // half a minute each
    SCOPED_TRACE(to_string(metric));
    auto flat = FlatIndex::create(kDim, metric).value();
    auto ivf = IvfIndex::create(kDim, metric, {.nlist = kMany, .storage = Storage::kF32}).value();
    for (Index* index : {static_cast<Index*>(flat.get()), static_cast<Index*>(ivf.get())}) {
      ASSERT_TRUE(index->add(MatrixView(x, kDim)).ok());
      ASSERT_EQ(index->remove(std::vector<Id>{5, 6, 7, 4000}).value(), 4U);
      const std::vector<Id> moved{9, 10, 12000};
      ASSERT_TRUE(index->upsert(MatrixView(x, kDim).slice(100, 3), moved).ok());
    }
    ASSERT_TRUE(ivf->validate().ok());
    const TemporaryFolder folder;
    const std::string path = folder.file("many.segue");
    ASSERT_TRUE(ivf->save(path).ok());
    const auto loaded = load(path).value();
    const MatrixView asked(queries, kDim);
    const auto expected = flat->search(asked, 10).value();
    for (const Index* index : {static_cast<const Index*>(ivf.get()), static_cast<const Index*>(loaded.get())}) {
      const auto all = index->search(asked, 10, {.nprobe = kMany}).value();
      EXPECT_EQ(all.ids, expected.ids) << "all lists";
      const auto some = index->search(asked, 10, {.nprobe = 256}).value();
      std::size_t found = 0;
      for (std::size_t q = 0; q < asked.rows(); ++q) {
        const auto first = static_cast<std::ptrdiff_t>(10 * q);
        const std::set<Id> truth(expected.ids.begin() + first, expected.ids.begin() + first + 10);
        for (std::size_t i = 10 * q; i < 10 * q + 10; ++i) found += truth.contains(some.ids[i]);
      }
      EXPECT_GE(found, asked.rows() * 10 * 9 / 10);
      EXPECT_EQ(some.ids, ivf->search(asked, 10, {.nprobe = 256, .threads = 2}).value().ids);
    }
  }
}

}  // namespace
}  // namespace segue::test
