// scan_blocks: every count of blocks and queries around what is done at once, against sums in double; and what passes.

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using BlocksTest = EverySet;
SEGUE_FOR_EVERY_SET(BlocksTest);

struct Blocks {
  std::size_t groups, blocks;
  std::vector<unsigned char> codes;
  std::vector<float> scales, biases;
};

Blocks random_blocks(std::size_t groups, std::size_t blocks, bool biased) {
  std::mt19937 random(kSeed + static_cast<unsigned>(groups * 31 + blocks));
  Blocks b{groups, blocks, {}, {}, {}};
  // One byte more, at an odd address: no alignment is assumed.
  b.codes.resize(blocks * groups * kBlockGroupBytes + 1);
  for (unsigned char& c : b.codes) c = static_cast<unsigned char>(random() % 256);
  b.scales = random_floats(blocks * kBlockRows, 41, 0.001f, 0.01f);
  if (biased) b.biases = random_floats(blocks * kBlockRows, 42, 0.0f, 10.0f);
  return b;
}

double value_of(const Blocks& b, const BlockQuery& q, std::size_t row, double& magnitude) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < 4 * b.groups; ++i) {
    const std::size_t at = (row / kBlockRows * b.groups + i / 4) * kBlockGroupBytes + row % kBlockRows * 4 + i % 4;
    sum += (static_cast<int>(b.codes[at + 1]) - 128) * q.codes[i];
  }
  const double product = static_cast<double>(sum) * static_cast<double>(b.scales[row]);
  const double bias = b.biases.empty() ? 0 : static_cast<double>(b.biases[row]) * static_cast<double>(q.bias_factor);
  magnitude = std::fabs(product) + std::fabs(bias);
  return product - bias;
}

// Codes i, i + 1, i + 4 and i + 5 whose magnitudes make kPairedCodes: the extremes, and any.
void pair_codes(std::vector<signed char>& codes, std::mt19937& random, std::size_t kind) {
  constexpr signed char kExtremes[][4] = {{127, 1, 0, 0}, {-64, -64, 0, 0}, {32, 32, 32, 32}, {-127, 0, -1, 0}, {0, 1, 0, 127}};
  for (std::size_t first = 0; first < codes.size(); first += 8) {
    for (const std::size_t lane : {0u, 2u}) {
      signed char four[4];
      if (kind == 0) {
        int left = kPairedCodes;
        for (signed char& c : four) {
          const int code = static_cast<int>(random() % static_cast<unsigned>(std::min(left, 127) + 1));
          left -= code;
          c = static_cast<signed char>(random() % 2 == 0 ? code : -code);
        }
      } else {
        std::copy_n(kExtremes[kind == 1 ? 2 : random() % 5], 4, four);
      }
      for (std::size_t j = 0; j < 4; ++j) {
        const std::size_t i = first + lane + j / 2 * 4 + j % 2;
        if (i < codes.size()) codes[i] = four[j];
      }
    }
  }
}

enum class Pairs { kNone, kAll, kSome };

