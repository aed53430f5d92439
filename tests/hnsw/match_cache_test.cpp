// MatchCache: plans are made once, brought up to date or made anew, and those used longest ago make room.

#include "hnsw/match_cache.hpp"

#include <gtest/gtest.h>

namespace segue::test {
namespace {

class MatchCacheTest : public testing::Test {
 protected:
  MatchCacheTest() { log_.add(0); }

  static IdSet set_of(Id id) { return IdSet::from_ids(std::vector<Id>{id, id + 1}).value(); }

  std::shared_ptr<const MatchPlan> plan_of(const IdSet& filter, std::size_t slots = 0) {
    return cache_.find_or_make(filter, log_, room_, [&](const MatchPlan* old, std::span<const std::uint32_t> changed) {
      ++(old == nullptr ? made_ : updated_);
      changed_ = changed.size();
      MatchPlan plan;
      plan.slots.resize(slots);
      return plan;
    });
  }

  ChangeLog log_;
  MatchCache cache_;
  std::size_t room_ = 1 << 20;
  int made_ = 0;
  int updated_ = 0;
  std::size_t changed_ = 0;
};

TEST_F(MatchCacheTest, MakesEachOnceWhateverObjectItIs) {
  const auto plan = plan_of(set_of(5));
  EXPECT_EQ(plan_of(set_of(5)), plan);
  EXPECT_NE(plan_of(~set_of(5)), plan);
  EXPECT_NE(plan_of(set_of(6)), plan);
  EXPECT_EQ(made_, 3);
}

TEST_F(MatchCacheTest, ChangesUpdateOrMakeAnew) {
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

TEST_F(MatchCacheTest, KeepsThoseThatAreUsedWithinItsRoom) {
  const IdSet often = set_of(1000000);
  plan_of(often);
  for (Id id = 0; id < 500; ++id) {
    plan_of(set_of(id), 20000);
    plan_of(often);
    EXPECT_LE(cache_.memory_usage(), room_);
  }
  EXPECT_EQ(made_, 501);
  plan_of(set_of(499), 20000);
  EXPECT_EQ(made_, 501);
  plan_of(set_of(0), 20000);
  EXPECT_EQ(made_, 502) << "the one used longest ago is gone";
}

// One that has no room is made, used, and the only one; it keeps nobody from making theirs.
TEST_F(MatchCacheTest, OneThatIsTooLargeIsAlone) {
  plan_of(set_of(1));
  const auto large = plan_of(set_of(2), room_);
  EXPECT_GT(cache_.memory_usage(), room_);
  EXPECT_EQ(plan_of(set_of(2), room_), large);
  plan_of(set_of(1));
  EXPECT_LE(cache_.memory_usage(), room_);
  EXPECT_EQ(made_, 3);
}

}  // namespace
}  // namespace segue::test
