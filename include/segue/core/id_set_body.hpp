#pragma once
// The layout of an IdSet.
//
// An id is a chunk key (id >> 16) and an offset (its low 16 bits). Only chunks that list an id exist. Their containers
// lie one after another in `data`, in units of 16 bits:
//
//   count <= 4096   array    `count` offsets, ascending
//   count >  4096   bitmap   4096 units; bit (offset & 15) of unit (offset >> 4)
//
// The kind follows from the count alone, and 4096 is where a bitmap stops being the larger one. So a set of ids has one
// layout whatever its history, and equality is equality of bytes.
//
//   keys    [  3,  4,  9 ]            ascending
//   chunks  [ {0, 2}, {2, 60000}, {4098, 1} ]      where in data, how many
//   data    [ 17, 40000 | 4096 units of bits | 5 ]
//
// `direct` is the same directory indexed by key, absent chunks with a count of 0. It is there when the keys are dense
// enough (at most kDirectSlack + kDirectSparsity * chunks of 16 bytes), which real catalogues are; a look-up is then
// two loads. Otherwise it is empty and a look-up is a binary search over keys.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "segue/filter.hpp"

namespace segue {

inline constexpr unsigned kIdSetChunkBits = 16;
inline constexpr std::size_t kIdSetChunkIds = std::size_t{1} << kIdSetChunkBits;
inline constexpr std::size_t kIdSetBitmapUnits = kIdSetChunkIds / 16;
inline constexpr std::size_t kIdSetArrayMax = kIdSetBitmapUnits;

inline constexpr std::size_t kIdSetDirectSlack = 16;
inline constexpr std::size_t kIdSetDirectSparsity = 4;

struct IdSetChunk {
  std::uint64_t offset = 0;  // into data
  std::uint32_t count = 0;   // 1 to 65,536; 0 in `direct` only

  bool is_bitmap() const noexcept { return count > kIdSetArrayMax; }
  std::size_t units() const noexcept { return is_bitmap() ? kIdSetBitmapUnits : count; }
  bool operator==(const IdSetChunk&) const = default;
};

struct IdSet::Body {
  std::vector<std::uint64_t> keys;
  std::vector<IdSetChunk> chunks;
  std::vector<std::uint16_t> data;
  std::vector<IdSetChunk> direct;
  std::size_t listed = 0;
};

// Calls f(offset) for every set bit of a bitmap container, ascending.
template <class F>
void for_each_bit(const std::uint16_t* units, F&& f) {
  for (std::size_t i = 0; i < kIdSetBitmapUnits; ++i) {
    for (unsigned bits = units[i]; bits != 0; bits &= bits - 1) {
      f(static_cast<std::uint16_t>(i * 16 + static_cast<unsigned>(std::countr_zero(bits))));
    }
  }
}

}  // namespace segue