void check(const KernelTable& table, std::size_t groups, std::size_t n, std::size_t nq, bool biased, float share,
           Pairs pairs = Pairs::kNone) {
  Blocks b = random_blocks(groups, n, biased);
  // What overflows first: rows of the largest codes.
  if (pairs != Pairs::kNone) std::fill_n(b.codes.begin() + 1, b.codes.size() / 2, static_cast<unsigned char>(255));
  std::mt19937 random(kSeed + static_cast<unsigned>(nq));
  const int most = table.max_block_code;
  const auto values_of_code = static_cast<unsigned>(2 * most + 1);
  std::vector<std::vector<signed char>> codes(nq, std::vector<signed char>(4 * groups));
  std::vector<BlockQuery> queries(nq);
  for (std::size_t q = 0; q < nq; ++q) {
    const bool paired = pairs == Pairs::kAll || (pairs == Pairs::kSome && q % 4 != 1);
    std::int32_t sum = 0;
    if (paired) pair_codes(codes[q], random, q % 3);
    for (signed char& c : codes[q]) {
      // The extremes are what overflows.
      const int any = static_cast<int>(random() % values_of_code) - most;
      if (!paired) c = static_cast<signed char>(q % 3 == 1 ? most : q % 3 == 2 ? -most : any);
      sum += c;
    }
    queries[q] = {codes[q].data(), sum, biased ? 0.7f : 0.0f, 0.0f, paired};
    std::vector<double> values(n * kBlockRows);
    double magnitude = 0;
    for (std::size_t r = 0; r < values.size(); ++r) values[r] = value_of(b, queries[q], r, magnitude);
    std::sort(values.begin(), values.end());
    const auto at = static_cast<std::size_t>(share * static_cast<float>(values.size()));
    queries[q].limit = values.empty() ? 0.0f : at < values.size() ? static_cast<float>(values[at]) : 3e38f;
  }
  std::vector<std::uint32_t> positions(nq * n * kBlockRows + 1);
  std::vector<float> out(nq * n * kBlockRows + 1);
  std::vector<BlockHits> hits(nq);
  for (std::size_t q = 0; q < nq; ++q) {
    hits[q] = {77, positions.data() + q * n * kBlockRows, out.data() + q * n * kBlockRows};
  }
  table.scan_blocks(queries.data(), nq, b.codes.data() + 1, groups, b.scales.data(),
                    biased ? b.biases.data() : nullptr, n, hits.data());
  for (std::size_t q = 0; q < nq; ++q) {
    std::size_t hit = 0;
    for (std::size_t r = 0; r < n * kBlockRows; ++r) {
      double magnitude = 0;
      const double value = value_of(b, queries[q], r, magnitude);
      const double tolerance = 4 * kUnit * magnitude;
      const bool is_hit = hit < hits[q].count && hits[q].positions[hit] == r;
      if (value >= static_cast<double>(queries[q].limit) + tolerance) {
        ASSERT_TRUE(is_hit) << table.name << ": row " << r << " of " << n << " blocks was missed by query " << q << " of " << nq;
      }
      if (!is_hit) continue;
      ASSERT_GE(value, static_cast<double>(queries[q].limit) - tolerance) << "row " << r << " should not have passed";
      ASSERT_NEAR(hits[q].values[hit], value, tolerance);
      ++hit;
    }
    ASSERT_EQ(hit, hits[q].count) << "hits out of order, or twice";
  }
}

TEST_P(BlocksTest, EveryLength) {
  for (const std::size_t groups : {1u, 2u, 3u, 4u, 8u, 15u, 16u, 17u, 32u, 196u, 384u}) {
    for (const bool biased : {false, true}) check(table(), groups, 5, 5, biased, 0.9f);
  }
}

// Sums of two groups in 16 bits; and queries that are paired beside one that is not.
TEST_P(BlocksTest, PairedQueries) {
  for (const std::size_t groups : {1u, 2u, 3u, 16u, 17u, 196u}) {
    for (const bool biased : {false, true}) {
      check(table(), groups, 5, 7, biased, 0.5f, Pairs::kAll);
      check(table(), groups, 4, 9, biased, 0.5f, Pairs::kSome);
    }
  }
}

TEST_P(BlocksTest, EveryCountOfBlocksAndQueries) {
  for (const std::size_t n : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 33u}) {
    for (const std::size_t nq : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u}) check(table(), 6, n, nq, nq % 2 == 0, 0.8f);
  }
}

TEST_P(BlocksTest, AllPassAndNonePasses) {
  check(table(), 9, 11, 5, false, 0.0f);
  check(table(), 9, 11, 5, true, 0.0f);
  check(table(), 9, 11, 5, false, 1.0f);
}

// The longest rows: sums of 65,536 products of the largest codes still fit 32 bits.
TEST_P(BlocksTest, LongestRows) { check(table(), 65536 / 4, 2, 3, false, 0.5f); }

}  // namespace
}  // namespace segue::kernels::test
