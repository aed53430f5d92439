#pragma once
// The five ways to code a row, as plain loops that the compiler vectorises for each instruction set.
//
// The bytes must be the same everywhere, so nothing here depends on the order of a float sum: maxima and integer sums
// do not care about order, all else is element by element. Compiled with -ffp-contract=off, or an FMA would round once
// where SSE2 rounds twice.

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.hpp"

// Vectors live in small arrays with constant bounds. They stay in registers only if every function that takes their
// address is inlined and every loop over them unrolled. Left to itself, gcc 12 spills them, and the AVX2 tile makes 42
// instead of 97 GFLOP/s, the AVX-512 list in cache 114 instead of 189 million distances a second.
#define SEGUE_INLINE [[gnu::always_inline]] inline
#if defined(SEGUE_KERNELS_OF_ONE)
// Loops over the rows of a block that fit a vector: of one row there are sixteen, and compiling them unrolled takes a minute.
#define SEGUE_UNROLL
#elif defined(__clang__)
#define SEGUE_UNROLL _Pragma("unroll")
#else
#define SEGUE_UNROLL _Pragma("GCC unroll 16")
#endif

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) noexcept {
  return (n + multiple - 1) / multiple * multiple;
}

inline std::uint32_t bits_of(float x) noexcept { return __builtin_bit_cast(std::uint32_t, x); }
inline float float_of(std::uint32_t bits) noexcept { return __builtin_bit_cast(float, bits); }

// a if take_a, else b, without a branch: with one, gcc 12 does not vectorise the loops below.
inline std::uint32_t select(bool take_a, std::uint32_t a, std::uint32_t b) noexcept {
  const std::uint32_t mask = std::uint32_t{0} - static_cast<std::uint32_t>(take_a);
  return (a & mask) | (b & ~mask);
}

// 65504 is the largest finite half. Magnitudes of finite floats order like their bits.
inline std::uint16_t half_from_float(float x) noexcept {
  const std::uint32_t sign = (bits_of(x) >> 16) & 0x8000u;
  std::uint32_t magnitude = bits_of(x) & 0x7fffffffu;
  magnitude = select(magnitude > 0x477fe000u, 0x477fe000u, magnitude);
  // Normal halves: rebias the exponent by 112 and round the 13 lost bits to nearest even in integers.
  const std::uint32_t normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // Below 2^-14 the grid is 2^-24, the last place of floats in [0.5, 1): adding 0.5 rounds to it, to nearest even.
  const std::uint32_t denormal = bits_of(float_of(magnitude) + 0.5f) - 0x3f000000u;
  return static_cast<std::uint16_t>(sign | select(magnitude < 0x38800000u, denormal, normal));
}

inline float float_from_half(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7fffu;
  // Read with the wrong bias, then scaled by 2^112: exact, denormals included.
  const std::uint32_t finite = bits_of(float_of(magnitude << 13) * 0x1p112f);
  // Infinity keeps its payload; a NaN becomes quiet, as the conversion instructions do.
  const std::uint32_t quiet = select(magnitude > 0x7c00u, 0x00400000u, 0u);
  const std::uint32_t special = 0x7f800000u | ((magnitude & 0x3ffu) << 13) | quiet;
  return float_of(sign | select(magnitude >= 0x7c00u, special, finite));
}

inline std::uint16_t bf16_from_float(float x) noexcept {
  const std::uint32_t sign = bits_of(x) & 0x80000000u;
  std::uint32_t magnitude = bits_of(x) & 0x7fffffffu;
  magnitude = select(magnitude > 0x7f7f0000u, 0x7f7f0000u, magnitude);
  return static_cast<std::uint16_t>((sign | (magnitude + 0x7fffu + ((magnitude >> 16) & 1u))) >> 16);
}

inline float float_from_bf16(std::uint16_t half) noexcept { return float_of(static_cast<std::uint32_t>(half) << 16); }

// Rows may lie at any address; a plain uint16_t or float access would claim alignment.
template <class T>
SEGUE_INLINE T load_unaligned(const void* p) noexcept {
  T value;
  __builtin_memcpy(&value, p, sizeof(T));
  return value;
}
template <class T>
SEGUE_INLINE void store_unaligned(void* p, T value) noexcept {
  __builtin_memcpy(p, &value, sizeof(T));
}

