#pragma once
// A matrix that stays, against vectors: the panels of tile.hpp, packed once. One vector alone reads each number once, in
// the order in which it lies.

#include "kernels/algorithms/tile.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

template <class Floats>
struct PanelMatrix {
  using Tile = FloatTile<Floats, F32Rows<Floats>>;
  using Family = typename Tile::Family;
  static constexpr std::size_t kWidth = Floats::kWidth;
  static constexpr std::size_t kPanel = Tile::kPanel;
  static_assert(Floats::kTileVectors == 3);

  static std::size_t depth(std::size_t dim) noexcept { return round_up(dim, Family::kStep); }
  static std::size_t bytes(std::size_t n, std::size_t dim) noexcept {
    return round_up(round_up(n, kWidth) * depth(dim) * sizeof(float), 64);
  }

  static void lay_out(const float* rows, std::size_t n, std::size_t dim, void* out) noexcept {
    for (std::size_t r = 0; r < n; r += kPanel) {
      const std::size_t count = n - r < kPanel ? n - r : kPanel;
      const auto pack = count > 2 * kWidth ? Tile::template pack<3>
                        : count > kWidth   ? Tile::template pack<2>
                                           : Tile::template pack<1>;
      pack(reinterpret_cast<const unsigned char*>(rows + r * dim), dim * sizeof(float), count, dim, 0, depth(dim),
           static_cast<float*>(out) + r * depth(dim));
    }
  }

  template <std::size_t NV>
  static void multiply_by(const float* panel, const float* numbers, std::size_t stride, std::size_t nq,
                          std::size_t count, std::size_t all, float* out, std::size_t out_stride) noexcept {
    for (std::size_t first = 0; first < all; first += kDepth) {
      const std::size_t some = all - first < kDepth ? all - first : kDepth;
      const auto consume = [&](std::size_t q, const float* sums) noexcept {
        float* to = out + q * out_stride;
        for (std::size_t r = 0; r < count; ++r) to[r] = first == 0 ? sums[r] : to[r] + sums[r];
      };
      multiply_queries<Floats, NV, Floats::kTileQueries>(numbers + first, stride, 0, nq, panel + first * NV * kWidth,
                                                         some, consume);
    }
  }

  static void multiply(const void* queries, std::size_t query_stride, std::size_t nq, const void* rows, std::size_t n,
                       std::size_t dim, float* out) noexcept {
    const float* numbers = Family::query_numbers(queries);
    for (std::size_t r = 0; r < n; r += kPanel) {
      const std::size_t count = n - r < kPanel ? n - r : kPanel;
      const auto run = count > 2 * kWidth ? multiply_by<3> : count > kWidth ? multiply_by<2> : multiply_by<1>;
      run(static_cast<const float*>(rows) + r * depth(dim), numbers, query_stride / sizeof(float), nq, count, dim,
          out + r, n);
    }
  }
};

// A set without tiles keeps the rows as they are.
template <class Floats>
struct RowMatrix {
  using Family = FloatFamily<Floats, F32Rows<Floats>>;

  static std::size_t bytes(std::size_t n, std::size_t dim) noexcept { return round_up(n * dim * sizeof(float), 64); }
  static void lay_out(const float* rows, std::size_t n, std::size_t dim, void* out) noexcept {
    __builtin_memcpy(out, rows, n * dim * sizeof(float));
  }
  static void multiply(const void* queries, std::size_t query_stride, std::size_t nq, const void* rows, std::size_t n,
                       std::size_t dim, float* out) noexcept {
    score_tile_by_rows<Family, kDot>(queries, query_stride, nq, static_cast<const unsigned char*>(rows),
                                     dim * sizeof(float), n, dim, out, n);
  }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
