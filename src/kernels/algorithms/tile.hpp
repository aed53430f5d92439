#pragma once
// Many queries against many rows, as a matrix product in outer-product form.
//
// Rows are packed into panels of kPanel = kTileVectors * kWidth rows, interleaved so that one vector holds the same
// element of kWidth rows:
//
//   panel:  e0 of rows 0..15 | e0 of rows 16..31 | e0 of rows 32..47 | e1 of rows 0..15 | ...
//
// For each element, the kTileVectors vectors of the panel meet one broadcast element of each of kTileQueries queries:
// on AVX-512, 3 loads and 8 broadcasts feed 24 FMAs, whose sums stay in registers. There is no reduction across lanes,
// and the sums of consecutive rows are consecutive in `out`. Packing (a transpose) costs about as much as scoring two
// queries; below kTileMinQueries the rows are scored directly.
//
// An element is a float, or for sq8 32 bits of codes (4 with VNNI, 2 widened without), so that one micro kernel serves
// all families. Long float rows are taken kDepth elements at a time, so that a panel stays in the second-level cache.

#include "kernels/algorithms/score.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

constexpr std::size_t kTileMinQueries = 4;
constexpr std::size_t kDepth = 512;

// The sums of Q queries x (NV * kWidth) rows over `depth` elements. Not inlined, here and in `pack`: one copy serves
// every family and metric, which halves the time to compile, and a call is nothing beside thousands of FMAs.
template <class Lanes, std::size_t Q, std::size_t NV>
[[gnu::noinline]] void multiply_panel(const typename Lanes::Element* queries, std::size_t query_stride,
                                      const typename Lanes::Element* panel, std::size_t depth,
                                      typename Lanes::Element* sums) noexcept {
  using V = typename Lanes::V;
  constexpr std::size_t kRows = NV * Lanes::kWidth;
  V acc[Q][NV];
  SEGUE_UNROLL
  for (std::size_t q = 0; q < Q; ++q) {
    SEGUE_UNROLL
    for (std::size_t v = 0; v < NV; ++v) acc[q][v] = Lanes::zero();
  }
  for (std::size_t k = 0; k < depth; ++k) {
    V x[NV];
    SEGUE_UNROLL
    for (std::size_t v = 0; v < NV; ++v) x[v] = Lanes::load(panel + k * kRows + v * Lanes::kWidth);
    SEGUE_UNROLL
    for (std::size_t q = 0; q < Q; ++q) {
      const V e = Lanes::broadcast(queries + q * query_stride + k);
      SEGUE_UNROLL
      for (std::size_t v = 0; v < NV; ++v) acc[q][v] = Lanes::multiply_add(x[v], e, acc[q][v]);
    }
  }
  SEGUE_UNROLL
  for (std::size_t q = 0; q < Q; ++q) {
    SEGUE_UNROLL
    for (std::size_t v = 0; v < NV; ++v) Lanes::store(sums + q * kRows + v * Lanes::kWidth, acc[q][v]);
  }
}

// All queries against one packed panel, kTileQueries at a time, then by halves. `consume(q, sums)` takes the sums of
// query q with the NV * kWidth rows.
template <class Lanes, std::size_t NV, std::size_t Q, class Consume>
inline void multiply_queries(const typename Lanes::Element* queries, std::size_t query_stride, std::size_t first,
                             std::size_t nq, const typename Lanes::Element* panel, std::size_t depth,
                             const Consume& consume) noexcept {
  constexpr std::size_t kRows = NV * Lanes::kWidth;
  alignas(64) typename Lanes::Element sums[Q * kRows];
  for (; first + Q <= nq; first += Q) {
    multiply_panel<Lanes, Q, NV>(queries + first * query_stride, query_stride, panel, depth, sums);
    for (std::size_t q = 0; q < Q; ++q) consume(first + q, sums + q * kRows);
  }
  if constexpr (Q > 1) {
    if (first < nq) {
      multiply_queries<Lanes, NV, Q / 2>(queries, query_stride, first, nq, panel, depth, consume);
    }
  }
}

// Few queries or few rows: blocks of rows that stay in the first-level cache while the queries pass over them.
template <class Family, unsigned M>
void score_tile_by_rows(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                        std::size_t stride, std::size_t n, std::size_t dim, float* out,
                        std::size_t out_stride) noexcept {
  constexpr std::size_t kRows = 32;
  for (std::size_t r = 0; r < n; r += kRows) {
    const std::size_t count = n - r < kRows ? n - r : kRows;
    for (std::size_t q = 0; q < nq; ++q) {
      score_rows_in_groups<Family, M>(static_cast<const unsigned char*>(queries) + q * query_stride, rows + r * stride,
                                      stride, count, dim, out + q * out_stride + r);
    }
  }
}

// ---- f32, f16, bf16 ------------------------------------------------------------------------------------------------

template <class Floats, class Rows>
struct FloatTile {
  using Family = FloatFamily<Floats, Rows>;
  using V = typename Floats::V;
  static constexpr std::size_t kWidth = Floats::kWidth;
  static constexpr std::size_t kPanel = Floats::kTileVectors * kWidth;

