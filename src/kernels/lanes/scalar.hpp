#pragma once
// One number at a time, in the baseline instructions: the readable truth that the other sets are compared with.
//
// What an instruction set provides is three structs.
//
// Floats: a vector V of kWidth floats. Rows are read in steps of 2 * kWidth numbers, as two vectors `a` and `b`, each
// with its own accumulator (two chains a row, times four rows in flight, cover the latency of an FMA). How the numbers
// of a step are dealt to a and b is the family's choice: in order for f32 and f16, even and odd for bf16 (kSplitBf16),
// which saves a shuffle; prepare_query deals the query's numbers in the same way.
//
// Codes: a vector V of int32 sums; a step multiplies kChunk codes of a row with as many of the query. A step may read
// kChunk bytes of the row where that stays inside codes plus the 12 bytes of Sq8Tail; the query is 0 there.
//
// Blocks: a vector V of the int32 sums of kRows rows of a block, F the same as floats. The codes of a vector meet four
// codes of the query at once. kRowOffset is what multiply_add leaves in a row's codes (128 where they stay unsigned).
// kQueriesAtOnce x kBlocksAtOnce sums stay in registers.

#include "kernels/algorithms/codec.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

struct Floats {
  using V = float;
  using Element = float;
  static constexpr std::size_t kWidth = 1;
  static constexpr bool kHasTile = false;

  SEGUE_INLINE static V zero() noexcept { return 0.0f; }
  SEGUE_INLINE static V load(const float* p) noexcept { return *p; }
  SEGUE_INLINE static V add(V a, V b) noexcept { return a + b; }
  SEGUE_INLINE static V sub(V a, V b) noexcept { return a - b; }
  SEGUE_INLINE static V multiply_add(V a, V b, V sum) noexcept { return sum + a * b; }
  SEGUE_INLINE static V multiply(V a, V b) noexcept { return a * b; }
  SEGUE_INLINE static V splat(float x) noexcept { return x; }
  SEGUE_INLINE static float reduce(V v) noexcept { return v; }
  SEGUE_INLINE static void reduce4(const V* v, float* out) noexcept {
    SEGUE_UNROLL
    for (int i = 0; i < 4; ++i) out[i] = v[i];
  }
  // Bit i is set where p[i] > t (or p[i] < t), for kMaskWidth numbers.
  static constexpr std::size_t kMaskWidth = 1;
  SEGUE_INLINE static std::uint32_t greater_mask(const float* p, float t) noexcept { return *p > t; }
  SEGUE_INLINE static std::uint32_t less_mask(const float* p, float t) noexcept { return *p < t; }

  SEGUE_INLINE static void load_f32(const unsigned char* p, V& a, V& b) noexcept {
    a = load_unaligned<float>(p);
    b = load_unaligned<float>(p + 4);
  }
  SEGUE_INLINE static void load_f32_partial(const unsigned char* p, std::size_t, V& a, V& b) noexcept {
    a = load_unaligned<float>(p);
    b = 0.0f;
  }
  SEGUE_INLINE static void load_f16(const unsigned char* p, V& a, V& b) noexcept {
    a = float_from_half(load_unaligned<std::uint16_t>(p));
    b = float_from_half(load_unaligned<std::uint16_t>(p + 2));
  }
  SEGUE_INLINE static void load_f16_partial(const unsigned char* p, std::size_t, V& a, V& b) noexcept {
    a = float_from_half(load_unaligned<std::uint16_t>(p));
    b = 0.0f;
  }
  SEGUE_INLINE static void load_bf16(const unsigned char* p, V& a, V& b) noexcept {
    a = float_from_bf16(load_unaligned<std::uint16_t>(p));
    b = float_from_bf16(load_unaligned<std::uint16_t>(p + 2));
  }
  SEGUE_INLINE static void load_bf16_partial(const unsigned char* p, std::size_t, V& a, V& b) noexcept {
    a = float_from_bf16(load_unaligned<std::uint16_t>(p));
    b = 0.0f;
  }
  // A step of sq8 codes, and of sq4 codes that lie `shift` bits up in their bytes.
  SEGUE_INLINE static void load_codes(const unsigned char* p, V& a, V& b) noexcept {
    a = static_cast<float>(static_cast<signed char>(p[0]));
    b = static_cast<float>(static_cast<signed char>(p[1]));
  }
  SEGUE_INLINE static void load_nibbles(const unsigned char* p, int shift, V& a, V& b) noexcept {
    a = static_cast<float>(((p[0] >> shift) & 15) - kNibbleZero);
    b = static_cast<float>(((p[1] >> shift) & 15) - kNibbleZero);
  }
};

