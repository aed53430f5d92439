#include "hnsw/measure_codes.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/kernel_table.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

constexpr std::size_t kMostRows = 131072;
constexpr std::size_t kAsking = 48;
constexpr std::size_t kNearest = 10;
constexpr std::size_t kNearestByCodes = 40;
constexpr std::size_t kPiece = 512;

float nth_cost(std::vector<float>& costs, std::size_t n) {
  const auto at = costs.begin() + static_cast<std::ptrdiff_t>(std::min(n, costs.size()) - 1);
  std::nth_element(costs.begin(), at, costs.end());
  return *at;
}

}  // namespace

double kept_by_codes(const kernels::KernelTable& table, const HeadCoder& coder, std::size_t rows, const ReadRow& read,
                     int threads) {
  const std::size_t n = std::min(rows, kMostRows);
  if (n <= kNearestByCodes) return 1;
  const std::size_t dim = coder.dim();
  const kernels::FamilyKernels& f32 = table.families[kernels::kFamilyF32];
  const VectorStore shape(table, Storage::kPca8, coder.head());
  const auto row_of = [&](std::size_t i) { return i * rows / n; };
  const auto asker = [&](std::size_t q) { return q * n / kAsking; };

  std::vector<PreparedQuery> by_codes(kAsking);
  const std::size_t query_bytes = f32.query_bytes(dim);
  Buffer<unsigned char> exactly(kAsking * query_bytes);
  std::vector<float> row(dim);
  HeadMemory preparing;
  for (std::size_t q = 0; q < kAsking; ++q) {
    read(row_of(asker(q)), row.data());
    coder.prepare(row.data(), shape, by_codes[q], preparing);
    f32.prepare_query(row.data(), dim, exactly.data() + q * query_bytes);
  }

  std::vector<float> true_costs(kAsking * n), code_costs(kAsking * n);
  parallel_for(n, threads, kPiece, [&](std::size_t begin, std::size_t end, std::size_t) {
    const std::size_t count = end - begin;
    std::vector<float> piece(count * dim);
    std::vector<std::uint32_t> slots(count);
    std::iota(slots.begin(), slots.end(), 0u);
    for (std::size_t i = begin; i < end; ++i) read(row_of(i), piece.data() + (i - begin) * dim);
    VectorStore codes(table, Storage::kPca8, coder.head());
    codes.resize(count);
    HeadMemory memory;
    coder.encode(MatrixView(piece, dim), slots.data(), codes, nullptr, memory);
    for (std::size_t q = 0; q < kAsking; ++q) {
      f32.score_block[kernels::kSquaredL2](exactly.data() + q * query_bytes,
                                           reinterpret_cast<const unsigned char*>(piece.data()), dim * sizeof(float),
                                           count, dim, true_costs.data() + q * n + begin);
      codes.kernels().score_block[kernels::kSquaredL2](by_codes[q].data(), codes.rows(), codes.stride(), count,
                                                       codes.dim(), code_costs.data() + q * n + begin);
    }
  });

  std::size_t near = 0;
  std::size_t kept = 0;
  std::vector<float> costs;
  for (std::size_t q = 0; q < kAsking; ++q) {
    float* exact = true_costs.data() + q * n;
    float* coded = code_costs.data() + q * n;
    // Itself, and its equals, which share its vertex.
    for (std::size_t i = 0; i < n; ++i) {
      if (i == asker(q) || exact[i] == 0) exact[i] = coded[i] = std::numeric_limits<float>::infinity();
    }
    costs.assign(exact, exact + n);
    const float tenth = nth_cost(costs, kNearest);
    costs.assign(coded, coded + n);
    const float fortieth = nth_cost(costs, kNearestByCodes);
    // Of a clump that shares a code nobody knows whom a walk would keep.
    const auto within = std::count_if(coded, coded + n, [fortieth](float cost) { return cost <= fortieth; });
    const bool tied = static_cast<std::size_t>(within) > kNearestByCodes;
    std::size_t counted = 0;
    for (std::size_t i = 0; i < n && counted < kNearest; ++i) {
      if (!(exact[i] <= tenth)) continue;
      ++counted;
      kept += tied ? coded[i] < fortieth : coded[i] <= fortieth;
    }
    near += counted;
  }
  return near == 0 ? 1 : static_cast<double>(kept) / static_cast<double>(near);
}

}  // namespace segue