  static std::size_t scratch_bytes(std::size_t dim) noexcept {
    const std::size_t depth = round_up(dim, Family::kStep);
    return round_up((kPanel + (depth < kDepth ? depth : kDepth) * kPanel) * sizeof(float), 64);
  }

  // Elements [first, first + depth) of `count` rows; the lanes of missing rows become 0.
  template <std::size_t NV>
  [[gnu::noinline]] static void pack(const unsigned char* rows, std::size_t stride, std::size_t count, std::size_t dim,
                                     std::size_t first, std::size_t depth, float* panel) noexcept {
    for (std::size_t v = 0; v < NV; ++v) {
      const std::size_t present = count > v * kWidth ? count - v * kWidth : 0;
      for (std::size_t k = 0; k < depth; k += Family::kStep) {
        V a[kWidth], b[kWidth];
        const std::size_t rest = dim - (first + k);
        SEGUE_UNROLL
        for (std::size_t r = 0; r < kWidth; ++r) {
          const unsigned char* p = rows + (v * kWidth + r) * stride + Rows::row_bytes(first + k);
          if (r >= present) {
            a[r] = b[r] = Floats::zero();
          } else if (rest >= Family::kStep) {
            Rows::load(p, a[r], b[r]);
          } else {
            Rows::load_partial(p, rest, a[r], b[r]);
          }
        }
        Floats::transpose(a);
        Floats::transpose(b);
        float* to = panel + k * NV * kWidth + v * kWidth;
        SEGUE_UNROLL
        for (std::size_t r = 0; r < kWidth; ++r) {
          Floats::store(to + r * NV * kWidth, a[r]);
          Floats::store(to + (kWidth + r) * NV * kWidth, b[r]);
        }
      }
    }
  }

  template <unsigned M, std::size_t NV>
  static void score_panel(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                          std::size_t stride, std::size_t count, std::size_t dim, float* out, std::size_t out_stride,
                          float* norms, float* panel) noexcept {
    constexpr std::size_t kRows = NV * kWidth;
    const float* numbers = Family::query_numbers(queries);
    const std::size_t number_stride = query_stride / sizeof(float);
    const std::size_t padded = round_up(dim, Family::kStep);
    for (std::size_t r = 0; r < kRows; ++r) norms[r] = 0.0f;
    for (std::size_t first = 0; first < padded; first += kDepth) {
      const std::size_t packed = padded - first < kDepth ? padded - first : kDepth;
      pack<NV>(rows, stride, count, dim, first, packed, panel);
      const bool begins = first == 0;
      const bool ends = first + packed == padded;
      // In-order families need not multiply the padding of the last step.
      const std::size_t depth = ends && !Rows::kSplitEvenOdd ? dim - first : packed;
      if constexpr (M == kSquaredL2) {
        for (std::size_t v = 0; v < NV; ++v) {
          V sum = Floats::load(norms + v * kWidth);
          for (std::size_t k = 0; k < depth; ++k) {
            const V x = Floats::load(panel + k * kRows + v * kWidth);
            sum = Floats::multiply_add(x, x, sum);
          }
          Floats::store(norms + v * kWidth, sum);
        }
      }
      const auto consume = [&](std::size_t q, const float* sums) noexcept {
        float* to = out + q * out_stride;
        if (begins && !(ends && M == kSquaredL2)) {
          for (std::size_t r = 0; r < count; ++r) to[r] = sums[r];
        } else if (!ends || M == kDot) {
          for (std::size_t r = 0; r < count; ++r) to[r] += sums[r];
        } else {
          const float query_norm = load_unaligned<float>(static_cast<const unsigned char*>(queries) + q * query_stride);
          for (std::size_t r = 0; r < count; ++r) {
            const float dot = begins ? sums[r] : to[r] + sums[r];
            const float distance = (query_norm + norms[r]) - 2.0f * dot;
            to[r] = distance > 0.0f ? distance : 0.0f;
          }
        }
      };
      multiply_queries<Floats, NV, Floats::kTileQueries>(numbers + first, number_stride, 0, nq, panel, depth, consume);
    }
  }

  template <unsigned M>
  static void score(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                    std::size_t stride, std::size_t n, std::size_t dim, float* out, std::size_t out_stride,
                    void* scratch) noexcept {
    if (nq < kTileMinQueries || n < kWidth / 2) {
      score_tile_by_rows<Family, M>(queries, query_stride, nq, rows, stride, n, dim, out, out_stride);
      return;
    }
    float* norms = static_cast<float*>(scratch);
    float* panel = norms + kPanel;
    for (std::size_t r = 0; r < n; r += kPanel) {
      const std::size_t count = n - r < kPanel ? n - r : kPanel;
      const auto run = count > 2 * kWidth ? score_panel<M, Floats::kTileVectors>
                       : count > kWidth   ? score_panel<M, 2>
                                          : score_panel<M, 1>;
      run(queries, query_stride, nq, rows + r * stride, stride, count, dim, out + r, out_stride, norms, panel);
    }
  }
};

