// score_list and score_block: right within the promised tolerance, and the same bits whatever surrounds a row.

#include <algorithm>
#include <numeric>

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using ScoreTest = EverySet;
SEGUE_FOR_EVERY_SET(ScoreTest);

std::vector<std::uint32_t> shuffled_ids(std::size_t n, unsigned salt) {
  std::vector<std::uint32_t> ids(n);
  std::iota(ids.begin(), ids.end(), 0u);
  std::shuffle(ids.begin(), ids.end(), std::mt19937(kSeed + salt));
  return ids;
}

TEST_P(ScoreTest, ListAgreesWithDoublePrecision) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : kDims) {
      const CodedRows rows(family(f), random_floats(23 * dim, 1), dim);
      PreparedQueries queries(table(), f, random_floats(dim, 2), dim);
      const auto ids = shuffled_ids(rows.n, 3);
      std::vector<float> scores(rows.n);
      for (unsigned m = 0; m < kMetricKernels; ++m) {
        family(f).score_list[m](queries.query(0), rows.data(), rows.stride, ids.data(), rows.n, dim, scores.data());
        for (std::size_t i = 0; i < rows.n; ++i) {
          const Truth t = truth(m, queries.meaning.data(), rows.decoded.data() + ids[i] * dim, dim);
          ASSERT_NEAR(scores[i], t.score, list_tolerance(table(), f, dim, t))
              << kFamilyNames[f] << " " << kMetricNames[m] << " dim " << dim << " position " << i;
        }
      }
    }
  }
}

TEST_P(ScoreTest, BitsDoNotDependOnPositionLengthOrListOrBlock) {
  constexpr std::size_t kRows = 19;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : kDims) {
      const CodedRows rows(family(f), random_floats(kRows * dim, 4), dim);
      PreparedQueries queries(family(f), random_floats(dim, 5), dim);
      for (unsigned m = 0; m < kMetricKernels; ++m) {
        std::vector<float> alone(kRows);  // each row in a list of one
        for (std::uint32_t i = 0; i < kRows; ++i) {
          family(f).score_list[m](queries.query(0), rows.data(), rows.stride, &i, 1, dim, &alone[i]);
        }
        for (std::size_t n = 0; n <= kRows; ++n) {
          auto ids = shuffled_ids(kRows, static_cast<unsigned>(n));
          ids.resize(n);
          std::vector<float> list(n + 1, -77.0f), block(n + 1, -77.0f);
          family(f).score_list[m](queries.query(0), rows.data(), rows.stride, ids.data(), n, dim, list.data());
          const std::size_t first = kRows - n;
          family(f).score_block[m](queries.query(0), rows.row(first), rows.stride, n, dim, block.data());
          for (std::size_t i = 0; i < n; ++i) {
            ASSERT_EQ(bits(list[i]), bits(alone[ids[i]]))
                << "list " << kFamilyNames[f] << " " << kMetricNames[m] << " dim " << dim << " n " << n << " at " << i;
            ASSERT_EQ(bits(block[i]), bits(alone[first + i]))
                << "block " << kFamilyNames[f] << " " << kMetricNames[m] << " dim " << dim << " n " << n << " at " << i;
          }
          ASSERT_EQ(list[n], -77.0f) << "a list of " << n << " wrote behind its scores";
          ASSERT_EQ(block[n], -77.0f) << "a block of " << n << " wrote behind its scores";
        }
      }
    }
  }
}

TEST_P(ScoreTest, RepeatedIdsAndLongListsAreScoredEach) {
  constexpr std::size_t kDim = 40;
  const CodedRows rows(family(kFamilyF32), random_floats(7 * kDim, 6), kDim);
  PreparedQueries queries(family(kFamilyF32), random_floats(kDim, 7), kDim);
  std::vector<std::uint32_t> ids(1003);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i * i % 7);
  std::vector<float> scores(ids.size()), block(7);
  const FamilyKernels& f32 = family(kFamilyF32);
  f32.score_list[kDot](queries.query(0), rows.data(), rows.stride, ids.data(), ids.size(), kDim, scores.data());
  f32.score_block[kDot](queries.query(0), rows.data(), rows.stride, 7, kDim, block.data());
  for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(bits(scores[i]), bits(block[ids[i]]));
}

