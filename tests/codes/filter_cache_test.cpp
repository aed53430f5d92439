// ChangeLog and FilterCache: what is made once, what is brought up to date, and what is made anew.

#include "codes/filter_cache.hpp"

#include <gtest/gtest.h>

#include <numeric>
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

class FilterCacheTest : public testing::Test {
 protected:
  FilterCacheTest() { log_.add(0); }

  static IdSet set_of(Id id) { return IdSet::from_ids(std::vector<Id>{id, id + 1}).value(); }

  std::shared_ptr<const FilterPlan> plan_of(const IdSet& filter) {
    return cache_.find_or_make(filter, 1, log_, [&](const FilterPlan* old, std::span<const std::uint32_t> changed) {
      ++(old == nullptr ? made_ : updated_);
      changed_ = changed.size();
      return FilterPlan{FilterMarks()};
    }, [this](const FilterPlan&) {
      ++asked_to_pack_;
      return nullptr;
    });
  }

  ChangeLog log_;
  FilterCache cache_;
  int made_ = 0;
  int updated_ = 0;
  std::size_t changed_ = 0;
  int asked_to_pack_ = 0;
};

TEST_F(FilterCacheTest, MakesEachOnceWhateverObjectItIs) {
  const auto plan = plan_of(set_of(5));
  EXPECT_EQ(plan_of(set_of(5)), plan);
  EXPECT_EQ(made_, 1);
  EXPECT_NE(plan_of(~set_of(5)), plan);
  EXPECT_NE(plan_of(set_of(6)), plan);
  EXPECT_EQ(made_, 3);
}

TEST_F(FilterCacheTest, ChangesUpdateOrMakeAnew) {
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

// Whether that is worth it is known then, until something changes.
TEST_F(FilterCacheTest, AsksToPackOncePerPlan) {
  plan_of(set_of(5));
  EXPECT_EQ(asked_to_pack_, 0) << "a filter may never come again";
  for (int i = 0; i < 3; ++i) plan_of(set_of(5));
  EXPECT_EQ(asked_to_pack_, 1);
  log_.add(1);
  plan_of(set_of(5));
  EXPECT_EQ(asked_to_pack_, 1);
  plan_of(set_of(5));
  EXPECT_EQ(asked_to_pack_, 2);
}

TEST_F(FilterCacheTest, KeepsThoseThatAreUsed) {
  const IdSet often = set_of(1000000);
  plan_of(often);
  for (Id id = 0; id < 500; ++id) {
    plan_of(set_of(id));
    plan_of(often);
  }
  EXPECT_EQ(made_, 501);
  plan_of(set_of(0));
  EXPECT_EQ(made_, 502) << "the one used longest ago is gone";
}

}  // namespace
}  // namespace segue::test
