// CodePlanes and how bits are dealt out: codes that come back as what they stand for, products by kernel as by hand, scales
// that are right where it matters, no more bytes than were asked for, and errors as small as the tables of their source say.

#include "codes/code_planes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "codes/choose_planes.hpp"
#include "kernels/dispatch.hpp"
#include "support/sanitized.hpp"

namespace segue::test {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr unsigned kSeed = 20261127;

std::vector<float> gaussian(std::size_t n, std::mt19937& random, float spread = 1) {
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

double product(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

CodePlanes planes_of(const std::vector<unsigned char>& bits, float step = 0.1F) {
  return {bits, std::vector<float>(bits.size(), step)};
}

// Rows of one spread, rotated or not.
std::vector<float> rows_of_spreads(std::size_t n, const std::vector<float>& spreads, std::mt19937& random) {
  std::vector<float> rows;
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < n; ++i) {
    for (const float spread : spreads) rows.push_back(spread * normal(random));
  }
  return rows;
}

struct OneRow {
  std::vector<unsigned char> block;
  CodePlanes::Coded coded;
  std::vector<float> decoded;
};

OneRow encode(const CodePlanes& planes, const std::vector<float>& y, const float* row = nullptr, std::size_t place = 0) {
  // What was there before is not there any more.
  OneRow out{std::vector<unsigned char>(planes.words() * kBlockGroupBytes, 0xAB), {}, std::vector<float>(y.size())};
  std::vector<float> memory(2 * y.size());
  out.coded = planes.encode(y.data(), row, memory.data(), out.block.data() + 4 * place);
  planes.decode(out.block.data() + 4 * place, out.coded.scale, out.decoded.data());
  return out;
}

TEST(CodePlanes, SaysWhatItsCodesStandFor) {
  std::mt19937 random(kSeed);
  for (unsigned bits = 1; bits <= 8; ++bits) {
    for (const std::size_t n : {1u, 5u, 31u, 64u, 100u}) {
      const CodePlanes planes = planes_of(std::vector<unsigned char>(n, static_cast<unsigned char>(bits)), 0.3F);
      const std::vector<float> y = gaussian(n, random);
      const OneRow row = encode(planes, y, nullptr, n % kBlockRows);
      ASSERT_GT(row.coded.scale, 0);
      double length = 0, norm = 0, wrong = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const double level = row.decoded[i] / (row.coded.scale * 0.3F);
        const double nearest = 2 * std::floor(level / 2) + 1;
        ASSERT_NEAR(level, nearest, 1e-3) << "no odd number";
        ASSERT_LE(std::fabs(nearest), (1 << bits) - 1);
        length += std::pow(row.coded.scale * nearest, 2);
        norm += std::pow(static_cast<double>(row.decoded[i]), 2);
        wrong += std::pow(static_cast<double>(y[i]) - row.decoded[i], 2);
      }
      EXPECT_NEAR(row.coded.length, std::sqrt(length), 1e-4 * std::sqrt(length));
      EXPECT_NEAR(row.coded.norm, std::sqrt(norm), 1e-4 * std::sqrt(norm));
      EXPECT_NEAR(row.coded.error, 4 / 0.3 * std::sqrt(wrong / static_cast<double>(n)), 1e-3 * std::sqrt(norm));
    }
  }
}

// What a kernel makes of a row and a query is the product of what both stand for.
TEST(CodePlanes, ScanIsTheProduct) {
  std::mt19937 random(kSeed);
  std::vector<unsigned char> bits;
  for (const auto& [b, n] : {std::pair{8, 8}, {7, 16}, {6, 8}, {5, 24}, {4, 8}, {3, 40}, {2, 8}, {1, 48}}) {
    bits.insert(bits.end(), static_cast<std::size_t>(n), static_cast<unsigned char>(b));
  }
  std::vector<float> steps;
  for (std::size_t i = 0; i < bits.size(); ++i) steps.push_back(0.01F * static_cast<float>(1 + bits[i]));
  const CodePlanes planes(bits, steps);
  const kernels::KernelTable& table = kernels::active_kernels();
  std::vector<unsigned char> block(planes.words() * kBlockGroupBytes);
  std::vector<float> scales(kBlockRows), memory(2 * planes.size());
  std::vector<std::vector<float>> decoded;
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    const std::vector<float> y = gaussian(planes.size(), random);
    scales[r] = planes.encode(y.data(), nullptr, memory.data(), block.data() + 4 * r).scale;
    decoded.emplace_back(planes.size());
  }
  // Only now, when the rows beside each other have all been written.
  for (std::size_t r = 0; r < kBlockRows; ++r) planes.decode(block.data() + 4 * r, scales[r], decoded[r].data());
  std::vector<signed char> codes(planes.size()), spread(planes.query_codes());
  std::vector<float> query(planes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<signed char>(static_cast<int>(random() % 127) - 63);
    query[i] = static_cast<float>(codes[i]) / steps[i];  // what becomes that code in units of 1
  }
  std::vector<float> scaled(planes.size());
  planes.scale_query(query.data(), scaled.data());
  for (std::size_t i = 0; i < codes.size(); ++i) ASSERT_NEAR(scaled[i], codes[i], 1e-4);
  const kernels::BlockQuery view{spread.data(), planes.spread_query(codes.data(), spread.data()), 0, -1e30F};
  std::uint32_t positions[kBlockRows];
  float values[kBlockRows];
  kernels::BlockHits hits{0, positions, values};
  table.scan_planes(&view, 1, block.data(), planes.planes().data(), planes.planes().size(), planes.words(), scales.data(),
                    nullptr, 1, &hits);
  ASSERT_EQ(hits.count, kBlockRows);
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    EXPECT_NEAR(values[r], product(decoded[r], query), 1e-3 * std::sqrt(product(query, query))) << r;
  }
}

