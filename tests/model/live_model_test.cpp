// Random histories of a live index beside a plain map: changes, snapshots in the background and by hand, the folder closed,
// killed, salvaged and opened again, other indexes and catalogs in place of those there are. See history.hpp for how to
// repeat one.

#include <gtest/gtest.h>

#include "model/live_machine.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDims[] = {1, 3, 17, 64};
constexpr std::size_t kHistories = std::size(kDims);
constexpr std::size_t kOperations = 30;

class LiveModel : public testing::TestWithParam<IndexCase> {};

TEST_P(LiveModel, AgreesWithAMap) {
  Tallies tallies;
  for (const std::uint64_t seed : history_seeds(500, kHistories)) {
    const std::size_t dim = kDims[seed % std::size(kDims)];
    const auto make = [&] {
      const std::unique_ptr<Index> empty = make_index(GetParam(), dim, seed);
      return std::make_unique<LiveMachine>(GetParam(), dim, std::make_unique<LiveSubject>(*empty, seed), tallies);
    };
    if (!holds(seed, make_history(seed, kOperations, LiveMachine::operations()), make)) return;
  }
  if (std::getenv("SEGUE_MODEL_SEED") != nullptr) return;
  EXPECT_GT(tallies.search.wanted, 500U);
  EXPECT_GE(tallies.search.recall(), 0.99);
  EXPECT_GE(tallies.range.recall(), 0.99);
}

INSTANTIATE_TEST_SUITE_P(All, LiveModel, testing::ValuesIn(all_cases()), CaseName());

}  // namespace
}  // namespace segue::test
