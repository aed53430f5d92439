// ChangeLog and PlanCache: what is made once, improved, brought up to date, made anew, and what goes.

#include "codes/plan_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace segue::test {
namespace {

TEST(ChangeLog, TellsWhatChangedSince) {
  ChangeLog log;
  const ChangeLog::Moment before = log.now();
  log.add(7);  // the first makes room, under a new name
  const ChangeLog::Moment first = log.now();
  EXPECT_FALSE(log.since(before).has_value());
  ASSERT_TRUE(log.since(first).has_value());
  EXPECT_TRUE(log.since(first)->empty());
  log.add(3);
  log.add(3);
  const auto changed = log.since(first);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(std::vector<std::uint32_t>(changed->begin(), changed->end()), (std::vector<std::uint32_t>{3, 3}));
}

TEST(ChangeLog, ForgetsWhatIsTooLong) {
  ChangeLog log;
  log.add(0);
  const ChangeLog::Moment moment = log.now();
  std::size_t kept = 0;
  while (log.since(moment).has_value()) {
    log.add(kept);
    ASSERT_LT(++kept, 100000u);
  }
  EXPECT_GT(kept, 100u);
  EXPECT_EQ(log.now().at, 1u) << "what was forgotten is not mixed with what comes";
}

TEST(ChangeLog, CopiesAndWhatWasMovedFromAreOthers) {
  ChangeLog log;
  log.add(1);
  const ChangeLog::Moment moment = log.now();
  const ChangeLog copy(log);
  EXPECT_FALSE(copy.since(moment).has_value());
  ChangeLog moved(std::move(log));
  EXPECT_TRUE(moved.since(moment).has_value());
  EXPECT_FALSE(log.since(moment).has_value());  // NOLINT: that is what is asked
  log = std::move(moved);
  EXPECT_TRUE(log.since(moment).has_value());
}

struct Plan {
  std::size_t bytes = 0;
  bool better = false;
  ChangeLog::Moment made = {};

  std::size_t memory_usage() const noexcept { return bytes; }
};

class PlanCacheTest : public testing::Test {
 protected:
  PlanCacheTest() { log_.add(0); }

  static IdSet set_of(Id id) { return IdSet::from_ids(std::vector<Id>{id, id + 1}).value(); }

  std::shared_ptr<const Plan> plan_of(const IdSet& filter, std::size_t bytes = 0) {
    return cache_.find_or_make(filter, log_, room_, [&](const Plan* old, std::span<const std::uint32_t> changed) {
      return make(old, changed, bytes);
    });
  }
  // Pays from so many queries on.
  std::shared_ptr<const Plan> improved_plan_of(const IdSet& filter, std::size_t queries, std::size_t enough, bool can = true) {
    return cache_.find_or_make(
        filter, queries, log_, room_,
        [&](const Plan* old, std::span<const std::uint32_t> changed) { return make(old, changed, 0); },
        [&](const Plan&, std::size_t all) { return all >= enough; },
        [&](const Plan& plan) -> std::optional<Plan> {
          ++asked_to_improve_;
          if (!can) return std::nullopt;
          Plan better = plan;
          better.better = true;
          return better;
        });
  }
  Plan make(const Plan* old, std::span<const std::uint32_t> changed, std::size_t bytes) {
    ++(old == nullptr ? made_ : updated_);
    changed_ = changed.size();
    return {bytes};
  }

