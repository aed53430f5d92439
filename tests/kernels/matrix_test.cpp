// A matrix that stays: against double precision, and the same bits in whatever company.

#include "support.hpp"

namespace segue::kernels::test {
namespace {

using Sizes = std::initializer_list<std::size_t>;
using MatrixTest = EverySet;
SEGUE_FOR_EVERY_SET(MatrixTest);

void check(const KernelTable& table, std::size_t dim, std::size_t nq, std::size_t n) {
  SCOPED_TRACE("dim " + std::to_string(dim) + " nq " + std::to_string(nq) + " n " + std::to_string(n));
  const FamilyKernels& f32 = table.families[kFamilyF32];
  const std::vector<float> rows = random_floats(n * dim, 31);
  PreparedQueries queries(f32, random_floats(nq * dim, 32), dim);
  ASSERT_EQ(table.matrix.bytes(n, dim) % 64, 0u);
  AlignedBytes matrix(table.matrix.bytes(n, dim));
  table.matrix.lay_out(rows.data(), n, dim, matrix.data());
  std::vector<float> out(nq * n + 1, -77.0f);
  table.matrix.multiply(queries.query(0), queries.stride, nq, matrix.data(), n, dim, out.data());
  ASSERT_EQ(out.back(), -77.0f) << "wrote behind the products";
  std::vector<float> alone(n);
  for (std::size_t q = 0; q < nq; ++q) {
    table.matrix.multiply(queries.query(q), queries.stride, 1, matrix.data(), n, dim, alone.data());
    for (std::size_t r = 0; r < n; ++r) {
      const Truth t = truth(kDot, queries.meaning.data() + q * dim, rows.data() + r * dim, dim);
      ASSERT_NEAR(out[q * n + r], t.score, tile_tolerance(kFamilyF32, kDot, dim, t)) << "(" << q << ", " << r << ")";
      ASSERT_EQ(bits(out[q * n + r]), bits(alone[r])) << "(" << q << ", " << r << ")";
    }
  }
}

TEST_P(MatrixTest, EveryDimension) {
  for (const std::size_t dim : kDims) check(table(), dim, 9, 50);
  check(table(), 4096, 3, 50);
}

TEST_P(MatrixTest, EveryCountOfVectorsAndRows) {
  for (const std::size_t nq : Sizes{1, 2, 3, 4, 5, 7, 8, 11, 16, 23}) {
    for (const std::size_t n : Sizes{1, 2, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32, 33, 47, 48, 49, 95, 96, 97, 150}) {
      check(table(), 37, nq, n);
    }
  }
}

}  // namespace
}  // namespace segue::kernels::test
