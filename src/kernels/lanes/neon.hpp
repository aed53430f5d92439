#pragma once
// NEON as every 64-bit ARM has it: four floats a vector, thirty-two registers. See lanes/scalar.hpp.

#include <arm_neon.h>

#include "kernels/algorithms/codec.hpp"
#include "kernels/lanes/partial.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

struct Floats {
  using V = float32x4_t;
  using Element = float;
  static constexpr std::size_t kWidth = 4;
  static constexpr bool kHasTile = true;
  static constexpr std::size_t kTileQueries = 8;
  static constexpr std::size_t kTileVectors = 3;

  SEGUE_INLINE static V zero() noexcept { return vdupq_n_f32(0.0f); }
  SEGUE_INLINE static V load(const float* p) noexcept { return vld1q_f32(p); }
  SEGUE_INLINE static void store(float* p, V v) noexcept { vst1q_f32(p, v); }
  SEGUE_INLINE static V broadcast(const float* p) noexcept { return vld1q_dup_f32(p); }
  SEGUE_INLINE static V add(V a, V b) noexcept { return vaddq_f32(a, b); }
  SEGUE_INLINE static V sub(V a, V b) noexcept { return vsubq_f32(a, b); }
  SEGUE_INLINE static V multiply_add(V a, V b, V sum) noexcept { return vfmaq_f32(sum, a, b); }
  SEGUE_INLINE static V multiply(V a, V b) noexcept { return vmulq_f32(a, b); }
  SEGUE_INLINE static V splat(float x) noexcept { return vdupq_n_f32(x); }

