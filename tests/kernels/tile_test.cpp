// score_tile: every count of queries and rows around the panel widths, against double precision.

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using Sizes = std::initializer_list<std::size_t>;
using TileTest = EverySet;
SEGUE_FOR_EVERY_SET(TileTest);

void check(const KernelTable& table, std::size_t f, std::size_t dim, std::size_t nq, std::size_t n) {
  const FamilyKernels& family = table.families[f];
  const CodedRows rows(family, random_floats(n * dim, 20), dim);
  PreparedQueries queries(table, f, random_floats(nq * dim, 21), dim);
  AlignedBytes scratch(family.tile_scratch_bytes(dim));
  const std::size_t out_stride = n + 3;
  std::vector<float> single(n);
  for (unsigned m = 0; m < kMetricKernels; ++m) {
    std::vector<float> out(nq * out_stride, -77.0f);
    family.score_tile[m](queries.query(0), queries.stride, nq, rows.data(), rows.stride, n, dim, out.data(), out_stride,
                         scratch.data());
    for (std::size_t q = 0; q < nq; ++q) {
      family.score_block[m](queries.query(q), rows.data(), rows.stride, n, dim, single.data());
      for (std::size_t r = 0; r < n; ++r) {
        const float got = out[q * out_stride + r];
        const Truth t = truth(m, queries.meaning.data() + q * dim, rows.decoded.data() + r * dim, dim);
        ASSERT_NEAR(got, t.score, tile_tolerance(f, m, dim, t))
            << kFamilyNames[f] << " " << kMetricNames[m] << " dim " << dim << " nq " << nq << " n " << n << " at (" << q
            << ", " << r << ")";
        if (quantises(f)) {
          ASSERT_EQ(bits(got), bits(single[r])) << kFamilyNames[f] << " tile and block differ, dim " << dim;
        }
        if (m == kSquaredL2) {
          ASSERT_GE(got, 0.0f);
        }
      }
      for (std::size_t pad = n; pad < out_stride; ++pad) {
        ASSERT_EQ(out[q * out_stride + pad], -77.0f) << "wrote beside the tile";
      }
    }
  }
}

TEST_P(TileTest, EveryDimension) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : kDims) check(table(), f, dim, 9, 50);
  }
}

TEST_P(TileTest, EveryCountOfQueriesAndRows) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t nq : Sizes{0, 1, 2, 3, 4, 5, 7, 8, 11, 16, 23}) {
      for (const std::size_t n :
           Sizes{0, 1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 95, 96, 97, 150}) {
        check(table(), f, 37, nq, n);
      }
    }
  }
}

// Longer than one pass over the elements, with a ragged end.
TEST_P(TileTest, LongRowsAreSummedAcrossPasses) {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : Sizes{511, 512, 513, 1024, 1025, 2100}) check(table(), f, dim, 6, 35);
  }
}

}  // namespace
}  // namespace segue::kernels::test
