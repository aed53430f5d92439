// code_levels: numbers as a sum of codes, whatever the numbers are; a damaged file may lead to some that are none.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "codes/code_query.hpp"
#include "kernels/dispatch.hpp"

namespace segue::test {
namespace {

TEST(CodeLevels, AreTheNumbers) {
  const std::vector<float> numbers = {0.5F, -1.0F, 0.125F, 0.0F, 0.7071F};
  CodeLevels levels;
  code_levels(kernels::active_kernels(), numbers.data(), numbers.size(), 3, levels);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    float sum = 0;
    for (std::size_t l = 0; l < 3; ++l) sum += levels.levels[l].scale * static_cast<float>(levels.levels[l].codes[i]);
    EXPECT_NEAR(sum, numbers[i], 1e-6) << i;
  }
}

// What 16 bits hold of two groups of four, however the numbers lie; and one level is as fine as its scale says.
TEST(CodeLevels, OneAloneIsPaired) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (const std::size_t n : {1U, 3U, 8U, 13U, 64U, 100U}) {
    for (int kind = 0; kind < 40; ++kind) {
      std::vector<float> numbers(n);
      for (float& x : numbers) x = kind % 2 == 0 ? 1.0F : normal(random);
      if (kind % 3 == 0) numbers[random() % n] = 1e4F;
      for (const kernels::KernelTable* table : kernels::available_kernels()) {
        CodeLevels levels;
        code_levels(*table, numbers.data(), n, 1, levels);
        const CodeLevels::Level& level = levels.levels[0];
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_LE(std::fabs(numbers[i] - level.scale * static_cast<float>(level.codes[i])), level.scale * 0.5001F);
        }
        if (!level.paired) continue;
        for (std::size_t i = 0; i < n; ++i) {
          if (i % 8 != 0 && i % 8 != 2) continue;
          int sum = 0;
          for (const std::size_t j : {i, i + 1, i + 4, i + 5}) {
            if (j < level.codes.size() && j < (n + 3) / 4 * 4) sum += std::abs(static_cast<int>(level.codes[j]));
          }
          ASSERT_LE(sum, kernels::kPairedCodes);
        }
      }
    }
  }
}

// Found by the fuzz target index_file: what is no number was cast to an integer, and the sum of codes overflowed.
TEST(CodeLevels, OfWhatIsNoNumberAreCodesToo) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  const kernels::KernelTable& table = kernels::active_kernels();
  const int most = table.max_block_code;
  for (const std::vector<float>& numbers : std::vector<std::vector<float>>{
           {nan, 1, 2, 3}, {nan, -nan, nan, nan, nan}, {infinite, 1, -infinite, 0}, {-nan, infinite, 3e38F, -3e38F}}) {
    CodeLevels levels;
    code_levels(table, numbers.data(), numbers.size(), 3, levels);
    for (const CodeLevels::Level& level : std::span(levels.levels).first(3)) {
      int sum = 0;
      for (const signed char code : level.codes.span()) {
        EXPECT_LE(std::abs(static_cast<int>(code)), most);
        sum += code;
      }
      EXPECT_EQ(level.code_sum, sum);
    }
  }
}

}  // namespace
}  // namespace segue::test
