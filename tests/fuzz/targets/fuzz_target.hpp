#pragma once
// A fuzz target: what is done with bytes of anybody, and small inputs to begin with. Each *_fuzz.cpp defines one, and
// is linked to libFuzzer's main (libfuzzer_main.cpp) by clang, and by any compiler to a test that goes through the
// seeds and through what was kept in ../corpus/<name>/ (../corpus_test.cpp).
//
// A broken promise ends the program: by SEGUE_FUZZ_REQUIRE, or by a failed assertion of GoogleTest where the body is
// one of its tests' own.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/file_mutations.hpp"

namespace segue::test {

struct FuzzTarget {
  std::string name;  // of its folder of kept inputs
  void (*run)(std::span<const unsigned char> input);
  // The same on every machine.
  std::vector<Bytes> (*seeds)();
  // Changes an input as its format asks for; null where any bytes will do.
  Bytes (*mutate)(const Bytes& input, Random& random) = nullptr;
};

// The one that this program is linked to.
const FuzzTarget& fuzz_target();

}  // namespace segue::test
