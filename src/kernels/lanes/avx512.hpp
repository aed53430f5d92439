#pragma once
// AVX-512 F + BW + VL + DQ: sixteen floats a vector, thirty-two registers, masks for the tails. See lanes/scalar.hpp.
//
// Masked-off lanes are not read: a masked load next to an unmapped page is safe (it may be slow, once a page).

#include <immintrin.h>

#include "kernels/algorithms/codec.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

struct Floats {
  using V = __m512;
  using Element = float;
  static constexpr std::size_t kWidth = 16;
  static constexpr bool kHasTile = true;
  // 24 sums, 3 row vectors, broadcasts straight from memory.
  static constexpr std::size_t kTileQueries = 8;
  static constexpr std::size_t kTileVectors = 3;

  SEGUE_INLINE static V zero() noexcept { return _mm512_setzero_ps(); }
  SEGUE_INLINE static V load(const float* p) noexcept { return _mm512_loadu_ps(p); }
  SEGUE_INLINE static void store(float* p, V v) noexcept { _mm512_storeu_ps(p, v); }
  SEGUE_INLINE static V broadcast(const float* p) noexcept { return _mm512_set1_ps(*p); }
  SEGUE_INLINE static V add(V a, V b) noexcept { return _mm512_add_ps(a, b); }
  SEGUE_INLINE static V sub(V a, V b) noexcept { return _mm512_sub_ps(a, b); }
  SEGUE_INLINE static V multiply_add(V a, V b, V sum) noexcept { return _mm512_fmadd_ps(a, b, sum); }
  SEGUE_INLINE static V multiply(V a, V b) noexcept { return _mm512_mul_ps(a, b); }
  SEGUE_INLINE static V splat(float x) noexcept { return _mm512_set1_ps(x); }

  SEGUE_INLINE static __m128 fold(V v) noexcept {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
  SEGUE_INLINE static float reduce(V v) noexcept {
    const __m128 folded = fold(v);
    const __m128 pairs = _mm_hadd_ps(folded, folded);
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  // The same tree as reduce: (v0 + v1) + (v2 + v3) of the folded vector.
  SEGUE_INLINE static void reduce4(const V* v, float* out) noexcept {
    const __m128 low = _mm_hadd_ps(fold(v[0]), fold(v[1]));
    const __m128 high = _mm_hadd_ps(fold(v[2]), fold(v[3]));
    _mm_storeu_ps(out, _mm_hadd_ps(low, high));
  }
  static constexpr std::size_t kMaskWidth = 16;
  SEGUE_INLINE static std::uint32_t greater_mask(const float* p, float t) noexcept {
    return _mm512_cmp_ps_mask(load(p), _mm512_set1_ps(t), _CMP_GT_OQ);
  }
  SEGUE_INLINE static std::uint32_t less_mask(const float* p, float t) noexcept {
    return _mm512_cmp_ps_mask(load(p), _mm512_set1_ps(t), _CMP_LT_OQ);
  }

  SEGUE_INLINE static __mmask16 first16(std::size_t n) noexcept {
    return static_cast<__mmask16>((1u << n) - 1u);
  }  // n <= 16
  SEGUE_INLINE static void load_f32(const unsigned char* p, V& a, V& b) noexcept {
    a = _mm512_loadu_ps(p);
    b = _mm512_loadu_ps(p + 64);
  }
  SEGUE_INLINE static void load_f32_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    a = _mm512_maskz_loadu_ps(first16(n < 16 ? n : 16), p);
    b = n > 16 ? _mm512_maskz_loadu_ps(first16(n - 16), p + 64) : zero();
  }
  SEGUE_INLINE static void load_f16(const unsigned char* p, V& a, V& b) noexcept {
    a = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    b = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32)));
  }
  SEGUE_INLINE static void load_f16_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    a = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n < 16 ? n : 16), p));
    b = n > 16 ? _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n - 16), p + 32)) : zero();
  }
  SEGUE_INLINE static void split_bf16(__m512i words, V& a, V& b) noexcept {
    a = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    b = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
  }
  SEGUE_INLINE static void load_bf16(const unsigned char* p, V& a, V& b) noexcept {
    split_bf16(_mm512_loadu_si512(p), a, b);
  }
  SEGUE_INLINE static void load_bf16_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    split_bf16(_mm512_maskz_loadu_epi16((1u << n) - 1u, p), a, b);  // n < 32
  }

  SEGUE_INLINE static void widen_codes(__m256i codes, V& a, V& b) noexcept {
    a = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(codes)));
    b = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(codes, 1)));
  }
  SEGUE_INLINE static void load_codes(const unsigned char* p, V& a, V& b) noexcept {
    widen_codes(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), a, b);
  }
  SEGUE_INLINE static void load_nibbles(const unsigned char* p, int shift, V& a, V& b) noexcept {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i nibbles = _mm256_and_si256(_mm256_srl_epi16(bytes, _mm_cvtsi32_si128(shift)), _mm256_set1_epi8(15));
    widen_codes(_mm256_sub_epi8(nibbles, _mm256_set1_epi8(kNibbleZero)), a, b);
  }

  // 16 x 16 in four rounds of sixteen shuffles.
  SEGUE_INLINE static void transpose(V (&r)[16]) noexcept {
    V t[16];
    SEGUE_UNROLL
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    SEGUE_UNROLL
    for (int i = 0; i < 16; i += 4) {
      r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    // r[4g + j] holds, in its 128-bit lane l, column 4l + j of rows 4g .. 4g + 3.
    SEGUE_UNROLL
    for (int j = 0; j < 4; ++j) {
      t[j] = _mm512_shuffle_f32x4(r[j], r[4 + j], 0x88);
      t[4 + j] = _mm512_shuffle_f32x4(r[j], r[4 + j], 0xdd);
      t[8 + j] = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0x88);
      t[12 + j] = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0xdd);
    }
    SEGUE_UNROLL
    for (int j = 0; j < 4; ++j) {
      r[j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0x88);
      r[8 + j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0xdd);
      r[4 + j] = _mm512_shuffle_f32x4(t[4 + j], t[12 + j], 0x88);
      r[12 + j] = _mm512_shuffle_f32x4(t[4 + j], t[12 + j], 0xdd);
    }
  }
};

