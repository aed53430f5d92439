// encode and decode: the right values by an independent definition, and the same bytes on every instruction set.

#include <algorithm>
#include <limits>

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using CodecTest = EverySet;
SEGUE_FOR_EVERY_SET(CodecTest);

// IEEE binary16 by its definition.
double half_value(unsigned h) {
  const int exponent = static_cast<int>((h >> 10) & 31u);
  const double fraction = h & 1023u;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0 + fraction, exponent - 25);
  return (h & 0x8000u) != 0 ? -magnitude : magnitude;
}

std::vector<std::uint16_t> encode16(const FamilyKernels& family, const std::vector<float>& x) {
  std::vector<std::uint16_t> codes(x.size());
  family.encode(x.data(), 1, x.size(), reinterpret_cast<unsigned char*>(codes.data()), x.size() * 2);
  return codes;
}

std::vector<float> decode16(const FamilyKernels& family, const std::vector<std::uint16_t>& codes) {
  std::vector<float> x(codes.size());
  family.decode(reinterpret_cast<const unsigned char*>(codes.data()), codes.size(), x.data());
  return x;
}

std::vector<std::uint16_t> all_codes() {
  std::vector<std::uint16_t> codes(65536);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint16_t>(i);
  return codes;
}

TEST_P(CodecTest, F16DecodesEveryCode) {
  const auto x = decode16(family(kFamilyF16), all_codes());
  for (unsigned h = 0; h < 65536; ++h) {
    if ((h & 0x7fffu) == 0x7c00u) {
      ASSERT_EQ(x[h], (h & 0x8000u) ? -INFINITY : INFINITY);
    } else if ((h & 0x7c00u) == 0x7c00u) {
      ASSERT_TRUE(std::isnan(x[h])) << h;
    } else {
      ASSERT_EQ(bits(x[h]), bits(static_cast<float>(half_value(h)))) << h;
    }
  }
}

// Each half, the middle to its neighbour above, and the floats beside the middle: nearest, ties to even.
TEST_P(CodecTest, F16EncodesToNearestEven) {
  std::vector<float> x;
  std::vector<unsigned> expected;
  for (unsigned h = 0; h < 0x7bffu; ++h) {
    const double low = half_value(h), high = half_value(h + 1);
    const float middle = static_cast<float>((low + high) / 2);  // exact: one more bit than a half has
    const float points[] = {static_cast<float>(low), std::nextafter(middle, 0.0f), middle,
                            std::nextafter(middle, INFINITY)};
    const unsigned codes[] = {h, h, (h & 1u) ? h + 1 : h, h + 1};
    for (int i = 0; i < 4; ++i) {
      x.push_back(points[i]);
      expected.push_back(codes[i]);
      x.push_back(-points[i]);
      expected.push_back(codes[i] | 0x8000u);
    }
  }
  const auto codes = encode16(family(kFamilyF16), x);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(codes[i], expected[i]) << x[i];
}

TEST_P(CodecTest, F16SaturatesAndKeepsZeros) {
  const float huge = std::numeric_limits<float>::max(), tiny = std::numeric_limits<float>::denorm_min();
  const std::vector<float> x = {65504.0f, 65519.99f, 65520.0f, 65536.0f, huge,     -65520.0f,       -huge,
                                0.0f,     -0.0f,     tiny,     -tiny,    0x1p-25f, 0x1.000002p-25f, -0x1p-24f};
  const std::vector<unsigned> expected = {0x7bff, 0x7bff, 0x7bff, 0x7bff, 0x7bff, 0xfbff, 0xfbff,
                                          0x0000, 0x8000, 0x0000, 0x8000, 0x0000, 0x0001, 0x8001};
  const auto codes = encode16(family(kFamilyF16), x);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(codes[i], expected[i]) << x[i];
}