  SEGUE_INLINE static float reduce(V v) noexcept {
    const V pairs = vpaddq_f32(v, v);
    return vgetq_lane_f32(vpaddq_f32(pairs, pairs), 0);
  }
  SEGUE_INLINE static void reduce4(const V* v, float* out) noexcept {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(v[0], v[1]), vpaddq_f32(v[2], v[3])));
  }
  static constexpr std::size_t kMaskWidth = 4;
  SEGUE_INLINE static std::uint32_t mask_of(uint32x4_t m) noexcept {
    const std::uint32_t bits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(m, vld1q_u32(bits)));
  }
  SEGUE_INLINE static std::uint32_t greater_mask(const float* p, float t) noexcept {
    return mask_of(vcgtq_f32(load(p), vdupq_n_f32(t)));
  }
  SEGUE_INLINE static std::uint32_t less_mask(const float* p, float t) noexcept {
    return mask_of(vcltq_f32(load(p), vdupq_n_f32(t)));
  }

  // Byte loads: they claim no alignment.
  SEGUE_INLINE static V load_bytes(const unsigned char* p) noexcept { return vreinterpretq_f32_u8(vld1q_u8(p)); }
  SEGUE_INLINE static V load_leading(const unsigned char* p, std::size_t n) noexcept {  // n <= 4
    if (n == 4) return load_bytes(p);
    V v = zero();
    if (n > 0) v = vsetq_lane_f32(load_unaligned<float>(p), v, 0);
    if (n > 1) v = vsetq_lane_f32(load_unaligned<float>(p + 4), v, 1);
    if (n > 2) v = vsetq_lane_f32(load_unaligned<float>(p + 8), v, 2);
    return v;
  }
  SEGUE_INLINE static void load_f32(const unsigned char* p, V& a, V& b) noexcept {
    a = load_bytes(p);
    b = load_bytes(p + 16);
  }
  SEGUE_INLINE static void load_f32_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    a = load_leading(p, n < 4 ? n : 4);
    b = n > 4 ? load_leading(p + 16, n - 4) : zero();
  }

  SEGUE_INLINE static uint16x8_t words(const unsigned char* p) noexcept { return vreinterpretq_u16_u8(vld1q_u8(p)); }
  SEGUE_INLINE static uint16x8_t words_partial(const unsigned char* p, std::size_t n) noexcept {
    const Words8 w = load_words(p, n);
    return vreinterpretq_u16_u64(vcombine_u64(vcreate_u64(w.low), vcreate_u64(w.high)));
  }
  SEGUE_INLINE static void widen_f16(uint16x8_t w, V& a, V& b) noexcept {
    a = vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(w)));
    b = vcvt_f32_f16(vreinterpret_f16_u16(vget_high_u16(w)));
  }
  SEGUE_INLINE static void load_f16(const unsigned char* p, V& a, V& b) noexcept { widen_f16(words(p), a, b); }
  SEGUE_INLINE static void load_f16_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    widen_f16(words_partial(p, n), a, b);
  }
  SEGUE_INLINE static void split_bf16(uint16x8_t w, V& a, V& b) noexcept {
    const uint32x4_t v = vreinterpretq_u32_u16(w);
    a = vreinterpretq_f32_u32(vshlq_n_u32(v, 16));
    b = vreinterpretq_f32_u32(vandq_u32(v, vdupq_n_u32(0xffff0000u)));
  }
  SEGUE_INLINE static void load_bf16(const unsigned char* p, V& a, V& b) noexcept { split_bf16(words(p), a, b); }
  SEGUE_INLINE static void load_bf16_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    split_bf16(words_partial(p, n), a, b);
  }

  SEGUE_INLINE static void widen_codes(int8x8_t codes, V& a, V& b) noexcept {
    const int16x8_t wide = vmovl_s8(codes);
    a = vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
    b = vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide)));
  }
  SEGUE_INLINE static void load_codes(const unsigned char* p, V& a, V& b) noexcept {
    widen_codes(vreinterpret_s8_u8(vld1_u8(p)), a, b);
  }
  SEGUE_INLINE static void load_nibbles(const unsigned char* p, int shift, V& a, V& b) noexcept {
    const uint8x8_t nibbles = vand_u8(vshl_u8(vld1_u8(p), vdup_n_s8(static_cast<signed char>(-shift))), vdup_n_u8(15));
    widen_codes(vsub_s8(vreinterpret_s8_u8(nibbles), vdup_n_s8(kNibbleZero)), a, b);
  }

  SEGUE_INLINE static void transpose(V (&r)[4]) noexcept {
    const V t0 = vtrn1q_f32(r[0], r[1]), t1 = vtrn2q_f32(r[0], r[1]);
    const V t2 = vtrn1q_f32(r[2], r[3]), t3 = vtrn2q_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(t0), vget_low_f32(t2));
    r[1] = vcombine_f32(vget_low_f32(t1), vget_low_f32(t3));
    r[2] = vcombine_f32(vget_high_f32(t0), vget_high_f32(t2));
    r[3] = vcombine_f32(vget_high_f32(t1), vget_high_f32(t3));
  }
};

// vmull to 16 bits (127^2 fits), then pairwise into 32. SDOT (ARMv8.2) would be its own table, "neondot".
struct Codes {
  using V = int32x4_t;
  using QueryCode = signed char;
  static constexpr std::size_t kChunk = 16;
  static constexpr std::int32_t kOffset = 0;
  static constexpr bool kHasTile = false;