struct F32Codec {
  static constexpr std::size_t row_bytes(std::size_t dim) noexcept { return dim * sizeof(float); }
  static void encode_row(const float* x, std::size_t dim, unsigned char* row) noexcept {
    __builtin_memcpy(row, x, dim * sizeof(float));
  }
  static void decode(const unsigned char* row, std::size_t dim, float* out) noexcept {
    __builtin_memcpy(out, row, dim * sizeof(float));
  }
};

struct F16Codec {
  static constexpr std::size_t row_bytes(std::size_t dim) noexcept { return dim * 2; }
  static void encode_row(const float* x, std::size_t dim, unsigned char* row) noexcept {
    for (std::size_t i = 0; i < dim; ++i) store_unaligned(row + 2 * i, half_from_float(x[i]));
  }
  static void decode(const unsigned char* row, std::size_t dim, float* out) noexcept {
    for (std::size_t i = 0; i < dim; ++i) out[i] = float_from_half(load_unaligned<std::uint16_t>(row + 2 * i));
  }
};

struct Bf16Codec {
  static constexpr std::size_t row_bytes(std::size_t dim) noexcept { return dim * 2; }
  static void encode_row(const float* x, std::size_t dim, unsigned char* row) noexcept {
    for (std::size_t i = 0; i < dim; ++i) store_unaligned(row + 2 * i, bf16_from_float(x[i]));
  }
  static void decode(const unsigned char* row, std::size_t dim, float* out) noexcept {
    for (std::size_t i = 0; i < dim; ++i) out[i] = float_from_bf16(load_unaligned<std::uint16_t>(row + 2 * i));
  }
};

// Magnitudes of finite floats order like their bits.
SEGUE_INLINE float largest_magnitude(const float* x, std::size_t dim) noexcept {
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    const std::int32_t magnitude = static_cast<std::int32_t>(bits_of(x[i]) & 0x7fffffffu);
    largest = magnitude > largest ? magnitude : largest;
  }
  return float_of(static_cast<std::uint32_t>(largest));
}

struct Sq8Codec {
  static constexpr std::size_t tail_offset(std::size_t dim) noexcept { return round_up(dim, 4); }
  static constexpr std::size_t row_bytes(std::size_t dim) noexcept { return tail_offset(dim) + sizeof(Sq8Tail); }

  // Codes `dim` floats, leaves the padding alone. The largest magnitude becomes 127.
  static Sq8Tail quantise(const float* x, std::size_t dim, signed char* codes) noexcept {
    const float scale = largest_magnitude(x, dim) / static_cast<float>(kSq8MaxCode);
    if (!(scale >= 0x1p-126f)) {  // 1/scale would overflow, and a denormal scale has no bits to be exact with
      for (std::size_t i = 0; i < dim; ++i) codes[i] = 0;
      return {0.0f, 0.0f, 0};
    }
    const float inverse = 1.0f / scale;
    // Unsigned, because infinities and NaN, which damaged files bring in, may overflow; numbers never do.
    std::uint32_t sum = 0;
    std::uint32_t squares = 0;  // at most 127^2 * 65536 < 2^31
    for (std::size_t i = 0; i < dim; ++i) {
      // 1.5 * 2^23: the float grid there is the integers, so the low bits are x / scale, rounded to nearest even.
      const std::uint32_t rounded = bits_of(x[i] * inverse + 12582912.0f) - 0x4b400000u;
      codes[i] = static_cast<signed char>(rounded);
      sum += rounded;
      squares += rounded * rounded;
    }
    const float norm = static_cast<float>(static_cast<std::int32_t>(squares));
    return {scale, scale * scale * norm, static_cast<std::int32_t>(sum)};
  }
  static void encode_row(const float* x, std::size_t dim, unsigned char* row) noexcept {
    const Sq8Tail tail = quantise(x, dim, reinterpret_cast<signed char*>(row));
    for (std::size_t i = dim; i < tail_offset(dim); ++i) row[i] = 0;
    store_unaligned(row + tail_offset(dim), tail);
  }
  SEGUE_INLINE static std::int32_t code(const unsigned char* row, std::size_t i) noexcept {
    return static_cast<signed char>(row[i]);
  }
  static void decode(const unsigned char* row, std::size_t dim, float* out) noexcept {
    const float scale = load_unaligned<Sq8Tail>(row + tail_offset(dim)).scale;
    for (std::size_t i = 0; i < dim; ++i) out[i] = scale * static_cast<float>(code(row, i));
  }
};

