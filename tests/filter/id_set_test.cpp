// IdSet: what its header promises, case by case.

#include "segue/filter.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "id_set_universe.hpp"
#include "segue/core/id_set_reader.hpp"

namespace segue::test {
namespace {

std::vector<Id> range(Id first, Id last) {
  std::vector<Id> ids(static_cast<std::size_t>(last - first));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

IdSet of(const std::vector<Id>& ids) { return IdSet::from_ids(ids).value(); }

TEST(IdSet, IsEmptyAtFirst) {
  const IdSet none;
  EXPECT_EQ(none.listed(), 0U);
  EXPECT_FALSE(none.is_complement());
  EXPECT_FALSE(none.contains(0));
  EXPECT_EQ(none.memory_usage(), 0U);
  EXPECT_EQ(none, of({}));
  EXPECT_EQ(none, IdSet::from_mask({}));
  EXPECT_TRUE((~none).contains(0));
  EXPECT_TRUE((~none).contains(kLargestId));
  EXPECT_TRUE(none.validate().ok());
}

TEST(IdSet, HoldsTheSmallestAndTheLargestId) {
  const IdSet ends = of({kLargestId, 0});
  EXPECT_TRUE(ends.validate().ok());
  EXPECT_TRUE(ends.contains(0));
  EXPECT_TRUE(ends.contains(kLargestId));
  EXPECT_FALSE(ends.contains(1));
  EXPECT_FALSE(ends.contains(kLargestId - 1));
  EXPECT_EQ(ends.listed_ids(), (std::vector<Id>{0, kLargestId}));
}

TEST(IdSet, HoldsNoNegativeNumber) {
  for (const Id id : {Id{-1}, Id{-65536}, std::numeric_limits<Id>::min()}) {
    EXPECT_FALSE(of({0, 65535}).contains(id));
    EXPECT_FALSE((~of({0, 65535})).contains(id));
    EXPECT_FALSE((~IdSet()).contains(id));
  }
}

TEST(IdSet, RefusesNegativeIdsAndNamesTheFirst) {
  const Result<IdSet> made = IdSet::from_ids(std::vector<Id>{4, 7, -3, -9});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(made.status().message().find("id -3 at position 2"), std::string::npos) << made.status().message();
}

TEST(IdSet, MaskAgreesWithIds) {
  Random random(3);
  for (const std::size_t n : {1u, 7u, 8u, 9u, 15u, 16u, 17u, 65535u, 65536u, 65537u, 200'003u}) {
    for (const unsigned share : {0U, 1U, 30U, 512U, 1023U, 1024U}) {
      SCOPED_TRACE("n " + std::to_string(n) + " share " + std::to_string(share));
      std::vector<std::uint8_t> mask(n);
      std::vector<Id> ids;
      for (std::size_t i = 0; i < n; ++i) {
        if (below(random, 1024) >= share) continue;
        mask[i] = static_cast<std::uint8_t>(1 + below(random, 255));  // any byte but 0 counts
        ids.push_back(static_cast<Id>(i));
      }
      const IdSet set = IdSet::from_mask(mask);
      ASSERT_TRUE(set.validate().ok()) << set.validate().message();
      ASSERT_EQ(set, of(ids));
      ASSERT_EQ(set.listed_ids(), ids);
      ASSERT_FALSE(set.contains(static_cast<Id>(n)));
      ASSERT_TRUE((~set).contains(static_cast<Id>(n)));
    }
  }
}

// Every way from_ids can take, told apart by order, range and number.
TEST(IdSet, UnsortedIdsOfEveryDensity) {
  Random random(11);
  for (const std::size_t n : {2u, 100u, 4096u, 5000u, 70'000u}) {
    for (const std::uint64_t spread : {std::uint64_t{1}, std::uint64_t{1} << 20, std::uint64_t{1} << 46}) {
      SCOPED_TRACE("n " + std::to_string(n) + " spread " + std::to_string(spread));
      std::vector<Id> ids;
      std::set<Id> reference;
      for (std::size_t i = 0; i < n; ++i) {
        ids.push_back(static_cast<Id>(below(random, n) * spread + random() % spread));
        reference.insert(ids.back());
      }
      const IdSet set = of(ids);
      ASSERT_TRUE(set.validate().ok()) << set.validate().message();
      ASSERT_EQ(set.listed_ids(), std::vector<Id>(reference.begin(), reference.end()));
      ASSERT_EQ(set, make(reference));
    }
  }
}

TEST(IdSet, CopiesShareAndStayWhatTheyWere) {
  IdSet a = of(range(0, 100'000));
  const IdSet copy = a;
  a = a & ~of({5});
  EXPECT_TRUE(copy.contains(5));
  EXPECT_FALSE(a.contains(5));
  EXPECT_EQ(copy.listed(), 100'000U);
  a = ~copy;
  EXPECT_FALSE(copy.is_complement());
  EXPECT_EQ(~a, copy);
}

TEST(IdSet, MovedFromIsEmpty) {
  IdSet a = ~of({1, 2});
  IdSet b = std::move(a);
  EXPECT_EQ(a, IdSet());  // NOLINT(bugprone-use-after-move): promised by the header
  EXPECT_EQ(b, ~of({1, 2}));
  IdSet c = of({9});
  c = std::move(b);
  EXPECT_EQ(b, IdSet());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(c, ~of({1, 2}));
  IdSet& self = c;
  c = std::move(self);
  EXPECT_EQ(c, ~of({1, 2}));
}

TEST(IdSet, SetsAreSmall) {
  // A bit an id where ids are dense; two bytes where they are thin; a complement costs what it leaves out.
  EXPECT_LE(of(range(0, 1'000'000)).memory_usage(), 1'000'000 / 8 + 16'384U);
  EXPECT_LE((~of({77})).memory_usage(), 2'048U);
  std::vector<Id> thin;
  for (Id id = 0; id < 1'000'000; id += 100) thin.push_back(id);
  EXPECT_LE(of(thin).memory_usage(), 2 * thin.size() + 2'048);
  std::vector<Id> alone;
  for (Id id = 0; id < 10'000; ++id) alone.push_back(id << 30);
  EXPECT_LE(of(alone).memory_usage(), 26 * alone.size() + 256);
}

TEST(IdSetReader, VisitsListedIdsInOrder) {
  for (const Universe universe : kUniverses) {
    Random random(5);
    const std::set<Id> ids = random_ids(random, universe);
    std::vector<Id> seen;
    const IdSet set = ~make(ids);
    const IdSetReader reader(set);
    EXPECT_TRUE(reader.is_complement());
    reader.for_each_listed([&](Id id) { seen.push_back(id); });
    EXPECT_EQ(seen, std::vector<Id>(ids.begin(), ids.end()));
  }
}

// The remembered chunk of a scattered set must not answer for another one, absent ones included.
TEST(IdSetReader, RemembersTheRightChunk) {
  const Id far = Id{1} << 40;
  const IdSet set = of({far + 1, 2 * far + 2});
  const IdSetReader reader(set);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(reader.contains(far + 1));
    EXPECT_FALSE(reader.contains(far + 2));
    EXPECT_FALSE(reader.contains(3 * far + 1));
    EXPECT_FALSE(reader.contains(2 * far + 1));
    EXPECT_TRUE(reader.contains(2 * far + 2));
    EXPECT_FALSE(reader.contains(-1));
  }
}

TEST(ExcludeIds, OneListForAllOrOneAQuery) {
  const std::vector<Id> ids = {4, 5, 6};
  const ExcludeIds for_all{ids, {}};
  EXPECT_EQ(for_all.of(0).size(), 3U);
  EXPECT_EQ(for_all.of(99).size(), 3U);
  const std::vector<std::size_t> offsets = {0, 1, 1, 3};
  const ExcludeIds each{ids, offsets};
  EXPECT_EQ(each.of(0).size(), 1U);
  EXPECT_EQ(each.of(0)[0], 4);
  EXPECT_TRUE(each.of(1).empty());
  EXPECT_EQ(each.of(2).size(), 2U);
  EXPECT_EQ(each.of(2)[1], 6);
}

}  // namespace
}  // namespace segue::test
