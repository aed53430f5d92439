// Nothing is read or written beyond the stated bytes: every buffer ends at a page that faults when touched.

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using BoundsTest = EverySet;
SEGUE_FOR_EVERY_SET(BoundsTest);

TEST_P(BoundsTest, EveryKernelStaysInside) {
  constexpr std::size_t kQueries = 5;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    const FamilyKernels& kernels = family(f);
    for (const std::size_t dim : kDims) {
      for (const std::size_t n : std::initializer_list<std::size_t>{1, 2, 4, 5, 9, 33}) {
        SCOPED_TRACE(::testing::Message() << kFamilyNames[f] << " dim " << dim << " n " << n);
        const std::size_t stride = kernels.row_bytes(dim);
        const std::size_t query_bytes = kernels.query_bytes(dim);
        ASSERT_EQ(query_bytes % 64, 0u);
        ASSERT_EQ(kernels.tile_scratch_bytes(dim) % 64, 0u);
        const GuardedBytes x(n * dim * 4), rows(n * stride), queries(kQueries * query_bytes), out(kQueries * n * 4);
        const GuardedBytes scratch(kernels.tile_scratch_bytes(dim)), ids(n * 4), query_floats(dim * 4);
        const GuardedBytes decoded(dim * 4);
        const auto values = random_floats(n * dim, 40);
        std::memcpy(x.data(), values.data(), n * dim * 4);
        std::memcpy(query_floats.data(), values.data(), dim * 4);
        for (std::size_t i = 0; i < n; ++i) ids.as<std::uint32_t>()[i] = static_cast<std::uint32_t>(n - 1 - i);

        kernels.encode(x.as<float>(), n, dim, rows.data(), stride);
        kernels.decode(rows.data() + (n - 1) * stride, dim, decoded.as<float>());
        for (std::size_t q = 0; q < kQueries; ++q) {
          kernels.prepare_query(query_floats.as<float>(), dim, queries.data() + q * query_bytes);
        }
        for (unsigned m = 0; m < kMetricKernels; ++m) {
          // A single query whose last byte is the last readable one.
          const unsigned char* query = queries.data() + (kQueries - 1) * query_bytes;
          const GuardedBytes scores(n * 4);
          kernels.score_list[m](query, rows.data(), stride, ids.as<std::uint32_t>(), n, dim, scores.as<float>());
          kernels.score_block[m](query, rows.data(), stride, n, dim, scores.as<float>());
          kernels.score_tile[m](queries.data(), query_bytes, kQueries, rows.data(), stride, n, dim, out.as<float>(), n,
                                scratch.data());
          ASSERT_TRUE(std::isfinite(out.as<float>()[kQueries * n - 1]));
          if (!quantises(f)) continue;
          const FamilyKernels& f32 = family(kFamilyF32);
          const GuardedBytes f32_query(f32.query_bytes(dim));
          f32.prepare_query(query_floats.as<float>(), dim, f32_query.data());
          kernels.score_decoded_list[m](f32_query.data(), rows.data(), stride, ids.as<std::uint32_t>(), n, dim,
                                        scores.as<float>());
          ASSERT_TRUE(std::isfinite(scores.as<float>()[n - 1]));
        }
      }
    }
  }
}

TEST_P(BoundsTest, ScansStayInside) {
  for (std::size_t n = 0; n < 140; ++n) {
    const GuardedBytes x(n * 4 + 4), positions(n * 4 + 4);
    float* values = x.as<float>() + 1;  // ends at the guard
    std::uint32_t* out = positions.as<std::uint32_t>() + 1;
    for (std::size_t i = 0; i < n; ++i) values[i] = 1.0f;
    ASSERT_EQ(table().select_greater(values, n, 0.0f, out), n);
    ASSERT_EQ(table().select_less(values, n, 0.0f, out), 0u);
    ASSERT_EQ(table().first_not_finite(values, n, 1), n);
  }
}

}  // namespace
}  // namespace segue::kernels::test
