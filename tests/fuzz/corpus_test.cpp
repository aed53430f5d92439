// A fuzz target's seeds, and the inputs that a fuzzer once found something with: what they found stays fixed.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "fuzz/targets/fuzz_target.hpp"
#include "support/temporary_folder.hpp"
#include "support/watchdog.hpp"

namespace segue::test {
namespace {

// Some take a second to make.
const std::vector<Bytes>& seeds() {
  static const std::vector<Bytes> made = fuzz_target().seeds();
  return made;
}

TEST(FuzzCorpus, Seeds) {
  std::size_t number = 0;
  for (const Bytes& seed : seeds()) {
    SCOPED_TRACE("seed " + std::to_string(number++));
    const Watchdog watchdog(60);
    fuzz_target().run(seed);
  }
  EXPECT_GT(number, 0U);
}

TEST(FuzzCorpus, SeedsAndAFewChanges) {
  Random random(8);
  for (const Bytes& seed : seeds()) {
    for (int i = 0; i < 10 && !seed.empty(); ++i) {
      SCOPED_TRACE("change " + std::to_string(i));
      Bytes changed = seed;
      if (fuzz_target().mutate != nullptr) {
        changed = fuzz_target().mutate(seed, random);
      } else {
        changed[random.below(changed.size())] ^= static_cast<unsigned char>(1U << random.below(8));
      }
      fuzz_target().run(changed);
    }
  }
}

TEST(FuzzCorpus, WhatWasKept) {
  const std::filesystem::path folder = std::filesystem::path(SEGUE_TESTS_DIR) / "fuzz/corpus" / fuzz_target().name;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "nothing was found yet";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    const Watchdog watchdog(60);
    fuzz_target().run(read_bytes(entry.path()));
  }
}

}  // namespace
}  // namespace segue::test