TEST_P(CodecTest, Bf16DecodesAndEncodesEveryCode) {
  const auto x = decode16(family(kFamilyBf16), all_codes());
  for (unsigned h = 0; h < 65536; ++h) ASSERT_EQ(bits(x[h]), h << 16);
  std::vector<float> points;
  std::vector<unsigned> expected;
  for (unsigned h = 0; h < 65536; ++h) {
    if ((h & 0x7fffu) >= 0x7f7fu) continue;  // the largest finite code and above: next test
    const std::uint32_t middle = (h << 16) + 0x8000u;
    for (const auto& [b, code] : {std::pair{h << 16, h}, std::pair{middle - 1, h},
                                  std::pair{middle, (h & 1u) ? h + 1 : h}, std::pair{middle + 1, h + 1}}) {
      points.push_back(from_bits(b));
      expected.push_back(code);
    }
  }
  const auto codes = encode16(family(kFamilyBf16), points);
  for (std::size_t i = 0; i < points.size(); ++i) ASSERT_EQ(codes[i], expected[i]) << bits(points[i]);
}

TEST_P(CodecTest, Bf16SaturatesAndKeepsZeros) {
  const float huge = std::numeric_limits<float>::max();
  const auto codes = encode16(family(kFamilyBf16), {huge, -huge, from_bits(0x7f7f8000u), 0.0f, -0.0f});
  const std::vector<std::uint16_t> expected = {0x7f7f, 0xff7f, 0x7f7f, 0x0000, 0x8000};
  EXPECT_EQ(codes, expected);
}

TEST_P(CodecTest, Sq8IsWithinHalfAStepAndSumsItsCodes) {
  for (const std::size_t dim : kDims) {
    const auto x = random_floats(dim, 30, -3.0f, 5.0f);
    const CodedRows rows(family(kFamilySq8), x, dim);
    const auto* codes = reinterpret_cast<const signed char*>(rows.row(0));
    Sq8Tail tail;
    std::memcpy(&tail, rows.row(0) + (dim + 3) / 4 * 4, sizeof(tail));
    double largest = 0.0;
    for (const float v : x) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    EXPECT_NEAR(tail.scale, largest / 127.0, largest * kUnit);
    int sum = 0, peak = 0;
    double norm2 = 0.0;
    for (std::size_t i = 0; i < dim; ++i) {
      ASSERT_LE(std::fabs(static_cast<double>(x[i]) - rows.decoded[i]), tail.scale * 0.50001) << "dim " << dim;
      ASSERT_EQ(rows.decoded[i], tail.scale * static_cast<float>(codes[i]));
      sum += codes[i];
      peak = std::max(peak, std::abs(static_cast<int>(codes[i])));
      norm2 += static_cast<double>(rows.decoded[i]) * rows.decoded[i];
    }
    EXPECT_EQ(peak, 127);
    EXPECT_EQ(tail.code_sum, sum);
    EXPECT_NEAR(tail.norm2, norm2, 8 * kUnit * norm2);
    for (std::size_t i = dim; i < (dim + 3) / 4 * 4; ++i) EXPECT_EQ(codes[i], 0) << "padding";
  }
}

TEST_P(CodecTest, Sq8OfZeroAndOfDenormalsIsTheZeroRow) {
  for (const float v : {0.0f, -0.0f, 1e-45f, 1e-38f}) {
    const CodedRows rows(family(kFamilySq8), std::vector<float>(5, v), 5);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(rows.row(0)[i], 0) << v << " byte " << i;
  }
}

// A row's own codes as the query: nothing is rounded twice, and no byte of the space is left as it was.
TEST_P(CodecTest, Sq8RowAsQueryScoresAsItsFloats) {
  for (const std::size_t dim : kDims) {
    const CodedRows rows(family(kFamilySq8), random_floats(3 * dim, 33), dim);
    const std::size_t bytes = family(kFamilySq8).query_bytes(dim);
    const GuardedBytes of_row(bytes), of_floats(bytes);
    std::memset(of_row.data(), 0xee, bytes);
    table().sq8_row_as_query(rows.row(1), dim, of_row.data());
    family(kFamilySq8).prepare_query(rows.decoded.data() + dim, dim, of_floats.data());
    for (unsigned m = 0; m < kMetricKernels; ++m) {
      float a[3], b[3];
      family(kFamilySq8).score_block[m](of_row.data(), rows.row(0), rows.stride, 3, dim, a);
      family(kFamilySq8).score_block[m](of_floats.data(), rows.row(0), rows.stride, 3, dim, b);
      for (int i = 0; i < 3; ++i) ASSERT_NEAR(a[i], b[i], 64 * kUnit * static_cast<double>(dim)) << "dim " << dim;
    }
  }
}

