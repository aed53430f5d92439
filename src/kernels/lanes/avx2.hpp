#pragma once
// AVX2 + FMA + F16C: eight floats a vector, sixteen registers. See lanes/scalar.hpp for what each function means.
//
//   Haswell and later / Zen 2 and later: FMA latency 4 to 5, two a cycle; eight chains (4 rows x 2) keep both busy.

#include <immintrin.h>

#include "kernels/algorithms/codec.hpp"
#include "kernels/lanes/partial.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

// A window of eight that starts at 8 - n has n leading ones.
alignas(64) constexpr std::int32_t kLeadingOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

struct Floats {
  using V = __m256;
  using Element = float;
  static constexpr std::size_t kWidth = 8;
  static constexpr bool kHasTile = true;
  // 12 sums, 3 row vectors and 1 broadcast fill the 16 registers.
  static constexpr std::size_t kTileQueries = 4;
  static constexpr std::size_t kTileVectors = 3;

  SEGUE_INLINE static V zero() noexcept { return _mm256_setzero_ps(); }
  SEGUE_INLINE static V load(const float* p) noexcept { return _mm256_loadu_ps(p); }
  SEGUE_INLINE static void store(float* p, V v) noexcept { _mm256_storeu_ps(p, v); }
  SEGUE_INLINE static V broadcast(const float* p) noexcept { return _mm256_broadcast_ss(p); }
  SEGUE_INLINE static V add(V a, V b) noexcept { return _mm256_add_ps(a, b); }
  SEGUE_INLINE static V sub(V a, V b) noexcept { return _mm256_sub_ps(a, b); }
  SEGUE_INLINE static V multiply_add(V a, V b, V sum) noexcept { return _mm256_fmadd_ps(a, b, sum); }
  SEGUE_INLINE static V multiply(V a, V b) noexcept { return _mm256_mul_ps(a, b); }
  SEGUE_INLINE static V splat(float x) noexcept { return _mm256_set1_ps(x); }