// Under l2 what is wrong is orthogonal to the row; for products less of it lies along the item than where it is least.
TEST(CodePlanes, ErrorsLieAcross) {
  std::mt19937 random(kSeed);
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const CodePlanes planes = planes_of(std::vector<unsigned char>(96, static_cast<unsigned char>(bits)), 0.05F);
    double with = 0, without = 0;
    for (int round = 0; round < 50; ++round) {
      const std::vector<float> y = gaussian(96, random);
      std::vector<float> item = gaussian(96, random);
      for (std::size_t i = 0; i < item.size(); ++i) item[i] += y[i];
      const auto wrong_along = [&](const OneRow& row, const std::vector<float>& x) {
        return std::fabs(product(y, x) - product(row.decoded, x)) / product(x, x);
      };
      EXPECT_LT(wrong_along(encode(planes, y), y), 1e-5) << bits;
      with += std::pow(wrong_along(encode(planes, y, item.data()), item), 2);
      OneRow least = encode(planes, y);
      const double scale = product(y, least.decoded) / product(least.decoded, least.decoded);
      for (float& x : least.decoded) x *= static_cast<float>(scale);
      without += std::pow(wrong_along(least, item), 2);
    }
    EXPECT_LT(with, 0.5 * without) << bits;
  }
}

// The steps of Max's table leave what Max's table says, and the search for a scale no more.
TEST(CodePlanes, LeaveWhatTheTableSays) {
  constexpr double kLeft[9] = {1, 0.3634, 0.1188, 0.03744, 0.01154, 0.003495, 0.001041, 0.000304, 0.0000871};
  std::mt19937 random(kSeed);
  const kernels::KernelTable& table = kernels::active_kernels();
  const std::vector<float> sample = gaussian(2048 * 64, random);
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const PlaneChoice choice = choose_planes(table, MatrixView(sample, 64), bits, 1);
    ASSERT_EQ(choice.planes->size(), 64U) << "all directions are alike";
    double left = 0;
    for (std::size_t r = 0; r < 500; ++r) {
      const std::vector<float> y(sample.begin() + static_cast<std::ptrdiff_t>(64 * r),
                                 sample.begin() + static_cast<std::ptrdiff_t>(64 * (r + 1)));
      const OneRow row = encode(*choice.planes, y);
      double wrong = 0;
      for (std::size_t i = 0; i < y.size(); ++i) wrong += std::pow(static_cast<double>(y[i]) - row.decoded[i], 2);
      left += wrong / product(y, y) / 500;
    }
    // The scale that makes errors orthogonal is not the one that makes them least: left / (1 - left).
    EXPECT_LT(left, 1.1 * kLeft[bits] / (1 - kLeft[bits])) << bits;
    // Scales of their own do better by rows of 64 than one does by all.
    EXPECT_GT(left, 0.3 * kLeft[bits]) << bits;
  }
}