  ChangeLog log_;
  PlanCache<Plan> cache_;
  std::size_t room_ = 1 << 20;
  int made_ = 0;
  int updated_ = 0;
  std::size_t changed_ = 0;
  int asked_to_improve_ = 0;
};

TEST_F(PlanCacheTest, MakesEachOnceWhateverObjectItIs) {
  const auto plan = plan_of(set_of(5));
  EXPECT_EQ(plan_of(set_of(5)), plan);
  EXPECT_EQ(made_, 1);
  EXPECT_NE(plan_of(~set_of(5)), plan);
  EXPECT_NE(plan_of(set_of(6)), plan);
  EXPECT_EQ(made_, 3);
}

TEST_F(PlanCacheTest, ChangesUpdateOrMakeAnew) {
  const auto old = plan_of(set_of(5));
  log_.add(1);
  log_.add(2);
  const auto fresh = plan_of(set_of(5));
  EXPECT_NE(fresh, old);
  EXPECT_EQ(plan_of(set_of(5)), fresh);
  EXPECT_EQ(updated_, 1);
  EXPECT_EQ(changed_, 2u);
  log_.restart();
  plan_of(set_of(5));
  EXPECT_EQ(made_, 2);
  EXPECT_EQ(updated_, 1);
}

TEST_F(PlanCacheTest, ImprovesOnceAPlanWhereQueriesHavePaid) {
  EXPECT_FALSE(improved_plan_of(set_of(5), 1, 3)->better);
  EXPECT_FALSE(improved_plan_of(set_of(5), 1, 3)->better);
  EXPECT_EQ(asked_to_improve_, 0);
  EXPECT_TRUE(improved_plan_of(set_of(5), 1, 3)->better);
  EXPECT_TRUE(plan_of(set_of(5))->better) << "it is kept";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(improved_plan_of(set_of(5), 1, 3)->better);
  EXPECT_EQ(asked_to_improve_, 1);
  log_.add(1);
  EXPECT_FALSE(improved_plan_of(set_of(5), 1, 3)->better) << "what has changed has to pay again";
  EXPECT_TRUE(improved_plan_of(set_of(5), 2, 3)->better);
  EXPECT_EQ(asked_to_improve_, 2);
}

// A filter may never come again; and what cannot be improved is asked once.
TEST_F(PlanCacheTest, ImprovesNotForAFewAtFirstNorInVain) {
  improved_plan_of(set_of(5), 7, 1, false);
  EXPECT_EQ(asked_to_improve_, 0);
  const auto plan = improved_plan_of(set_of(5), 1, 1, false);
  EXPECT_EQ(asked_to_improve_, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(improved_plan_of(set_of(5), 1, 1, false), plan);
  EXPECT_EQ(asked_to_improve_, 1);
}

TEST_F(PlanCacheTest, ImprovesAtOnceForManyTogether) {
  EXPECT_FALSE(improved_plan_of(set_of(5), 79, 10)->better);
  EXPECT_TRUE(improved_plan_of(set_of(6), 80, 10)->better);
}

TEST_F(PlanCacheTest, KeepsThoseThatAreUsedWithinItsRoom) {
  const IdSet often = set_of(1000000);
  plan_of(often);
  for (Id id = 0; id < 500; ++id) {
    plan_of(set_of(id), 80000);
    plan_of(often);
    EXPECT_LE(cache_.memory_usage(), room_);
  }
  EXPECT_EQ(made_, 501);
  plan_of(set_of(499), 80000);
  EXPECT_EQ(made_, 501);
  plan_of(set_of(0), 80000);
  EXPECT_EQ(made_, 502) << "the one used longest ago is gone";
}

TEST_F(PlanCacheTest, KeepsNoMoreThanItCanLookThrough) {
  for (Id id = 0; id < 500; ++id) plan_of(set_of(id));
  plan_of(set_of(499));
  EXPECT_EQ(made_, 500);
  plan_of(set_of(0));
  EXPECT_EQ(made_, 501);
}

// One that has no room is made, used, and the only one; it keeps nobody from making theirs.
TEST_F(PlanCacheTest, OneThatIsTooLargeIsAlone) {
  plan_of(set_of(1));
  const auto large = plan_of(set_of(2), 4 * room_);
  EXPECT_GT(cache_.memory_usage(), room_);
  EXPECT_EQ(plan_of(set_of(2), 4 * room_), large);
  plan_of(set_of(1));
  EXPECT_LE(cache_.memory_usage(), room_);
  EXPECT_EQ(made_, 3);
}

}  // namespace
}  // namespace segue::test