  SEGUE_INLINE static __m128 fold(V v) noexcept {
    return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  }
  SEGUE_INLINE static float reduce(V v) noexcept {
    const __m128 pairs = _mm_hadd_ps(fold(v), fold(v));
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  // The same tree as reduce: (v0 + v1) + (v2 + v3) of the folded vector.
  SEGUE_INLINE static void reduce4(const V* v, float* out) noexcept {
    const __m128 low = _mm_hadd_ps(fold(v[0]), fold(v[1]));
    const __m128 high = _mm_hadd_ps(fold(v[2]), fold(v[3]));
    _mm_storeu_ps(out, _mm_hadd_ps(low, high));
  }
  static constexpr std::size_t kMaskWidth = 8;
  SEGUE_INLINE static std::uint32_t greater_mask(const float* p, float t) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(load(p), _mm256_set1_ps(t), _CMP_GT_OQ)));
  }
  SEGUE_INLINE static std::uint32_t less_mask(const float* p, float t) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(load(p), _mm256_set1_ps(t), _CMP_LT_OQ)));
  }

  SEGUE_INLINE static V load_leading(const unsigned char* p, std::size_t n) noexcept {
    const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLeadingOnes + 8 - n));
    return _mm256_maskload_ps(reinterpret_cast<const float*>(p), mask);
  }
  SEGUE_INLINE static void load_f32(const unsigned char* p, V& a, V& b) noexcept {
    a = _mm256_loadu_ps(reinterpret_cast<const float*>(p));
    b = _mm256_loadu_ps(reinterpret_cast<const float*>(p + 32));
  }
  SEGUE_INLINE static void load_f32_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    a = load_leading(p, n < 8 ? n : 8);
    b = n > 8 ? load_leading(p + 32, n - 8) : zero();
  }

  SEGUE_INLINE static __m128i words8(const unsigned char* p) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  SEGUE_INLINE static __m128i words8_partial(const unsigned char* p, std::size_t n) noexcept {
    const Words8 w = load_words(p, n);
    return _mm_set_epi64x(static_cast<long long>(w.high), static_cast<long long>(w.low));
  }
  SEGUE_INLINE static void load_f16(const unsigned char* p, V& a, V& b) noexcept {
    a = _mm256_cvtph_ps(words8(p));
    b = _mm256_cvtph_ps(words8(p + 16));
  }
  SEGUE_INLINE static void load_f16_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    a = _mm256_cvtph_ps(n < 8 ? words8_partial(p, n) : words8(p));
    b = n > 8 ? _mm256_cvtph_ps(words8_partial(p + 16, n - 8)) : zero();
  }

  SEGUE_INLINE static void split_bf16(__m256i words, V& a, V& b) noexcept {
    a = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
    b = _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
  }
  SEGUE_INLINE static void load_bf16(const unsigned char* p, V& a, V& b) noexcept {
    split_bf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), a, b);
  }
  SEGUE_INLINE static void load_bf16_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    const __m128i low = n < 8 ? words8_partial(p, n) : words8(p);
    const __m128i high = n > 8 ? words8_partial(p + 16, n - 8) : _mm_setzero_si128();
    split_bf16(_mm256_set_m128i(high, low), a, b);
  }

  SEGUE_INLINE static void widen_codes(__m128i codes, V& a, V& b) noexcept {
    a = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes));
    b = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(codes, codes)));
  }
  SEGUE_INLINE static void load_codes(const unsigned char* p, V& a, V& b) noexcept {
    widen_codes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), a, b);
  }
  SEGUE_INLINE static void load_nibbles(const unsigned char* p, int shift, V& a, V& b) noexcept {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i nibbles = _mm_and_si128(_mm_srl_epi16(bytes, _mm_cvtsi32_si128(shift)), _mm_set1_epi8(15));
    widen_codes(_mm_sub_epi8(nibbles, _mm_set1_epi8(kNibbleZero)), a, b);
  }

  // 8 x 8 in three rounds of eight shuffles.
  SEGUE_INLINE static void transpose(V (&r)[8]) noexcept {
    V t[8];
    SEGUE_UNROLL
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    SEGUE_UNROLL
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    SEGUE_UNROLL
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
    SEGUE_UNROLL
    for (int i = 0; i < 8; ++i) r[i] = t[i];
  }
};

// int8 codes widened to int16, the query's stored that way: vpmaddwd sums pairs exactly (vpmaddubsw would saturate).
struct Codes {
  using V = __m256i;
  using Element = std::int32_t;  // a pair of widened codes
  using QueryCode = std::int16_t;
  static constexpr std::size_t kWidth = 8;
  static constexpr std::size_t kChunk = 16;
  static constexpr std::int32_t kOffset = 0;
  static constexpr bool kHasTile = true;
  static constexpr std::size_t kTileQueries = 4;
  static constexpr std::size_t kTileVectors = 2;