// Two codes a byte, in spans of 64 codes: byte b of a span has code b in its low half and code 32 + b in the high one, each
// plus kNibbleZero; 0 where there is none. The tail's code_sum counts them as they stand.
struct Sq4Codec {
  static constexpr std::size_t kSpan = 64;
  static constexpr std::size_t kSpanBytes = kSpan / 2;
  static constexpr std::size_t tail_offset(std::size_t dim) noexcept { return round_up(dim, kSpan) / 2; }
  static constexpr std::size_t row_bytes(std::size_t dim) noexcept { return tail_offset(dim) + sizeof(Sq8Tail); }

  template <class Byte>
  SEGUE_INLINE static Byte* byte_of(Byte* row, std::size_t i) noexcept {
    return row + i / kSpan * kSpanBytes + i % kSpanBytes;
  }
  SEGUE_INLINE static int shift_of(std::size_t i) noexcept { return i % kSpan < kSpanBytes ? 0 : 4; }
  SEGUE_INLINE static std::int32_t code(const unsigned char* row, std::size_t i) noexcept {
    return ((*byte_of(row, i) >> shift_of(i)) & 15) - kNibbleZero;
  }

  static void encode_row(const float* x, std::size_t dim, unsigned char* row) noexcept {
    float scale = largest_magnitude(x, dim) / static_cast<float>(kSq4MaxCode);
    float inverse = 0.0f;
    if (scale >= 0x1p-126f) {
      inverse = 1.0f / scale;
    } else {
      scale = 0.0f;  // 1/scale would overflow, and a denormal scale has no bits to be exact with
    }
    for (std::size_t i = 0; i < tail_offset(dim); ++i) row[i] = 0;
    std::uint32_t sum = 0;
    std::uint32_t squares = 0;
    for (std::size_t i = 0; i < dim; ++i) {
      const float scaled = inverse == 0.0f ? 0.0f : x[i] * inverse;
      const std::uint32_t rounded = bits_of(scaled + 12582912.0f) - 0x4b400000u;  // as in Sq8Codec
      const std::uint32_t nibble = (rounded + kNibbleZero) & 15u;
      unsigned char& byte = *byte_of(row, i);
      byte = static_cast<unsigned char>(byte | nibble << shift_of(i));
      sum += nibble;
      squares += rounded * rounded;
    }
    const float norm = static_cast<float>(static_cast<std::int32_t>(squares));
    const Sq8Tail tail{scale, scale * scale * norm, static_cast<std::int32_t>(sum)};
    store_unaligned(row + tail_offset(dim), tail);
  }
  // Half a span at a time, without a branch for each code: some seven times faster where a compiler makes vectors of it.
  static void decode(const unsigned char* row, std::size_t dim, float* out) noexcept {
    const float scale = load_unaligned<Sq8Tail>(row + tail_offset(dim)).scale;
    const auto value = [scale](std::int32_t nibble) noexcept { return scale * static_cast<float>(nibble - kNibbleZero); };
    for (; dim >= kSpan; dim -= kSpan, row += kSpanBytes, out += kSpan) {
      for (std::size_t b = 0; b < kSpanBytes; ++b) out[b] = value(row[b] & 15);
      for (std::size_t b = 0; b < kSpanBytes; ++b) out[kSpanBytes + b] = value(row[b] >> 4);
    }
    const std::size_t low = dim < kSpanBytes ? dim : kSpanBytes;
    for (std::size_t b = 0; b < low; ++b) out[b] = value(row[b] & 15);
    for (std::size_t b = 0; b < dim - low; ++b) out[kSpanBytes + b] = value(row[b] >> 4);
  }
};

template <class Codec>
std::size_t row_bytes(std::size_t dim) noexcept {
  return Codec::row_bytes(dim);
}

template <class Codec>
void encode(const float* x, std::size_t n, std::size_t dim, unsigned char* rows, std::size_t stride) noexcept {
  const std::size_t used = Codec::row_bytes(dim);
  for (std::size_t i = 0; i < n; ++i) {
    unsigned char* row = rows + i * stride;
    Codec::encode_row(x + i * dim, dim, row);
    for (std::size_t b = used; b < stride; ++b) row[b] = 0;
  }
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
