#pragma once
// Blocks of codes against several queries: sums in registers, a comparison, and the rows that pass.
//
// The codes of kBlocksAtOnce blocks meet kQueriesAtOnce queries; what is left over goes one query, or one block, at a
// time. Nearly no row passes, so the way of a hit may cost some nanoseconds and the rest is: convert, scale, compare.
//
// How codes become sums is the business of Bytes (eight bits each) or Planes (fewer). Sets without an instruction that adds
// four products in 32 bits (Blocks::kAddsPairs) add two of them in 16 first. What they then need two instructions of their
// multipliers for, to widen, comes once for several groups where their codes are small enough.

#include "kernels/algorithms/codec.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

template <class Blocks>
struct Bytes {
  using V = typename Blocks::V;
  static constexpr std::size_t kVectors = kBlockRows / Blocks::kRows;  // of a block
  static constexpr std::size_t kVectorBytes = 4 * Blocks::kRows;

  std::size_t groups;

  std::size_t block_bytes() const noexcept { return groups * kBlockGroupBytes; }

  // Q queries, B blocks from p on.
  template <std::size_t Q, std::size_t B>
  SEGUE_INLINE void sum(const BlockQuery* queries, const unsigned char* p, V (&sums)[Q][B * kVectors]) const noexcept {
    SEGUE_UNROLL
    for (std::size_t q = 0; q < Q; ++q) {
      // Unsigned: a damaged file may bring in sums that are none, and those may wrap.
      const std::uint32_t surplus = static_cast<std::uint32_t>(Blocks::kRowOffset) * static_cast<std::uint32_t>(queries[q].code_sum);
      const V start = Blocks::splat(static_cast<std::int32_t>(std::uint32_t{0} - surplus));
      SEGUE_UNROLL
      for (std::size_t i = 0; i < B * kVectors; ++i) sums[q][i] = start;
    }
    std::size_t g = 0;
    if constexpr (Blocks::kAddsPairs) {
      bool paired = true;
      for (std::size_t q = 0; q < Q; ++q) paired = paired && queries[q].paired != 0;
      for (; paired && g + 2 <= groups; g += 2, p += 2 * kBlockGroupBytes) add_two<Q, B>(queries, p, g, sums);
    }
    for (; g < groups; ++g, p += kBlockGroupBytes) {
      V rows[B * kVectors];
      SEGUE_UNROLL
      for (std::size_t i = 0; i < B * kVectors; ++i) {
        rows[i] = Blocks::load(p + i / kVectors * block_bytes() + i % kVectors * kVectorBytes);
      }
      SEGUE_UNROLL
      for (std::size_t q = 0; q < Q; ++q) {
        const auto four = Blocks::broadcast(queries[q].codes + 4 * g);
        SEGUE_UNROLL
        for (std::size_t i = 0; i < B * kVectors; ++i) sums[q][i] = Blocks::multiply_add(rows[i], four, sums[q][i]);
      }
    }
  }

 private:
  // Groups g and g + 1.
  template <std::size_t Q, std::size_t B>
  SEGUE_INLINE void add_two(const BlockQuery* queries, const unsigned char* p, std::size_t g,
                            V (&sums)[Q][B * kVectors]) const noexcept {
    typename Blocks::Query fours[Q][2];
    SEGUE_UNROLL
    for (std::size_t q = 0; q < Q; ++q) {
      fours[q][0] = Blocks::broadcast(queries[q].codes + 4 * g);
      fours[q][1] = Blocks::broadcast(queries[q].codes + 4 * g + 4);
    }
    SEGUE_UNROLL
    for (std::size_t i = 0; i < B * kVectors; ++i) {
      const unsigned char* const at = p + i / kVectors * block_bytes() + i % kVectors * kVectorBytes;
      const V first = Blocks::load(at);
      const V second = Blocks::load(at + kBlockGroupBytes);
      SEGUE_UNROLL
      for (std::size_t q = 0; q < Q; ++q) {
        const V pairs = Blocks::add_pairs(Blocks::multiply_pairs(first, fours[q][0]), Blocks::multiply_pairs(second, fours[q][1]));
        sums[q][i] = Blocks::widen_add(pairs, sums[q][i]);
      }
    }
  }
};

// Each plane is summed behind the ones before it, whose sums were shifted to where their bits belong.
template <class Blocks>
struct Planes {
  using V = typename Blocks::V;
  static constexpr std::size_t kVectors = kBlockRows / Blocks::kRows;
  static constexpr std::size_t kVectorBytes = 4 * Blocks::kRows;

  const BlockPlane* planes;
  std::size_t count;
  std::size_t words;

  std::size_t block_bytes() const noexcept { return words * kBlockGroupBytes; }

