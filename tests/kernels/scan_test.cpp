// select_greater, select_less and first_not_finite against the plain loop.

#include <limits>

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using ScanTest = EverySet;
SEGUE_FOR_EVERY_SET(ScanTest);

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_P(ScanTest, SelectMatchesThePlainLoop) {
  std::mt19937 random(kSeed + 50);
  for (std::size_t n = 0; n < 300; ++n) {
    auto scores = random_floats(n, static_cast<unsigned>(n));
    for (std::size_t i = 0; i < n; ++i) {
      switch (random() % 16) {
        case 0:
          scores[i] = kNan;
          break;
        case 1:
          scores[i] = 0.5f;
          break;  // equal to the threshold: does not pass
        case 2:
          scores[i] = -kInfinity;
          break;
        case 3:
          scores[i] = kInfinity;
          break;
        default:
          break;
      }
    }
    for (const float threshold : {0.5f, -2.0f, 2.0f, kInfinity, -kInfinity, kNan}) {
      std::vector<std::uint32_t> greater, less, out(n + 1);
      for (std::uint32_t i = 0; i < n; ++i) {
        if (scores[i] > threshold) greater.push_back(i);
        if (scores[i] < threshold) less.push_back(i);
      }
      out.resize(table().select_greater(scores.data(), n, threshold, out.data()));
      ASSERT_EQ(out, greater) << "n " << n << " threshold " << threshold;
      out.assign(n + 1, 0);
      out.resize(table().select_less(scores.data(), n, threshold, out.data()));
      ASSERT_EQ(out, less) << "n " << n << " threshold " << threshold;
    }
  }
}

TEST_P(ScanTest, FirstNotFiniteNamesTheRow) {
  for (const std::size_t dim : std::initializer_list<std::size_t>{1, 3, 16, 100, 1024, 1500}) {
    const std::size_t n = dim < 100 ? 700 : 9;
    const auto clean = random_floats(n * dim, 51, -1e38f, 1e38f);
    ASSERT_EQ(table().first_not_finite(clean.data(), n, dim), n);
    ASSERT_EQ(table().first_not_finite(clean.data(), 0, dim), 0u);
    std::mt19937 random(kSeed + 52);
    for (int round = 0; round < 60; ++round) {
      auto x = clean;
      const std::size_t at = random() % x.size(), later = at + random() % (x.size() - at);
      const float bad[] = {kNan, kInfinity, -kInfinity, from_bits(0x7f800001u)};
      x[at] = bad[round % 4];
      x[later] = kNan;
      ASSERT_EQ(table().first_not_finite(x.data(), n, dim), at / dim) << "dim " << dim << " at " << at;
    }
  }
}

}  // namespace
}  // namespace segue::kernels::test