TEST(CodePlanes, RowsThatAreNone) {
  const CodePlanes planes = planes_of(std::vector<unsigned char>(40, 3));
  for (const float x : {0.0F, 1e-38F, 1e38F, 3e38F}) {
    const OneRow row = encode(planes, std::vector<float>(40, x));
    EXPECT_TRUE(std::isfinite(row.coded.scale));
    for (const float y : row.decoded) EXPECT_TRUE(std::isfinite(y));
  }
  EXPECT_EQ(encode(planes, std::vector<float>(40, 0.0F)).coded.scale, 0.0F);
  // Rows that point away from their items, for products: whatever comes of them, memory that held other levels has no say.
  std::mt19937 random(kSeed);
  std::size_t zeros = 0;
  for (int round = 0; round < 200; ++round) {
    const std::vector<float> y = gaussian(40, random);
    std::vector<float> away = gaussian(40, random, 0.2F);
    for (std::size_t i = 0; i < 40; ++i) away[i] -= static_cast<float>(round % 4) * y[i];
    std::vector<unsigned char> codes[2];
    float scales[2] = {};
    for (int fill = 0; fill < 2; ++fill) {
      std::vector<float> memory(80, fill == 0 ? 1.0F : -7.0F);
      codes[fill].assign(planes.words() * kBlockGroupBytes, 0);
      const CodePlanes::Coded coded = planes.encode(y.data(), away.data(), memory.data(), codes[fill].data());
      scales[fill] = coded.scale;
      EXPECT_TRUE(std::isfinite(coded.scale) && std::isfinite(coded.error) && std::isfinite(coded.length));
    }
    EXPECT_EQ(scales[0], scales[1]);
    EXPECT_EQ(codes[0], codes[1]);
    zeros += scales[0] == 0;
  }
  EXPECT_LT(zeros, 200U);
}

std::size_t most_words(std::size_t dim, unsigned bits) { return (dim * bits + 31) / 32; }

double orthonormality_defect(const Projection& projection) {
  return projection.defect() / std::sqrt(static_cast<double>(projection.head()));
}

TEST(ChoosePlanes, TakeNoMoreThanWasAskedFor) {
  std::mt19937 random(kSeed);
  for (const std::size_t dim : {1u, 2u, 7u, 24u, 65u, 100u, 200u}) {
    std::vector<float> spreads;
    for (std::size_t i = 0; i < dim; ++i) spreads.push_back(std::exp(-5.0F * static_cast<float>(i) / static_cast<float>(dim)));
    for (const std::size_t n : {0u, 10u, 1500u}) {
      const std::vector<float> rows = rows_of_spreads(n, spreads, random);
      for (unsigned bits = 1; bits <= 8; ++bits) {
        const PlaneChoice choice = choose_planes(kernels::active_kernels(), MatrixView(rows.data(), n, dim), bits, 1);
        const std::span<const unsigned char> own = choice.planes->bits();
        ASSERT_FALSE(own.empty());
        EXPECT_EQ(choice.projection.head(), own.size());
        EXPECT_TRUE(std::is_sorted(own.begin(), own.end(), std::greater<>()));
        const bool alike = own.front() == own.back() && own.size() == dim;
        // All alike, a plane's last word may have room left.
        EXPECT_LE(choice.planes->words(), most_words(dim, bits) + (alike ? 2 : 0)) << dim << " dimensions, " << bits << " bits";
        EXPECT_LT(orthonormality_defect(choice.projection), 1e-5);
      }
    }
  }
}