struct Codes {
  using V = std::int32_t;
  using QueryCode = signed char;
  static constexpr std::size_t kChunk = 1;
  static constexpr std::int32_t kOffset = 0;  // the query's codes are stored plus this
  static constexpr bool kHasTile = false;

  SEGUE_INLINE static V zero() noexcept { return 0; }
  SEGUE_INLINE static V load(const unsigned char* row) noexcept { return static_cast<signed char>(*row); }
  SEGUE_INLINE static V load_partial(const unsigned char* row, std::size_t) noexcept { return load(row); }
  // The kChunk nibbles from chunk * kChunk on of a span of sq4 codes.
  SEGUE_INLINE static V load_nibbles(const unsigned char* span, std::size_t chunk) noexcept {
    return chunk < 32 ? span[chunk] & 15 : span[chunk - 32] >> 4;
  }
  SEGUE_INLINE static V load_query(const QueryCode* q) noexcept { return *q; }
  SEGUE_INLINE static V multiply_add(V row, V query, V sum) noexcept { return sum + row * query; }
  SEGUE_INLINE static std::int32_t reduce(V v) noexcept { return v; }
  SEGUE_INLINE static void reduce4(const V* v, std::int32_t* out) noexcept {
    SEGUE_UNROLL
    for (int i = 0; i < 4; ++i) out[i] = v[i];
  }
};

struct Blocks {
  using V = std::int32_t;
  using F = float;
  using Query = const signed char*;
  static constexpr std::size_t kRows = 1;
  static constexpr int kMaxQueryCode = 127;
  static constexpr bool kAddsPairs = false;
  static constexpr std::int32_t kRowOffset = 0;
  static constexpr std::size_t kQueriesAtOnce = 1;
  static constexpr std::size_t kBlocksAtOnce = 1;

  SEGUE_INLINE static V splat(std::int32_t x) noexcept { return x; }
  SEGUE_INLINE static V load(const unsigned char* p) noexcept { return load_unaligned<std::int32_t>(p); }
  SEGUE_INLINE static Query broadcast(const signed char* four) noexcept { return four; }
  SEGUE_INLINE static V multiply_add(V codes, Query query, V sum) noexcept {
    for (int i = 0; i < 4; ++i) sum += (((codes >> (8 * i)) & 255) - 128) * query[i];
    return sum;
  }
  // Pieces of codes as they are, at most 15. Sums may wrap on their way: unsigned.
  SEGUE_INLINE static V load_fields(const unsigned char* p) noexcept { return load(p); }
  SEGUE_INLINE static V field(V word, unsigned shift, int mask) noexcept {
    return static_cast<V>((static_cast<std::uint32_t>(word) >> shift) & (0x01010101u * static_cast<std::uint32_t>(mask)));
  }
  SEGUE_INLINE static V multiply_add_fields(V fields, Query query, V sum) noexcept {
    std::int32_t four = 0;
    for (int i = 0; i < 4; ++i) four += ((fields >> (8 * i)) & 255) * query[i];
    return static_cast<V>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(four));
  }
  SEGUE_INLINE static V shift_left(V sum, unsigned shift) noexcept {
    return static_cast<V>(static_cast<std::uint32_t>(sum) << shift);
  }
  SEGUE_INLINE static V subtract(V a, V b) noexcept {
    return static_cast<V>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
  }
  SEGUE_INLINE static F scaled(V sum, const float* scales) noexcept { return static_cast<float>(sum) * *scales; }
  SEGUE_INLINE static F less_bias(F value, const float* biases, float factor) noexcept {
    return value - *biases * factor;
  }
  SEGUE_INLINE static std::uint32_t not_less_mask(F value, float limit) noexcept { return value >= limit; }
  SEGUE_INLINE static void store(float* p, F value) noexcept { *p = value; }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