// What the int8 kernels of AVX-512 have in common; a step differs with and without VNNI.
struct CodeSums {
  using V = __m512i;
  using Element = std::int32_t;
  static constexpr std::size_t kWidth = 16;
  static constexpr bool kHasTile = true;
  static constexpr std::size_t kTileQueries = 8;
  static constexpr std::size_t kTileVectors = 2;

  SEGUE_INLINE static V zero() noexcept { return _mm512_setzero_si512(); }
  SEGUE_INLINE static V load(const std::int32_t* p) noexcept { return _mm512_loadu_si512(p); }
  SEGUE_INLINE static void store(std::int32_t* p, V v) noexcept { _mm512_storeu_si512(p, v); }
  SEGUE_INLINE static V broadcast(const std::int32_t* p) noexcept {
    return _mm512_set1_epi32(load_unaligned<std::int32_t>(p));
  }
  SEGUE_INLINE static __m128i fold(V v) noexcept {
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  }
  SEGUE_INLINE static std::int32_t reduce(V v) noexcept {
    const __m128i folded = fold(v);
    const __m128i pairs = _mm_hadd_epi32(folded, folded);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(pairs, pairs));
  }
  SEGUE_INLINE static void reduce4(const V* v, std::int32_t* out) noexcept {
    const __m128i low = _mm_hadd_epi32(fold(v[0]), fold(v[1]));
    const __m128i high = _mm_hadd_epi32(fold(v[2]), fold(v[3]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_hadd_epi32(low, high));
  }
  SEGUE_INLINE static void transpose(V (&r)[16]) noexcept {
    __m512 f[16];
    SEGUE_UNROLL
    for (int i = 0; i < 16; ++i) f[i] = _mm512_castsi512_ps(r[i]);
    Floats::transpose(f);
    SEGUE_UNROLL
    for (int i = 0; i < 16; ++i) r[i] = _mm512_castps_si512(f[i]);
  }
};