  template <std::size_t Q, std::size_t B>
  SEGUE_INLINE void sum(const BlockQuery* queries, const unsigned char* p, V (&sums)[Q][B * kVectors]) const noexcept {
    SEGUE_UNROLL
    for (std::size_t q = 0; q < Q; ++q) {
      SEGUE_UNROLL
      for (std::size_t i = 0; i < B * kVectors; ++i) sums[q][i] = Blocks::splat(0);
    }
    std::size_t at = 0;  // in the queries' codes
    for (std::size_t plane = 0; plane < count; ++plane) {
      const std::size_t end = planes[plane].words;
      switch (planes[plane].bits) {
        case 4: add<4, Q, B>(queries, p, end, at, sums); break;
        case 2: add<2, Q, B>(queries, p, end, at, sums); break;
        default: add<1, Q, B>(queries, p, end, at, sums); break;
      }
      if (planes[plane].shift == 0) continue;
      SEGUE_UNROLL
      for (std::size_t q = 0; q < Q; ++q) {
        SEGUE_UNROLL
        for (std::size_t i = 0; i < B * kVectors; ++i) sums[q][i] = Blocks::shift_left(sums[q][i], planes[plane].shift);
      }
    }
    SEGUE_UNROLL
    for (std::size_t q = 0; q < Q; ++q) {
      const V surplus = Blocks::splat(queries[q].code_sum);
      SEGUE_UNROLL
      for (std::size_t i = 0; i < B * kVectors; ++i) {
        sums[q][i] = Blocks::subtract(Blocks::shift_left(sums[q][i], 1), surplus);
      }
    }
  }

 private:
  template <unsigned kBits, std::size_t Q, std::size_t B>
  SEGUE_INLINE void add(const BlockQuery* queries, const unsigned char*& p, std::size_t end, std::size_t& at,
                        V (&sums)[Q][B * kVectors]) const noexcept {
    for (std::size_t word = 0; word < end; ++word, p += kBlockGroupBytes, at += 32 / kBits) {
      if constexpr (Blocks::kAddsPairs) {
        add_word_in_pairs<kBits, Q, B>(queries, p, at, sums);
      } else {
        add_word<kBits, Q, B>(queries, p, at, sums);
      }
    }
  }

  template <unsigned kBits, std::size_t Q, std::size_t B>
  SEGUE_INLINE void add_word(const BlockQuery* queries, const unsigned char* p, std::size_t at,
                             V (&sums)[Q][B * kVectors]) const noexcept {
    V rows[B * kVectors];
    SEGUE_UNROLL
    for (std::size_t i = 0; i < B * kVectors; ++i) {
      rows[i] = Blocks::load_fields(p + i / kVectors * block_bytes() + i % kVectors * kVectorBytes);
    }
    SEGUE_UNROLL
    for (unsigned field = 0; field < 8 / kBits; ++field) {
      V fields[B * kVectors];
      SEGUE_UNROLL
      for (std::size_t i = 0; i < B * kVectors; ++i) fields[i] = Blocks::field(rows[i], field * kBits, (1 << kBits) - 1);
      SEGUE_UNROLL
      for (std::size_t q = 0; q < Q; ++q) {
        const auto four = Blocks::broadcast(queries[q].codes + at + 4 * field);
        SEGUE_UNROLL
        for (std::size_t i = 0; i < B * kVectors; ++i) sums[q][i] = Blocks::multiply_add_fields(fields[i], four, sums[q][i]);
      }
    }
  }

  // All fields of a word before its sums are widened: at most 2 * 2 * 15 * 127 or 8 * 2 * 1 * 127.
  template <unsigned kBits, std::size_t Q, std::size_t B>
  SEGUE_INLINE void add_word_in_pairs(const BlockQuery* queries, const unsigned char* p, std::size_t at,
                                      V (&sums)[Q][B * kVectors]) const noexcept {
    SEGUE_UNROLL
    for (std::size_t i = 0; i < B * kVectors; ++i) {
      const V row = Blocks::load_fields(p + i / kVectors * block_bytes() + i % kVectors * kVectorBytes);
      V pairs[Q];
      SEGUE_UNROLL
      for (unsigned field = 0; field < 8 / kBits; ++field) {
        const V fields = Blocks::field(row, field * kBits, (1 << kBits) - 1);
        SEGUE_UNROLL
        for (std::size_t q = 0; q < Q; ++q) {
          const V products = Blocks::multiply_pairs(fields, Blocks::broadcast(queries[q].codes + at + 4 * field));
          pairs[q] = field == 0 ? products : Blocks::add_pairs(pairs[q], products);
        }
      }
      SEGUE_UNROLL
      for (std::size_t q = 0; q < Q; ++q) sums[q][i] = Blocks::widen_add(pairs[q], sums[q][i]);
    }
  }
};

