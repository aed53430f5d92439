// libFuzzer's side of a target. `PROGRAM --seeds FOLDER` writes the seeds there and ends.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "fuzz/targets/fuzz_target.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  testing::GTEST_FLAG(break_on_failure) = true;
  if (*count != 3 || std::strcmp((*arguments)[1], "--seeds") != 0) return 0;
  std::size_t number = 0;
  for (const segue::test::Bytes& seed : segue::test::fuzz_target().seeds()) {
    const std::string path = std::string((*arguments)[2]) + "/seed-" + std::to_string(number++);
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
    if (!out.flush()) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      std::exit(1);
    }
  }
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segue::test::fuzz_target().run({data, size});
  return 0;
}

// Half of the changes are those that know the format.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  const auto mutate = segue::test::fuzz_target().mutate;
  if (mutate == nullptr || seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  segue::test::Random random(seed);
  const segue::test::Bytes changed = mutate({data, data + size}, random);
  const std::size_t kept = std::min(changed.size(), max_size);
  std::copy_n(changed.begin(), kept, data);
  return kept;
}