  SEGUE_INLINE static V zero() noexcept { return vdupq_n_s32(0); }
  SEGUE_INLINE static int8x16_t load(const unsigned char* row) noexcept { return vreinterpretq_s8_u8(vld1q_u8(row)); }
  // 16 bytes from the last chunk never pass the row's end: n codes, padded to 4, and 12 bytes of tail.
  SEGUE_INLINE static int8x16_t load_partial(const unsigned char* row, std::size_t) noexcept { return load(row); }
  SEGUE_INLINE static int8x16_t load_nibbles(const unsigned char* span, std::size_t chunk) noexcept {
    const uint8x16_t bytes = vld1q_u8(span + 16 * (chunk % 2));
    return vreinterpretq_s8_u8(chunk < 2 ? vandq_u8(bytes, vdupq_n_u8(15)) : vshrq_n_u8(bytes, 4));
  }
  SEGUE_INLINE static int8x16_t load_query(const QueryCode* q) noexcept { return vld1q_s8(q); }
  SEGUE_INLINE static V multiply_add(int8x16_t row, int8x16_t query, V sum) noexcept {
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(row), vget_low_s8(query)));
    return vpadalq_s16(sum, vmull_high_s8(row, query));
  }
  SEGUE_INLINE static std::int32_t reduce(V v) noexcept { return vaddvq_s32(v); }
  SEGUE_INLINE static void reduce4(const V* v, std::int32_t* out) noexcept {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(v[0], v[1]), vpaddq_s32(v[2], v[3])));
  }
};

struct Blocks {
  using V = int32x4_t;
  using F = float32x4_t;
  using Query = int8x8_t;
  static constexpr std::size_t kRows = 4;
  static constexpr int kMaxQueryCode = 127;
  static constexpr bool kAddsPairs = false;
  static constexpr std::int32_t kRowOffset = 0;
  static constexpr std::size_t kQueriesAtOnce = 2;
  static constexpr std::size_t kBlocksAtOnce = 2;

  SEGUE_INLINE static V splat(std::int32_t x) noexcept { return vdupq_n_s32(x); }
  // Signed from here on: u - 128 is u with its top bit flipped.
  SEGUE_INLINE static V load(const unsigned char* p) noexcept {
    return vreinterpretq_s32_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(0x80)));
  }
  SEGUE_INLINE static Query broadcast(const signed char* four) noexcept {
    return vreinterpret_s8_s32(vdup_n_s32(load_unaligned<std::int32_t>(four)));
  }
  SEGUE_INLINE static V multiply_add(V codes, Query query, V sum) noexcept {
    const int8x16_t rows = vreinterpretq_s8_s32(codes);
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(rows), query));
    const int32x4_t high = vpaddlq_s16(vmull_s8(vget_high_s8(rows), query));
    return vaddq_s32(sum, vpaddq_s32(low, high));
  }
  SEGUE_INLINE static V load_fields(const unsigned char* p) noexcept { return vreinterpretq_s32_u8(vld1q_u8(p)); }
  SEGUE_INLINE static V field(V word, unsigned shift, int mask) noexcept {
    const uint8x16_t moved = vshlq_u8(vreinterpretq_u8_s32(word), vdupq_n_s8(static_cast<std::int8_t>(-static_cast<int>(shift))));
    return vreinterpretq_s32_u8(vandq_u8(moved, vdupq_n_u8(static_cast<std::uint8_t>(mask))));
  }
  // At most 15, so that they may be taken for signed.
  SEGUE_INLINE static V multiply_add_fields(V fields, Query query, V sum) noexcept {
    return multiply_add(fields, query, sum);
  }
  SEGUE_INLINE static V shift_left(V sum, unsigned shift) noexcept {
    return vshlq_s32(sum, vdupq_n_s32(static_cast<std::int32_t>(shift)));
  }
  SEGUE_INLINE static V subtract(V a, V b) noexcept { return vsubq_s32(a, b); }
  SEGUE_INLINE static F scaled(V sum, const float* scales) noexcept {
    return vmulq_f32(vcvtq_f32_s32(sum), vld1q_f32(scales));
  }
  SEGUE_INLINE static F less_bias(F value, const float* biases, float factor) noexcept {
    return vfmsq_n_f32(value, vld1q_f32(biases), factor);
  }
  SEGUE_INLINE static std::uint32_t not_less_mask(F value, float limit) noexcept {
    constexpr std::uint32_t kBits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vcgeq_f32(value, vdupq_n_f32(limit)), vld1q_u32(kBits)));
  }
  SEGUE_INLINE static void store(float* p, F value) noexcept { vst1q_f32(p, value); }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
