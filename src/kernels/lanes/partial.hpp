#pragma once
// Reading the last few 16-bit codes of a row without touching the bytes behind it.

#include "kernels/algorithms/codec.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

struct Words8 {
  std::uint64_t low, high;
};

// n < 8 words from p, zeros above. Pure integer moves: a byte loop into a buffer would stall on store forwarding.
SEGUE_INLINE Words8 load_words(const unsigned char* p, std::size_t n) noexcept {
  std::uint64_t parts[2] = {0, 0};
  std::size_t part = 0;
  if (n >= 4) {
    parts[part++] = load_unaligned<std::uint64_t>(p);
    p += 8;
  }
  unsigned shift = 0;
  if (n & 2) {
    parts[part] = load_unaligned<std::uint32_t>(p);
    shift = 32;
    p += 4;
  }
  if (n & 1) parts[part] |= static_cast<std::uint64_t>(load_unaligned<std::uint16_t>(p)) << shift;
  return {parts[0], parts[1]};
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