TEST(ChoosePlanes, FewDirectionsTakeMostBits) {
  std::mt19937 random(kSeed);
  std::vector<float> spreads(128, 0.01F);
  std::fill_n(spreads.begin(), 32, 1.0F);
  const std::vector<float> rows = rows_of_spreads(2048, spreads, random);
  const PlaneChoice choice = choose_planes(kernels::active_kernels(), MatrixView(rows, 128), 2, 1);
  const std::span<const unsigned char> bits = choice.planes->bits();
  // 256 bits for 32 directions that matter, and 96 that do not.
  ASSERT_GE(bits.size(), 32U);
  EXPECT_GE(bits[31], 6);
  ProjectionMemory memory;
  std::vector<float> head(bits.size());
  double left = 0;
  for (std::size_t r = 0; r < 200; ++r) {
    const std::vector<float> x(rows.begin() + static_cast<std::ptrdiff_t>(128 * r),
                               rows.begin() + static_cast<std::ptrdiff_t>(128 * (r + 1)));
    choice.projection.apply_direction(x.data(), head.data(), memory);
    const OneRow row = encode(*choice.planes, head);
    double wrong = product(x, x) - product(head, head);  // of the directions left out
    for (std::size_t i = 0; i < head.size(); ++i) wrong += std::pow(static_cast<double>(head[i]) - row.decoded[i], 2);
    left += wrong / product(x, x) / 200;
  }
  // Two bits everywhere would leave 0.12, eight of these 32 directions 0.0004 and the rest 0.0003.
  EXPECT_LT(left, 0.004);
}

// Of many dimensions the leading directions are enough, where they hold what matters.
TEST(ChoosePlanes, ManyDimensions) {
  constexpr std::size_t kDim = 1100, kRows = 2200;
  std::mt19937 random(kSeed);
  for (const bool steep : {true, false}) {
    if (kSanitized && !steep) continue;
    std::vector<float> spreads(kDim, 1.0F);
    for (std::size_t i = 0; steep && i < kDim; ++i) spreads[i] = std::exp(-0.02F * static_cast<float>(i));
    const std::vector<float> rows = rows_of_spreads(kRows, spreads, random);
    const PlaneChoice choice = choose_planes(kernels::active_kernels(), MatrixView(rows, kDim), 1, 2);
    EXPECT_EQ(choice.planes->size() < kDim, steep);
    EXPECT_EQ(choice.planes->bits().front() > 1, steep);
    EXPECT_LE(choice.planes->words(), most_words(kDim, 1));
    EXPECT_EQ(choice.projection.head(), choice.planes->size());
  }
}

// Two rows at even distances of the same sample: the choice depends on nothing else.
TEST(ChoosePlanes, IsTheSameOnAnyNumberOfThreads) {
  std::mt19937 random(kSeed);
  std::vector<float> spreads(64);
  for (std::size_t i = 0; i < 64; ++i) spreads[i] = std::exp(-0.1F * static_cast<float>(i));
  const std::vector<float> rows = rows_of_spreads(3000, spreads, random);
  const PlaneChoice one = choose_planes(kernels::active_kernels(), MatrixView(rows, 64), 3, 1);
  const PlaneChoice four = choose_planes(kernels::active_kernels(), MatrixView(rows, 64), 3, 4);
  ASSERT_TRUE(std::equal(one.planes->bits().begin(), one.planes->bits().end(), four.planes->bits().begin(),
                         four.planes->bits().end()));
  EXPECT_TRUE(std::equal(one.projection.basis().begin(), one.projection.basis().end(), four.projection.basis().begin()));
}

}  // namespace
}  // namespace segue::test
