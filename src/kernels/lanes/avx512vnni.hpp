#pragma once
// AVX-512 with VNNI: vpdpbusd multiplies 64 codes and adds them in fours, unsigned by signed.
//
// The query is the unsigned side, stored as code + 128, so that the row goes from memory straight into the
// instruction; the surplus is 128 times the sum of the row's codes, which its Sq8Tail holds. |sum| stays below
// 255 * 127 * 65536 < 2^31, and the subtraction undoes a wrap anyhow.
//
// AVX512_BF16 is left alone: vdpbf16ps needs the query in bf16 as well, and what that costs eats what it gains
// (docs/decisions/0006-bf16-instructions.md).

#include "kernels/lanes/avx512.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

// vpdpbusd. For _mm512_dpbusd_epi32 gcc 12 copies the sum to another register and back around each one: two
// moves a product, which the widest processors are not wide enough for. Without: a batch of 64 under inner product takes
// 0.83 to 0.90 of the time (Zen 5).
SEGUE_INLINE __m512i add_products(__m512i sum, __m512i codes, __m512i signed_codes) noexcept {
  asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(codes), "v"(signed_codes));
  return sum;
}

struct VnniCodes : CodeSums {
  using QueryCode = unsigned char;
  static constexpr std::size_t kChunk = 64;
  static constexpr std::int32_t kOffset = 128;

  using CodeSums::load;
  SEGUE_INLINE static V load(const unsigned char* row) noexcept { return _mm512_loadu_si512(row); }
  SEGUE_INLINE static V load_partial(const unsigned char* row, std::size_t n) noexcept {
    return _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1u, row);  // n < 64
  }
  SEGUE_INLINE static V load_nibbles(const unsigned char* span, std::size_t) noexcept {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(span));
    const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(bytes), _mm256_srli_epi16(bytes, 4), 1);
    return _mm512_and_si512(both, _mm512_set1_epi8(15));
  }
  SEGUE_INLINE static V load_query(const QueryCode* q) noexcept { return _mm512_loadu_si512(q); }
  SEGUE_INLINE static V multiply_add(V row, V query, V sum) noexcept { return add_products(sum, query, row); }
};

struct VnniBlocks : BlockSums {
  static constexpr int kMaxQueryCode = 127;
  static constexpr bool kAddsPairs = false;
  SEGUE_INLINE static V multiply_add(V codes, Query query, V sum) noexcept { return add_products(sum, codes, query); }
  SEGUE_INLINE static V multiply_add_fields(V fields, Query query, V sum) noexcept {
    return multiply_add(fields, query, sum);
  }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