TEST_P(CodecTest, Sq8TiesGoToEven) {
  // scale = 1: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, and 127 fixes the scale.
  const CodedRows rows(family(kFamilySq8), {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f}, 7);
  const signed char expected[] = {127, 0, 2, 2, 0, -2, -2};
  for (int i = 0; i < 7; ++i) EXPECT_EQ(static_cast<signed char>(rows.row(0)[i]), expected[i]);
}

TEST_P(CodecTest, Sq4IsWithinHalfAStepAndSumsItsNibbles) {
  for (const std::size_t dim : kDims) {
    const auto x = random_floats(dim, 34, -3.0f, 5.0f);
    const CodedRows rows(family(kFamilySq4), x, dim);
    const std::size_t bytes = (dim + 63) / 64 * 32;
    Sq8Tail tail;
    std::memcpy(&tail, rows.row(0) + bytes, sizeof(tail));
    double largest = 0.0;
    for (const float v : x) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    EXPECT_NEAR(tail.scale, largest / 7.0, largest * kUnit);
    int sum = 0, peak = 0;
    double norm2 = 0.0;
    for (std::size_t i = 0; i < 2 * bytes; ++i) {
      const unsigned byte = rows.row(0)[i / 64 * 32 + i % 32];
      const int nibble = static_cast<int>(i % 64 < 32 ? byte & 15u : byte >> 4);
      sum += nibble;
      if (i >= dim) {
        ASSERT_EQ(nibble, 0) << "padding, dim " << dim;
        continue;
      }
      ASSERT_LE(std::fabs(static_cast<double>(x[i]) - rows.decoded[i]), tail.scale * 0.50001) << "dim " << dim;
      ASSERT_EQ(rows.decoded[i], tail.scale * static_cast<float>(nibble - 8));
      peak = std::max(peak, std::abs(nibble - 8));
      norm2 += static_cast<double>(rows.decoded[i]) * rows.decoded[i];
    }
    EXPECT_EQ(peak, 7);
    EXPECT_EQ(tail.code_sum, sum);
    EXPECT_NEAR(tail.norm2, norm2, 8 * kUnit * norm2);
  }
}

TEST_P(CodecTest, SameBytesAsScalarAndZeroPadding) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    const FamilyKernels& scalar = kScalarTable.families[f];
    for (const std::size_t dim : kDims) {
      ASSERT_EQ(family(f).row_bytes(dim), scalar.row_bytes(dim));
      std::mt19937 random(kSeed + 31);
      std::vector<float> x(5 * dim);
      for (float& v : x) {  // any finite bits: denormals, huge values
        do v = from_bits(static_cast<std::uint32_t>(random()));
        while (!std::isfinite(v));
      }
      const auto mild = random_floats(2 * dim, 32);
      std::copy(mild.begin(), mild.end(), x.begin());
      const std::size_t stride = family(f).row_bytes(dim) + 7;
      std::vector<unsigned char> mine(5 * stride, 0xee), theirs(5 * stride, 0xdd);
      family(f).encode(x.data(), 5, dim, mine.data(), stride);
      scalar.encode(x.data(), 5, dim, theirs.data(), stride);
      ASSERT_EQ(mine, theirs) << kFamilyNames[f] << " dim " << dim;
      for (std::size_t i = 0; i < 7; ++i) ASSERT_EQ(mine[stride - 1 - i], 0) << "padding is not zero";
      std::vector<float> a(dim), b(dim);
      for (std::size_t r = 0; r < 5; ++r) {
        family(f).decode(mine.data() + r * stride, dim, a.data());
        scalar.decode(mine.data() + r * stride, dim, b.data());
        for (std::size_t i = 0; i < dim; ++i) ASSERT_EQ(bits(a[i]), bits(b[i])) << kFamilyNames[f] << " dim " << dim;
      }
    }
  }
}

}  // namespace
}  // namespace segue::kernels::test
