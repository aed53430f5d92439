#pragma once
// First passes over plain arrays of floats: which scores pass a threshold, which row is not finite.

#include "kernels/algorithms/codec.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

// Few scores pass in an exact scan, so four masks are tested together and the bits of a hit are walked one by one.
template <class Floats, bool kGreater>
std::size_t select_positions(const float* scores, std::size_t n, float threshold, std::uint32_t* out) noexcept {
  constexpr std::size_t kMaskWidth = Floats::kMaskWidth;
  constexpr std::size_t kMasks = 4;
  std::size_t found = 0;
  std::size_t i = 0;
  for (; i + kMasks * kMaskWidth <= n; i += kMasks * kMaskWidth) {
    std::uint32_t mask[kMasks];
    std::uint32_t any = 0;
    for (std::size_t m = 0; m < kMasks; ++m) {
      const float* p = scores + i + m * kMaskWidth;
      mask[m] = kGreater ? Floats::greater_mask(p, threshold) : Floats::less_mask(p, threshold);
      any |= mask[m];
    }
    if (any == 0) continue;
    for (std::size_t m = 0; m < kMasks; ++m) {
      for (std::uint32_t bits = mask[m]; bits != 0; bits &= bits - 1) {
        out[found++] = static_cast<std::uint32_t>(i + m * kMaskWidth) + static_cast<std::uint32_t>(__builtin_ctz(bits));
      }
    }
  }
  for (; i < n; ++i) {
    if (kGreater ? scores[i] > threshold : scores[i] < threshold) out[found++] = static_cast<std::uint32_t>(i);
  }
  return found;
}

// Rows lie one after the other, so pieces of 4 KiB are swept without regard to rows; only a bad piece is searched.
inline std::size_t first_not_finite(const float* x, std::size_t n, std::size_t dim) noexcept {
  constexpr std::size_t kPiece = 1024;
  constexpr std::uint32_t kExponent = 0x7f800000u;
  const std::size_t total = n * dim;
  for (std::size_t begin = 0; begin < total; begin += kPiece) {
    const std::size_t end = total - begin < kPiece ? total : begin + kPiece;
    std::uint32_t bad = 0;
    for (std::size_t i = begin; i < end; ++i)
      bad |= static_cast<std::uint32_t>((bits_of(x[i]) & kExponent) == kExponent);
    if (bad == 0) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if ((bits_of(x[i]) & kExponent) == kExponent) return i / dim;
    }
  }
  return n;
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