// Widened to int16 as in lanes/avx2.hpp: two instructions and an addition for 32 codes.
struct WidenedCodes : CodeSums {
  using QueryCode = std::int16_t;
  static constexpr std::size_t kChunk = 32;
  static constexpr std::int32_t kOffset = 0;

  using CodeSums::load;
  SEGUE_INLINE static V load(const unsigned char* row) noexcept {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)));
  }
  SEGUE_INLINE static V load_partial(const unsigned char* row, std::size_t n) noexcept {
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8((1u << n) - 1u, row));  // n < 32
  }
  SEGUE_INLINE static V load_nibbles(const unsigned char* span, std::size_t chunk) noexcept {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(span));
    const __m256i nibbles = chunk == 0 ? bytes : _mm256_srli_epi16(bytes, 4);
    return _mm512_cvtepi8_epi16(_mm256_and_si256(nibbles, _mm256_set1_epi8(15)));
  }
  SEGUE_INLINE static V load_query(const QueryCode* q) noexcept { return _mm512_loadu_si512(q); }
  SEGUE_INLINE static V multiply_add(V row, V query, V sum) noexcept {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(row, query));
  }
};

// What the block kernels of AVX-512 have in common; the product differs with and without VNNI.
struct BlockSums {
  using V = __m512i;
  using F = __m512;
  using Query = __m512i;
  static constexpr std::size_t kRows = 16;
  static constexpr std::int32_t kRowOffset = 128;
  // 16 sums, 4 vectors of codes, a query. A block's codes are read once for four queries: with one load of 64 bytes a
  // cycle (Zen 4) four sums a load keep the multiplier busy.
  static constexpr std::size_t kQueriesAtOnce = 4;
  static constexpr std::size_t kBlocksAtOnce = 4;

  SEGUE_INLINE static V splat(std::int32_t x) noexcept { return _mm512_set1_epi32(x); }
  SEGUE_INLINE static V load(const unsigned char* p) noexcept { return _mm512_loadu_si512(p); }
  SEGUE_INLINE static Query broadcast(const signed char* four) noexcept {
    return _mm512_set1_epi32(load_unaligned<std::int32_t>(four));
  }
  SEGUE_INLINE static V load_fields(const unsigned char* p) noexcept { return load(p); }
  SEGUE_INLINE static V field(V word, unsigned shift, int mask) noexcept {
    return _mm512_and_si512(_mm512_srli_epi16(word, shift), _mm512_set1_epi8(static_cast<char>(mask)));
  }
  SEGUE_INLINE static V shift_left(V sum, unsigned shift) noexcept { return _mm512_slli_epi32(sum, shift); }
  SEGUE_INLINE static V subtract(V a, V b) noexcept { return _mm512_sub_epi32(a, b); }
  SEGUE_INLINE static F scaled(V sum, const float* scales) noexcept {
    return _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(scales));
  }
  SEGUE_INLINE static F less_bias(F value, const float* biases, float factor) noexcept {
    return _mm512_fnmadd_ps(_mm512_loadu_ps(biases), _mm512_set1_ps(factor), value);
  }
  SEGUE_INLINE static std::uint32_t not_less_mask(F value, float limit) noexcept {
    return _mm512_cmp_ps_mask(value, _mm512_set1_ps(limit), _CMP_GE_OQ);
  }
  SEGUE_INLINE static void store(float* p, F value) noexcept { _mm512_storeu_ps(p, value); }
};

// vpmaddubsw as in lanes/avx2.hpp, and its bound on the query's codes.
struct PairBlocks : BlockSums {
  static constexpr int kMaxQueryCode = 63;
  static constexpr bool kAddsPairs = true;
  SEGUE_INLINE static V multiply_pairs(V codes, Query query) noexcept { return _mm512_maddubs_epi16(codes, query); }
  SEGUE_INLINE static V add_pairs(V a, V b) noexcept { return _mm512_add_epi16(a, b); }
  SEGUE_INLINE static V widen_add(V pairs, V sum) noexcept {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
  SEGUE_INLINE static V multiply_add(V codes, Query query, V sum) noexcept {
    return widen_add(multiply_pairs(codes, query), sum);
  }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
