// A repair goes on by steps beside changes: whoever was dead when it began is in no list behind it, whatever comes and goes
// meanwhile, and free at its end.

#include "hnsw/repair_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "hnsw/change_items.hpp"
#include "hnsw/validate_state.hpp"
#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "kernels/dispatch.hpp"
#include "segue/hnsw.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;

class Repairs : public testing::TestWithParam<Metric> {
 protected:
  Repairs() : state_(kDim, GetParam(), HnswOptions{.m = 8, .ef_construction = 40}, kernels::active_kernels()), random_(77) {}

  void add(std::size_t n) {
    const Vectors x = clustered_vectors(random_, n, kDim, 10, 0.4F);
    std::vector<Id> ids(n);
    std::iota(ids.begin(), ids.end(), next_);
    next_ += static_cast<Id>(n);
    ASSERT_TRUE(put_items(state_, MatrixView(x, kDim), ids, {.threads = 2, .progress = {}}, {}));
    alive_.insert(ids.begin(), ids.end());
  }
  // So many of those that are there, anywhere.
  void remove(std::size_t n) {
    std::vector<Id> gone;
    while (gone.size() < n) {
      auto at = alive_.lower_bound(static_cast<Id>(random_.next() % static_cast<std::uint64_t>(next_)));
      if (at == alive_.end()) at = alive_.begin();
      gone.push_back(*at);
      alive_.erase(at);
    }
    remove_items(state_, gone, {});
  }

  void expect_none_behind(const std::set<std::uint32_t>& going) const {
    for (std::uint32_t vertex = 0; vertex < state_.repairing.slots; ++vertex) {
      if (going.count(vertex) != 0) continue;
      for (std::size_t level = 0; level <= state_.graph.level(vertex); ++level) {
        for (const std::uint32_t to : state_.graph.links(vertex, level)) {
          ASSERT_EQ(going.count(to), 0U) << "vertex " << vertex << " links to " << to << " on level " << level;
        }
      }
    }
  }

  HnswState state_;
  Random random_;
  Id next_ = 0;
  std::set<Id> alive_;
};

TEST_P(Repairs, GoOnBesideChanges) {
  ASSERT_NO_FATAL_FAILURE(add(1500));
  ASSERT_NO_FATAL_FAILURE(remove(150));
  for (int pass = 0; pass < 3; ++pass) {
    SCOPED_TRACE("pass " + std::to_string(pass));
    std::set<std::uint32_t> going;
    std::size_t steps = 0;
    for (;; ++steps) {
      ASSERT_NO_FATAL_FAILURE(add(3));
      ASSERT_NO_FATAL_FAILURE(remove(4));
      repair_graph(state_, 61, 2, {});
      SEGUE_ASSERT_OK(validate_state(state_, next_));
      if (state_.repairing.dead == 0) break;
      ASSERT_EQ(state_.repairing.slots, 61 * (steps + 1));
      if (steps == 0) going.insert(state_.dead.begin(), state_.dead.begin() + state_.repairing.dead);
      ASSERT_EQ(state_.repairing.dead, going.size());
      if (steps % 5 == 0) {
        ASSERT_NO_FATAL_FAILURE(expect_none_behind(going));
      }
    }
    EXPECT_GT(steps, 20U);
    EXPECT_GT(going.size(), 50U);
    for (const std::uint32_t slot : going) {
      EXPECT_EQ(std::count(state_.dead.begin(), state_.dead.end(), slot), 0) << slot;
      EXPECT_TRUE(state_.ids.id(slot) >= 0 ||
                  std::count(state_.free_slots.begin(), state_.free_slots.end(), slot) == 1)
          << slot;
    }
    // Who went meanwhile waits for the next pass.
    EXPECT_GT(state_.dead.size(), 4 * steps / 2);
    EXPECT_EQ(state_.ids.size(), alive_.size());
  }
}

TEST_P(Repairs, GiveTheSameGraphOnAnyNumberOfThreads) {
  ASSERT_NO_FATAL_FAILURE(add(2000));
  ASSERT_NO_FATAL_FAILURE(remove(300));
  HnswState other = state_;
  repair_graph(state_, 700, 1, {});
  repair_graph(state_, state_.graph.size(), 1, {});
  repair_graph(other, 700, 4, {});
  repair_graph(other, other.graph.size(), 4, {});
  ASSERT_EQ(state_.dead.size(), 0U);
  ASSERT_EQ(other.dead.size(), 0U);
  for (std::uint32_t slot = 0; slot < state_.graph.size(); ++slot) {
    for (std::size_t level = 0; level <= state_.graph.level(slot); ++level) {
      const auto a = state_.graph.links(slot, level), b = other.graph.links(slot, level);
      ASSERT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << slot;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, Repairs, testing::Values(Metric::kL2, Metric::kInnerProduct));

// Of an index that is too large for a pass within one change.
TEST(RepairAfter, KeepsTheDeadFew) {
  constexpr std::size_t kItems = 9'000;
  Random random(78);
  const std::unique_ptr<HnswIndex> index =
      HnswIndex::create(kDim, Metric::kL2, {.m = 8, .ef_construction = 32, .storage = Storage::kF32}).value();
  const Vectors x = clustered_vectors(random, kItems, kDim, 20, 0.4F);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Vectors fresh = clustered_vectors(random, 800, kDim, 20, 0.4F);
  double most = 0;
  for (std::size_t i = 0; i < 800; ++i) {
    const std::vector<Id> id = {static_cast<Id>(i * 11)};
    SEGUE_ASSERT_OK(index->upsert(MatrixView(fresh, kDim).slice(i, 1), id));
    for (const auto& [name, figure] : index->stats()) {
      if (name == "dead") most = std::max(most, figure);
    }
    if (i % 100 == 99) SEGUE_ASSERT_OK(index->validate());
  }
  const double enough = 16 + kItems / 50;
  EXPECT_GE(most, enough);
  EXPECT_LE(most, 1.5 * enough + 16) << "a pass is done by the time that half as many have died again";
}

}  // namespace
}  // namespace segue::test
