#pragma once
// IdSetBuilder: makes the body of an IdSet, chunk by chunk with ascending keys. Each container arrives as offsets or as
// a bitmap, whichever the caller has; the builder stores it as the kind that its count asks for.

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "segue/core/id_set_body.hpp"

namespace segue {

// A whole chunk as bits, for work in progress: 8 KiB.
using IdSetBitmap = std::array<std::uint16_t, kIdSetBitmapUnits>;

// How many bits are set in a bitmap container.
std::size_t count_bits(const std::uint16_t* units) noexcept;

// Sets the bits of offsets.
void set_bits(std::span<const std::uint16_t> offsets, IdSetBitmap& bitmap) noexcept;

class IdSetBuilder {
 public:
  // Ascending, distinct. Appends nothing when there are none.
  void append_array(std::uint64_t key, std::span<const std::uint16_t> offsets);
  void append_bitmap(std::uint64_t key, const std::uint16_t* units);
  void append_bitmap(std::uint64_t key, const std::uint16_t* units, std::size_t count);
  void append_copy(std::uint64_t key, const IdSetChunk& chunk, const std::uint16_t* units);

  // Null when nothing was listed. The builder is spent.
  std::shared_ptr<const IdSet::Body> finish();
  // The set of what was listed.
  IdSet finish_set() { return IdSet(finish(), false); }

 private:
  std::uint16_t* append_chunk(std::uint64_t key, std::size_t count);

  IdSet::Body body_;
};

}  // namespace segue
