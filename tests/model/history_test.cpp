// The checker itself: what is planted is found, and shrunk to the operations that it takes.

#include "model/history.hpp"

#include <gtest/gtest.h>

#include "model/index_machine.hpp"

namespace segue::test {
namespace {

TEST(Shrink, LeavesWhatItTakes) {
  std::vector<int> list(200);
  for (int i = 0; i < 200; ++i) list[static_cast<std::size_t>(i)] = i;
  const auto has = [](const std::vector<int>& some, int value) {
    return std::count(some.begin(), some.end(), value) != 0;
  };
  const auto shrunk = [&](auto fails) { return shrink(list, fails); };
  EXPECT_EQ(shrunk([&](const auto& some) { return has(some, 17); }), std::vector<int>{17});
  EXPECT_EQ(shrunk([&](const auto& some) { return has(some, 3) && has(some, 99) && has(some, 150); }),
            (std::vector<int>{3, 99, 150}));
  EXPECT_EQ(shrunk([&](const auto& some) { return some.size() >= 7; }).size(), 7U);
  EXPECT_EQ(shrunk([&](const auto&) { return true; }).size(), 1U);
  std::size_t calls = 0;
  (void)shrink(
      list, [&](const auto& some) { return ++calls, has(some, 3) && has(some, 150); }, 5);
  EXPECT_EQ(calls, 5U);
}

TEST(History, IsTheSameForTheSameSeed) {
  const auto names = [](std::uint64_t seed) {
    std::string all;
    for (const Operation& operation : make_history(seed, 50, IndexMachine::operations())) {
      all += std::string(operation.name) + std::to_string(operation.seed);
    }
    return all;
  };
  EXPECT_EQ(names(5), names(5));
  EXPECT_NE(names(5), names(6));
}

// Loses an item the second time it is opened again.
class Forgetful : public SavedSubject {
 public:
  using SavedSubject::SavedSubject;
  void reopen(std::uint64_t choice) override {
    SavedSubject::reopen(choice);
    if (++times_ < 2 || index().size() == 0) return;
    EXPECT_TRUE(index().remove(std::vector<Id>{index().ids().front()}).ok());
  }

 private:
  int times_ = 0;
};

TEST(History, WhatIsPlantedIsFoundAndShrunk) {
  if (std::getenv("SEGUE_MODEL_KEEP") != nullptr) GTEST_SKIP() << "operations are chosen by hand";
  const IndexCase flat{"flat", Metric::kL2, Storage::kF32};
  Tallies tallies;
  const auto make = [&] {
    return std::make_unique<IndexMachine>(flat, 8, std::make_unique<Forgetful>(make_index(flat, 8)), tallies);
  };
  const std::vector<Operation> history = make_history(3, 60, IndexMachine::operations());
  ASSERT_TRUE(first_failure(history, make).has_value());
  testing::TestPartResultArray reported;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &reported);
    EXPECT_FALSE(holds(3, history, make));
  }
  ASSERT_EQ(reported.size(), 1);
  const std::string message = reported.GetTestPartResult(0).message();
  // One that puts something in, and two that open it again.
  const std::string_view keep = "SEGUE_MODEL_SEED=3 SEGUE_MODEL_KEEP=";
  const std::size_t at = message.find(keep);
  ASSERT_NE(at, std::string::npos) << message;
  const std::string places = message.substr(at + keep.size(), message.find(' ', at + keep.size()) - at - keep.size());
  EXPECT_EQ(std::count(places.begin(), places.end(), ','), 2) << message;
  std::size_t reopened = 0;
  for (std::size_t found = 0; (found = message.find(" reopen\n", found)) != std::string::npos; ++found) ++reopened;
  EXPECT_EQ(reopened, 2U) << message;
}

}  // namespace
}  // namespace segue::test