// By tables of the same set: only the way to a row's floats differs.
TEST_P(ScoreTest, DecodedListsGiveTheBitsOfDecodedRows) {
  constexpr std::size_t kRows = 23;
  const FamilyKernels& f32 = family(kFamilyF32);
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (unsigned m = 0; m < kMetricKernels; ++m) ASSERT_EQ(family(f).score_decoded_list[m] != nullptr, quantises(f));
    if (!quantises(f)) continue;
    for (const std::size_t dim : kDims) {
      CodedRows rows(family(f), random_floats(kRows * dim, 51), dim);
      const CodedRows floats(f32, rows.decoded, dim);
      PreparedQueries queries(f32, random_floats(dim, 52), dim);
      const auto ids = shuffled_ids(kRows, 53);
      for (unsigned m = 0; m < kMetricKernels; ++m) {
        for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{6}, kRows}) {
          std::vector<float> expected(kRows, -77.0f), scores(kRows, -77.0f);
          f32.score_list[m](queries.query(0), floats.data(), floats.stride, ids.data(), n, dim, expected.data());
          family(f).score_decoded_list[m](queries.query(0), rows.data(), rows.stride, ids.data(), n, dim, scores.data());
          for (std::size_t i = 0; i < kRows; ++i) {
            ASSERT_EQ(bits(scores[i]), bits(expected[i]))
                << kFamilyNames[f] << " " << kMetricNames[m] << " dim " << dim << " n " << n << " at " << i;
          }
        }
      }
    }
  }
}

TEST_P(ScoreTest, DistanceToItselfIsZero) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : kDims) {
      const CodedRows rows(family(f), random_floats(dim, 8), dim);
      // The decoded row is its own query; sq8 quantises it again, to codes that may differ by the last rounding.
      PreparedQueries queries(family(f), rows.decoded, dim);
      float distance = -1.0f;
      family(f).score_block[kSquaredL2](queries.query(0), rows.data(), rows.stride, 1, dim, &distance);
      const Truth t = truth(kDot, rows.decoded.data(), rows.decoded.data(), dim);
      if (f == kFamilySq4) continue;  // the query has eight bits, the row four
      if (f == kFamilySq8) {
        ASSERT_GE(distance, 0.0f);
        ASSERT_LE(distance, 4.0 * kUnit * t.reach) << "dim " << dim;
      } else {
        ASSERT_EQ(distance, 0.0f) << kFamilyNames[f] << " dim " << dim;
      }
    }
  }
}

// Integer sums leave no room for rounding: quantised scores are the same bits on every instruction set.
TEST_P(ScoreTest, CodesGiveTheScalarBits) {
  for (const std::size_t f : {kFamilySq8, kFamilySq4}) {
    const FamilyKernels& truth_family = kScalarTable.families[f];
    for (const std::size_t dim : kDims) {
      const auto x = random_floats(9 * dim, 9);
      const auto q = random_floats(dim, 10);
      const CodedRows rows(family(f), x, dim);
      PreparedQueries mine(family(f), q, dim), scalar(truth_family, q, dim);
      for (unsigned m = 0; m < kMetricKernels; ++m) {
        float got[9], expected[9];
        family(f).score_block[m](mine.query(0), rows.data(), rows.stride, 9, dim, got);
        truth_family.score_block[m](scalar.query(0), rows.data(), rows.stride, 9, dim, expected);
        for (int i = 0; i < 9; ++i) {
          ASSERT_EQ(bits(got[i]), bits(expected[i])) << kFamilyNames[f] << " " << kMetricNames[m] << " dim " << dim;
        }
      }
    }
  }
}

// Codes of the same sign at full scale: the sums that saturate a vpmaddubsw and come nearest to 2^31.
TEST_P(ScoreTest, CodesDoNotOverflow) {
  for (const std::size_t f : {kFamilySq8, kFamilySq4}) {
    for (const std::size_t dim : {std::size_t{64}, std::size_t{1536}, std::size_t{65536}}) {
      for (const float sign : {1.0f, -1.0f}) {
        const CodedRows rows(family(f), std::vector<float>(dim, sign), dim);
        PreparedQueries queries(family(f), std::vector<float>(dim, 1.0f), dim);
        float dot = 0.0f;
        family(f).score_block[kDot](queries.query(0), rows.data(), rows.stride, 1, dim, &dot);
        ASSERT_NEAR(dot, sign * static_cast<double>(dim), 1e-5 * static_cast<double>(dim)) << kFamilyNames[f];
      }
    }
  }
}

TEST_P(ScoreTest, ZeroRowsAndZeroQueries) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : kDims) {
      const std::vector<float> zeros(dim, 0.0f), ones(dim, 1.0f);
      const CodedRows zero_row(family(f), zeros, dim);
      PreparedQueries zero_query(family(f), zeros, dim), one_query(family(f), ones, dim);
      float score = -1.0f;
      family(f).score_block[kDot](one_query.query(0), zero_row.data(), zero_row.stride, 1, dim, &score);
      ASSERT_EQ(score, 0.0f);
      family(f).score_block[kSquaredL2](zero_query.query(0), zero_row.data(), zero_row.stride, 1, dim, &score);
      ASSERT_EQ(score, 0.0f);
      family(f).score_block[kSquaredL2](one_query.query(0), zero_row.data(), zero_row.stride, 1, dim, &score);
      ASSERT_NEAR(score, static_cast<double>(dim), 1e-6 * static_cast<double>(dim)) << kFamilyNames[f];
    }
  }
}

}  // namespace
}  // namespace segue::kernels::test
