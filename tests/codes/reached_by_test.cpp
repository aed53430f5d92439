#include "codes/reached_by.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/file_mutations.hpp"

namespace segue::test {
namespace {

TEST(ReachedBy, EnoughReachItAndNotManyMore) {
  constexpr std::uint64_t kSeed = 5;
  Random random(kSeed);
  Buffer<float> work;
  std::size_t reached = 0;
  std::size_t wanted = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::size_t n = random.below(3000);
    const std::size_t count = 1 + random.below(200);
    std::vector<float> values(n);
    // Many are equal in every third round.
    for (float& v : values) v = static_cast<float>(random.below(round % 3 == 0 ? 5 : 1u << 24)) - 1000.0F;
    const float least = reached_by(count, values.data(), n, work);
    const auto reaches = [least](float v) { return v >= least; };
    const auto reach = static_cast<std::size_t>(std::count_if(values.begin(), values.end(), reaches));
    ASSERT_GE(reach, std::min(n, count)) << "seed " << kSeed << ", round " << round;
    if (round % 3 == 0 || n < 4 * count) continue;
    reached += reach;
    wanted += count;
  }
  EXPECT_LT(reached, wanted * 8 / 5);
}

TEST(ReachedBy, AllReachItWhereThereAreNoMore) {
  Buffer<float> work;
  const std::vector<float> values = {1, 2, 3};
  EXPECT_EQ(reached_by(3, values.data(), 3, work), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(reached_by(1, values.data(), 0, work), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(reached_by(1, values.data(), 3, work), 3.0F);
}

}  // namespace
}  // namespace segue::test
