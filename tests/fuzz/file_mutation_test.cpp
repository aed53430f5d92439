// Tens of thousands of damaged containers, seeded: with verify every one is kCorruptFile, without it none crashes,
// hangs or asks for much memory. The body is the fuzzer's.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "file/example_file.hpp"
#include "file/file_reader.hpp"
#include "file_reader_body.hpp"
#include "support/allocation_limit.hpp"
#include "support/file_mutations.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 20240611;
constexpr int kMutations = 20'000;

// The limit that the tests below rely on does see a large allocation.
TEST(FileMutation, TheAllocationLimitWorks) {
  const auto exceeds = [](std::size_t bytes) {
    AllocationLimit limit(std::size_t{64} << 20);
    void* volatile memory = std::malloc(bytes);
    const bool refused = memory == nullptr;
    std::free(memory);
    return refused || !limit.kept();
  };
  EXPECT_FALSE(exceeds(std::size_t{16} << 20));
  EXPECT_TRUE(exceeds(std::size_t{256} << 20));
}

TEST(FileMutation, AsTheyAre) {
  const Bytes file = ExampleFile().bytes();
  ASSERT_TRUE(exercise_file(file).verified);
  Random random(kSeed);
  AllocationLimit limit(std::size_t{64} << 20);
  int opened = 0;
  for (int i = 0; i < kMutations; ++i) {
    const FileVerdict verdict = exercise_file(mutate(file, random));
    ASSERT_FALSE(verdict.verified) << "seed " << kSeed << ", mutation " << i;
    opened += verdict.opened;
  }
  EXPECT_TRUE(limit.kept());
  // Damage in sections shows only with verify; if none were opened, nothing behind the header would be tested.
  EXPECT_GT(opened, kMutations / 10) << "seed " << kSeed;
}

TEST(FileMutation, WithChecksumsMadeRight) {
  const Bytes file = ExampleFile().bytes();
  Random random(kSeed + 1);
  AllocationLimit limit(std::size_t{64} << 20);
  int opened = 0;
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    Bytes damaged = mutate(file, random);
    fix_checksums(damaged);
    const FileVerdict verdict = exercise_file(damaged);
    opened += verdict.opened;
    refused += !verdict.opened;
  }
  EXPECT_TRUE(limit.kept());
  EXPECT_GT(opened, kMutations / 10) << "seed " << kSeed + 1;
  EXPECT_GT(refused, kMutations / 10) << "seed " << kSeed + 1;
}

TEST(FileMutation, NoiseBehindAValidStart) {
  Random random(kSeed + 2);
  const Bytes file = ExampleFile().bytes();
  AllocationLimit limit(std::size_t{64} << 20);
  for (int i = 0; i < 2'000; ++i) {
    Bytes noise(random.below(2'000));
    for (unsigned char& byte : noise) byte = static_cast<unsigned char>(random.next() >> 56);
    const std::size_t kept = std::min(noise.size(), random.below(512));
    std::copy_n(file.begin(), kept, noise.begin());
    ASSERT_FALSE(exercise_file(noise).verified) << "seed " << kSeed + 2 << ", file " << i;
    fix_checksums(noise);
    exercise_file(noise);
  }
  EXPECT_TRUE(limit.kept());
}

}  // namespace
}  // namespace segue::test