  SEGUE_INLINE static V zero() noexcept { return _mm256_setzero_si256(); }
  SEGUE_INLINE static V load(const unsigned char* row) noexcept {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
  }
  // 16 bytes from the last chunk never pass the row's end: n codes, padded to 4, and 12 bytes of tail.
  SEGUE_INLINE static V load_partial(const unsigned char* row, std::size_t) noexcept { return load(row); }
  SEGUE_INLINE static V load_nibbles(const unsigned char* span, std::size_t chunk) noexcept {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(span + 16 * (chunk % 2)));
    const __m128i nibbles = chunk < 2 ? bytes : _mm_srli_epi16(bytes, 4);
    return _mm256_cvtepi8_epi16(_mm_and_si128(nibbles, _mm_set1_epi8(15)));
  }
  SEGUE_INLINE static V load_query(const QueryCode* q) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q));
  }
  SEGUE_INLINE static V load(const std::int32_t* p) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  SEGUE_INLINE static void store(std::int32_t* p, V v) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  SEGUE_INLINE static V broadcast(const std::int32_t* p) noexcept {
    return _mm256_set1_epi32(load_unaligned<std::int32_t>(p));
  }
  SEGUE_INLINE static V multiply_add(V row, V query, V sum) noexcept {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(row, query));
  }
  SEGUE_INLINE static __m128i fold(V v) noexcept {
    return _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  }
  SEGUE_INLINE static std::int32_t reduce(V v) noexcept {
    const __m128i pairs = _mm_hadd_epi32(fold(v), fold(v));
    return _mm_cvtsi128_si32(_mm_hadd_epi32(pairs, pairs));
  }
  SEGUE_INLINE static void reduce4(const V* v, std::int32_t* out) noexcept {
    const __m128i low = _mm_hadd_epi32(fold(v[0]), fold(v[1]));
    const __m128i high = _mm_hadd_epi32(fold(v[2]), fold(v[3]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_hadd_epi32(low, high));
  }
  SEGUE_INLINE static void transpose(V (&r)[8]) noexcept {
    __m256 f[8];
    SEGUE_UNROLL
    for (int i = 0; i < 8; ++i) f[i] = _mm256_castsi256_ps(r[i]);
    Floats::transpose(f);
    SEGUE_UNROLL
    for (int i = 0; i < 8; ++i) r[i] = _mm256_castps_si256(f[i]);
  }
};

// vpmaddubsw sums two products in 16 bits: with row codes up to 255, the query's must stay within 63, or be paired.
struct Blocks {
  using V = __m256i;
  using F = __m256;
  using Query = __m256i;
  static constexpr std::size_t kRows = 8;
  static constexpr int kMaxQueryCode = 63;
  static constexpr std::int32_t kRowOffset = 128;
  static constexpr bool kAddsPairs = true;
  // 8 sums, 4 vectors of codes, the query, the ones: 14 of 16 registers.
  static constexpr std::size_t kQueriesAtOnce = 2;
  static constexpr std::size_t kBlocksAtOnce = 2;

  SEGUE_INLINE static V splat(std::int32_t x) noexcept { return _mm256_set1_epi32(x); }
  SEGUE_INLINE static V load(const unsigned char* p) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  SEGUE_INLINE static Query broadcast(const signed char* four) noexcept {
    return _mm256_set1_epi32(load_unaligned<std::int32_t>(four));
  }
  SEGUE_INLINE static V multiply_pairs(V codes, Query query) noexcept { return _mm256_maddubs_epi16(codes, query); }
  SEGUE_INLINE static V add_pairs(V a, V b) noexcept { return _mm256_add_epi16(a, b); }
  SEGUE_INLINE static V widen_add(V pairs, V sum) noexcept {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  SEGUE_INLINE static V multiply_add(V codes, Query query, V sum) noexcept {
    return widen_add(multiply_pairs(codes, query), sum);
  }
  SEGUE_INLINE static V load_fields(const unsigned char* p) noexcept { return load(p); }
  SEGUE_INLINE static V field(V word, unsigned shift, int mask) noexcept {
    return _mm256_and_si256(_mm256_srli_epi16(word, static_cast<int>(shift)), _mm256_set1_epi8(static_cast<char>(mask)));
  }
  SEGUE_INLINE static V shift_left(V sum, unsigned shift) noexcept {
    return _mm256_slli_epi32(sum, static_cast<int>(shift));
  }
  SEGUE_INLINE static V subtract(V a, V b) noexcept { return _mm256_sub_epi32(a, b); }
  SEGUE_INLINE static F scaled(V sum, const float* scales) noexcept {
    return _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(scales));
  }
  SEGUE_INLINE static F less_bias(F value, const float* biases, float factor) noexcept {
    return _mm256_fnmadd_ps(_mm256_loadu_ps(biases), _mm256_set1_ps(factor), value);
  }
  SEGUE_INLINE static std::uint32_t not_less_mask(F value, float limit) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(value, _mm256_set1_ps(limit), _CMP_GE_OQ)));
  }
  SEGUE_INLINE static void store(float* p, F value) noexcept { _mm256_storeu_ps(p, value); }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
