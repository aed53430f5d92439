#pragma once
// Random histories of operations, run against a machine: a thing under test beside a model of it. What fails is shrunk
// to the operations that it takes, and printed with how to run just these again.
//
// A machine is any class with
//
//   void apply(const Operation& operation);      // does it to both and compares, with the assertions of GoogleTest
//
// Every operation draws what it needs from a seed of its own, so the others stay what they are when one is taken away.
//
//   SEGUE_MODEL_SEED=17                runs the history of this seed alone (with --gtest_filter for the case)
//   SEGUE_MODEL_KEEP=3,8,11            and of it only these operations
//   SEGUE_MODEL_ROUNDS=100             so many times as many histories, for those who have an hour

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "model/shrink.hpp"
#include "support/file_mutations.hpp"

namespace segue::test {

struct Operation {
  std::string_view name;
  std::uint64_t seed = 0;
  std::size_t place = 0;  // in the whole history
};

// A kind of operation, and how often it comes.
struct Weighted {
  std::string_view name;
  std::size_t weight;
};

inline std::vector<Operation> make_history(std::uint64_t seed, std::size_t length, const std::vector<Weighted>& kinds) {
  std::size_t all = 0;
  for (const Weighted& kind : kinds) all += kind.weight;
  Random random(seed);
  std::vector<Operation> history;
  for (std::size_t place = 0; place < length; ++place) {
    std::size_t drawn = random.below(all);
    const Weighted* kind = kinds.data();
    for (; drawn >= kind->weight; ++kind) drawn -= kind->weight;
    history.push_back({kind->name, random.next(), place});
  }
  return history;
}

// The first failure of a machine that goes through a history; nothing if it holds.
template <class MakeMachine>
std::optional<std::string> first_failure(const std::vector<Operation>& history, MakeMachine make) {
  testing::TestPartResultArray failures;
  const testing::ScopedFakeTestPartResultReporter reporter(
      testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
  auto machine = make();
  for (const Operation& operation : history) {
    machine->apply(operation);
    for (int i = 0; i < failures.size(); ++i) {
      const testing::TestPartResult& result = failures.GetTestPartResult(i);
      if (!result.failed()) continue;
      std::ostringstream text;
      text << "operation " << operation.place << ", " << operation.name << ": " << result;
      return text.str();
    }
  }
  return std::nullopt;
}

// Runs a history on a machine of its own. If it fails: shrinks it and reports what is left. Whether it held.
template <class MakeMachine>
bool holds(std::uint64_t seed, std::vector<Operation> history, MakeMachine make) {
  if (const char* keep = std::getenv("SEGUE_MODEL_KEEP"); keep != nullptr) {
    std::vector<std::size_t> places;
    std::stringstream text(keep);
    for (std::string place; std::getline(text, place, ',');) places.push_back(std::stoul(place));
    std::erase_if(history, [&](const Operation& operation) {
      return std::find(places.begin(), places.end(), operation.place) == places.end();
    });
  }
  if (!first_failure(history, make)) return true;
  history = shrink(std::move(history),
                   [&](const std::vector<Operation>& some) { return first_failure(some, make).has_value(); });
  std::string list, places;
  for (const Operation& operation : history) {
    list += "  " + std::to_string(operation.place) + " " + std::string(operation.name) + "\n";
    places += (places.empty() ? "" : ",") + std::to_string(operation.place);
  }
  ADD_FAILURE() << "the history of seed " << seed << " fails, and so do these of its operations alone:\n"
                << list << first_failure(history, make).value_or("but not each time")
                << "\nTo see it again: SEGUE_MODEL_SEED=" << seed << " SEGUE_MODEL_KEEP=" << places
                << " and --gtest_filter with this test's name";
  return false;
}

// The seeds to run: `count` from `first` on, or what the environment says.
inline std::vector<std::uint64_t> history_seeds(std::uint64_t first, std::size_t count) {
  if (const char* seed = std::getenv("SEGUE_MODEL_SEED"); seed != nullptr) return {std::stoull(seed)};
  if (const char* rounds = std::getenv("SEGUE_MODEL_ROUNDS"); rounds != nullptr) {
    count *= static_cast<std::size_t>(std::max(1, std::atoi(rounds)));
  }
  std::vector<std::uint64_t> seeds;
  for (std::size_t i = 0; i < count; ++i) seeds.push_back(first + i);
  return seeds;
}

}  // namespace segue::test