template <class Blocks, class Codes>
struct BlockScan {
  using V = typename Blocks::V;
  using F = typename Blocks::F;
  static constexpr std::size_t kVectors = kBlockRows / Blocks::kRows;  // of a block

  const unsigned char* codes;
  Codes shape;
  const float* scales;
  const float* biases;

  // The sums of B blocks and one query.
  template <bool kBiased, std::size_t B>
  SEGUE_INLINE void keep_hits(const BlockQuery& query, std::size_t block, const V* sums,
                              BlockHits& hits) const noexcept {
    F values[B * kVectors];
    std::uint32_t masks[B * kVectors];
    std::uint32_t any = 0;
    SEGUE_UNROLL
    for (std::size_t v = 0; v < B * kVectors; ++v) {
      const std::size_t first = block * kBlockRows + v * Blocks::kRows;
      values[v] = Blocks::scaled(sums[v], scales + first);
      if constexpr (kBiased) values[v] = Blocks::less_bias(values[v], biases + first, query.bias_factor);
      masks[v] = Blocks::not_less_mask(values[v], query.limit);
      any |= masks[v];
    }
    if (__builtin_expect(any == 0, 1)) return;
    for (std::size_t v = 0; v < B * kVectors; ++v) {
      if (masks[v] == 0) continue;
      alignas(64) float lanes[Blocks::kRows];
      Blocks::store(lanes, values[v]);
      for (std::uint32_t mask = masks[v]; mask != 0; mask &= mask - 1) {
        const auto lane = static_cast<std::uint32_t>(__builtin_ctz(mask));
        hits.positions[hits.count] = static_cast<std::uint32_t>(block * kBlockRows + v * Blocks::kRows) + lane;
        hits.values[hits.count++] = lanes[lane];
      }
    }
  }

  // Q queries, B blocks from `block` on.
  template <bool kBiased, std::size_t Q, std::size_t B>
  [[gnu::noinline]] void scan(const BlockQuery* queries, std::size_t block, BlockHits* hits) const noexcept {
    V sums[Q][B * kVectors];
    shape.template sum<Q, B>(queries, codes + block * shape.block_bytes(), sums);
    SEGUE_UNROLL
    for (std::size_t q = 0; q < Q; ++q) keep_hits<kBiased, B>(queries[q], block, sums[q], hits[q]);
  }

  template <bool kBiased, std::size_t Q>
  void scan_all(const BlockQuery* queries, std::size_t n, BlockHits* hits) const noexcept {
    std::size_t block = 0;
    for (; block + Blocks::kBlocksAtOnce <= n; block += Blocks::kBlocksAtOnce) {
      scan<kBiased, Q, Blocks::kBlocksAtOnce>(queries, block, hits);
    }
    for (; block < n; ++block) scan<kBiased, Q, 1>(queries, block, hits);
  }

  template <bool kBiased>
  void scan_all(const BlockQuery* queries, std::size_t nq, std::size_t n, BlockHits* hits) const noexcept {
    std::size_t q = 0;
    for (; q + Blocks::kQueriesAtOnce <= nq; q += Blocks::kQueriesAtOnce) {
      scan_all<kBiased, Blocks::kQueriesAtOnce>(queries + q, n, hits + q);
    }
    if constexpr (Blocks::kQueriesAtOnce > 2) {
      for (; q + 2 <= nq; q += 2) scan_all<kBiased, 2>(queries + q, n, hits + q);
    }
    for (; q < nq; ++q) scan_all<kBiased, 1>(queries + q, n, hits + q);
  }
};

template <class Blocks, class Codes>
void scan_codes(const BlockQuery* queries, std::size_t nq, const unsigned char* codes, const Codes& shape,
                const float* scales, const float* biases, std::size_t n, BlockHits* hits) noexcept {
  for (std::size_t q = 0; q < nq; ++q) hits[q].count = 0;
  const BlockScan<Blocks, Codes> scan{codes, shape, scales, biases};
  if (biases == nullptr) {
    scan.template scan_all<false>(queries, nq, n, hits);
  } else {
    scan.template scan_all<true>(queries, nq, n, hits);
  }
}

template <class Blocks>
void scan_blocks(const BlockQuery* queries, std::size_t nq, const unsigned char* codes, std::size_t groups,
                 const float* scales, const float* biases, std::size_t n, BlockHits* hits) noexcept {
  scan_codes<Blocks>(queries, nq, codes, Bytes<Blocks>{groups}, scales, biases, n, hits);
}

template <class Blocks>
void scan_planes(const BlockQuery* queries, std::size_t nq, const unsigned char* codes, const BlockPlane* planes,
                 std::size_t count, std::size_t words, const float* scales, const float* biases, std::size_t n,
                 BlockHits* hits) noexcept {
  scan_codes<Blocks>(queries, nq, codes, Planes<Blocks>{planes, count, words}, scales, biases, n, hits);
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