// ---- sq8 -----------------------------------------------------------------------------------------------------------

template <class Codes>
struct Sq8Tile {
  using Family = Sq8Family<Codes>;
  using V = typename Codes::V;
  static constexpr std::size_t kWidth = Codes::kWidth;
  static constexpr std::size_t kPanel = Codes::kTileVectors * kWidth;
  static_assert(Codes::kTileVectors == 2);

  // What `finish` needs of each row, by column.
  struct Tails {
    float scale[kPanel];
    float norm2[kPanel];
    std::int32_t code_sum[kPanel];
  };

  static constexpr std::size_t kElementBytes = 4;
  static std::size_t elements(std::size_t dim) noexcept {
    return round_up(dim, Codes::kChunk) * sizeof(typename Codes::QueryCode) / kElementBytes;
  }
  static std::size_t scratch_bytes(std::size_t dim) noexcept {
    return round_up(round_up(sizeof(Tails), 64) + elements(dim) * kPanel * kElementBytes, 64);
  }

  template <std::size_t NV>
  [[gnu::noinline]] static void pack(const unsigned char* rows, std::size_t stride, std::size_t count, std::size_t dim,
                                     Tails& tails, std::int32_t* panel) noexcept {
    for (std::size_t v = 0; v < NV; ++v) {
      const std::size_t present = count > v * kWidth ? count - v * kWidth : 0;
      for (std::size_t i = 0, k = 0; i < dim; i += Codes::kChunk, k += kWidth) {
        V x[kWidth];
        SEGUE_UNROLL
        for (std::size_t r = 0; r < kWidth; ++r) {
          const unsigned char* p = rows + (v * kWidth + r) * stride + i;
          x[r] = r >= present               ? Codes::zero()
                 : dim - i >= Codes::kChunk ? Codes::load(p)
                                            : Codes::load_partial(p, dim - i);
        }
        Codes::transpose(x);
        SEGUE_UNROLL
        for (std::size_t r = 0; r < kWidth; ++r) Codes::store(panel + (k + r) * NV * kWidth + v * kWidth, x[r]);
      }
    }
    for (std::size_t r = 0; r < count; ++r) {
      const Sq8Tail tail = load_unaligned<Sq8Tail>(rows + r * stride + Family::tail_offset(dim));
      tails.scale[r] = tail.scale;
      tails.norm2[r] = tail.norm2;
      tails.code_sum[r] = tail.code_sum;
    }
  }

  template <unsigned M, std::size_t NV>
  static void score_panel(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                          std::size_t stride, std::size_t count, std::size_t dim, float* out, std::size_t out_stride,
                          Tails& tails, std::int32_t* panel) noexcept {
    pack<NV>(rows, stride, count, dim, tails, panel);
    const auto consume = [&](std::size_t q, const std::int32_t* sums) noexcept {
      const Sq8Tail query = load_unaligned<Sq8Tail>(static_cast<const unsigned char*>(queries) + q * query_stride);
      float* to = out + q * out_stride;
      for (std::size_t r = 0; r < count; ++r) {
        to[r] = Family::template finish<M>(query, tails.scale[r], tails.norm2[r], tails.code_sum[r], sums[r]);
      }
    };
    const auto* elements_of_queries = reinterpret_cast<const std::int32_t*>(Family::query_codes(queries));
    multiply_queries<Codes, NV, Codes::kTileQueries>(elements_of_queries, query_stride / kElementBytes, 0, nq, panel,
                                                     elements(dim), consume);
  }

  template <unsigned M>
  static void score(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                    std::size_t stride, std::size_t n, std::size_t dim, float* out, std::size_t out_stride,
                    void* scratch) noexcept {
    if (nq < kTileMinQueries || n < kWidth / 2) {
      score_tile_by_rows<Family, M>(queries, query_stride, nq, rows, stride, n, dim, out, out_stride);
      return;
    }
    Tails& tails = *static_cast<Tails*>(scratch);
    auto* panel = reinterpret_cast<std::int32_t*>(static_cast<unsigned char*>(scratch) + round_up(sizeof(Tails), 64));
    for (std::size_t r = 0; r < n; r += kPanel) {
      const std::size_t count = n - r < kPanel ? n - r : kPanel;
      const auto run = count > kWidth ? score_panel<M, 2> : score_panel<M, 1>;
      run(queries, query_stride, nq, rows + r * stride, stride, count, dim, out + r, out_stride, tails, panel);
    }
  }
};

// ---- sets without a tile of their own ------------------------------------------------------------------------------

template <class Family>
struct RowsTile {
  static std::size_t scratch_bytes(std::size_t) noexcept { return 64; }
  template <unsigned M>
  static void score(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                    std::size_t stride, std::size_t n, std::size_t dim, float* out, std::size_t out_stride,
                    void*) noexcept {
    score_tile_by_rows<Family, M>(queries, query_stride, nq, rows, stride, n, dim, out, out_stride);
  }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
