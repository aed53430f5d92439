// Random histories of an index beside a plain map, over kinds, metrics and storages; see history.hpp for how to repeat
// one.

#include <gtest/gtest.h>

#include "model/index_machine.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDims[] = {1, 2, 3, 8, 17, 64, 100};
constexpr std::size_t kHistories = 2 * std::size(kDims);
constexpr std::size_t kOperations = 30;

class IndexModel : public testing::TestWithParam<IndexCase> {};

TEST_P(IndexModel, AgreesWithAMap) {
  Tallies tallies;
  for (const std::uint64_t seed : history_seeds(100, kHistories)) {
    const std::size_t dim = kDims[seed % std::size(kDims)];
    const auto make = [&] {
      return std::make_unique<IndexMachine>(GetParam(), dim,
                                            std::make_unique<SavedSubject>(make_index(GetParam(), dim, seed)), tallies);
    };
    if (!holds(seed, make_history(seed, kOperations, IndexMachine::operations()), make)) return;
  }
  if (std::getenv("SEGUE_MODEL_SEED") != nullptr) return;
  EXPECT_GT(tallies.search.wanted, 1000U);
  EXPECT_GE(tallies.search.recall(), 0.99);
  EXPECT_GE(tallies.range.recall(), 0.99);
}

INSTANTIATE_TEST_SUITE_P(All, IndexModel, testing::ValuesIn(all_cases()), CaseName());

}  // namespace
}  // namespace segue::test
