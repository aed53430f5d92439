#pragma once
// BlockArrays: coded rows in blocks of kBlockRows (kernels/kernel_table.hpp), what bounds their scores, and which slots
// they belong to. CodeBlocks and ListBlocks say which row lies where, and what it is coded against.
//
// A position is a row's place, block by block. Not thread-safe for changes, except that rows of different blocks may be
// written at the same time.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "codes/change_log.hpp"
#include "codes/code_front.hpp"
#include "codes/code_planes.hpp"
#include "items/publisher.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {

constexpr std::size_t blocks_for(std::size_t rows) noexcept {
  return (rows + kernels::kBlockRows - 1) / kernels::kBlockRows;
}

class BlockArrays {
 public:
  RowMetric metric() const noexcept { return metric_; }
  const kernels::KernelTable& table() const noexcept { return *table_; }
  // Words of 64 bytes a block: of eight bits a group of four coordinates each, of fewer as the planes have them.
  std::size_t groups() const noexcept { return groups_; }
  // Of codes of fewer than eight bits; else null.
  const CodePlanes* planes() const noexcept { return planes_.get(); }
  std::size_t positions() const noexcept { return slots_.size(); }
  std::size_t blocks() const noexcept { return blocks_for(slots_.size()); }
  // Slots that can have a position; where rows are copies, one in what they are copied from.
  std::size_t places() const noexcept { return positions_.empty() ? places_of_others_ : positions_.size(); }

  const unsigned char* codes(std::size_t block) const noexcept {
    return codes_.data() + block * groups_ * kernels::kBlockGroupBytes;
  }
  const float* scales(std::size_t block) const noexcept { return scales_.data() + block * kernels::kBlockRows; }
  const float* biases(std::size_t block) const noexcept {
    return biases_.empty() ? nullptr : biases_.data() + block * kernels::kBlockRows;
  }
  const BlockBound& bound(std::size_t block) const noexcept {
    return reinterpret_cast<const BlockBound*>(bounds_.data())[block];
  }
  // The largest of each but the norm among n blocks.
  BlockBound largest(std::size_t block, std::size_t n) const noexcept;
  // Of the row at that position; often far below its block's.
  float tail(std::size_t position) const noexcept { return tails_.empty() ? 0.0f : tails_[position]; }
  std::uint32_t slot(std::size_t position) const noexcept { return slots_[position]; }
  // Queries against n blocks of codes of this shape; `codes`, `scales` and `biases` (or null) may be others than these.
  void scan(std::span<const kernels::BlockQuery> queries, const unsigned char* codes, const float* scales,
            const float* biases, std::size_t n, kernels::BlockHits* hits) const noexcept;
  // Where a slot's code is; kNowhere if that is nowhere, as a damaged file may have it.
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  std::size_t position_of(std::uint32_t slot) const noexcept {
    if (slot >= positions_.size() || positions_[slot] == 0 || positions_[slot] > slots_.size()) return kNowhere;
    return positions_[slot] - 1;
  }

  // Blocks whose rows have come, gone or moved.
  const ChangeLog& changes() const noexcept { return changes_; }

  // For files.
  struct Sections {
    Buffer<unsigned char> codes;
    Buffer<float> scales, biases, tails, bounds;
    Buffer<std::uint32_t> slots, positions;
  };
  const Buffer<unsigned char>& code_array() const noexcept { return codes_; }
  const Buffer<float>& scale_array() const noexcept { return scales_; }
  const Buffer<float>& bias_array() const noexcept { return biases_; }
  const Buffer<float>& tail_array() const noexcept { return tails_; }
  const Buffer<float>& bound_array() const noexcept { return bounds_; }
  const Buffer<std::uint32_t>& slot_array() const noexcept { return slots_; }
  const Buffer<std::uint32_t>& position_array() const noexcept { return positions_; }

 protected:
  // A row to be coded: y, the leading coordinates of what it is coded by, and the squared length of all of that.
  struct Row {
    const float* head;
    std::size_t n;
    double squared;
    double bias;      // l2
    double rounding;  // what y may be off by, a unit of the length
    // Planes alone: coordinates of all of the item, for products, and room for 2 n.
    const float* whole = nullptr;
    float* memory = nullptr;
  };

  BlockArrays(const kernels::KernelTable& table, RowMetric metric) noexcept : table_(&table), metric_(metric) {}

  // Rows of `head` numbers; `tails`: that leave something out.
  void set_shape(std::size_t head, bool tails) noexcept {
    groups_ = (head + 3) / 4;
    has_tails_ = tails;
    planes_ = nullptr;
  }
  void set_shape(std::shared_ptr<const CodePlanes> planes, bool tails) noexcept {
    groups_ = planes->words();
    has_tails_ = tails;
    planes_ = std::move(planes);
  }
  void set_shape_of(const BlockArrays& other) noexcept {
    groups_ = other.groups_;
    has_tails_ = other.has_tails_;
    planes_ = other.planes_;
  }
  // Their rows are copies, and known by the slots of the others.
  void set_places_of(const BlockArrays& other) noexcept { places_of_others_ = other.places(); }
  void resize_positions(std::size_t positions);
  // So that resize_positions() up to that many moves nothing.
  void reserve_positions(std::size_t positions, const Publisher& publish);
  // Codes a row into a position that exists; nobody is told yet that it is there. Bounds of blocks only grow. At least
  // the row's length. `is_row`: the code is all that there will be of the row, so it is never wrong.
  float write(std::size_t position, const Row& row, bool is_row = false) noexcept;
  // The row of a block whose first four bytes lie there, as numbers.
  void decode(const unsigned char* code, float scale, std::size_t n, float* out) const noexcept;
  // Whether what was written keeps its promises to such a row; a file may come from an instruction set that sums in
  // another order, so up to twice what projecting may be off by. `bias_spare`: what the bias may be off by.
  bool keeps(std::size_t position, const Row& row, double bias_spare) const noexcept;
  void set_slot(std::size_t position, std::uint32_t slot) noexcept {
    slots_[position] = slot;
    changes_.add(position / kernels::kBlockRows);
  }
  void move_row(std::size_t from, std::size_t to) noexcept;
  // A row of arrays of the same shape, with its slot; where that slot lies stays as it was.
  void copy_row(const BlockArrays& other, std::size_t from, std::size_t to) noexcept;
  // Nobody is there any more.
  void clear_slots(std::size_t block, std::size_t n) noexcept;
  // Blocks of arrays of the same shape, without their slots' positions.
  void copy_blocks(const BlockArrays& other, std::size_t from, std::size_t to, std::size_t n) noexcept;
  // The row of slot `from` is now that of slot `to`, which is not held.
  void rename_slot(std::uint32_t from, std::uint32_t to) noexcept;
  // A row with its slot and its block's bounds as packed_bytes() bytes; and from them into a position that exists, as
  // write() would have put it there if it is packed from a block of its own.
  std::size_t packed_bytes() const noexcept;
  void pack_row(std::size_t position, unsigned char* out) const noexcept;
  void unpack_row(const unsigned char* packed, std::size_t position) noexcept;
  // Of the right sizes for the shape and the number of positions, or nothing is taken.
  bool adopt(Sections sections) noexcept;
  std::size_t array_memory() const noexcept;

  const kernels::KernelTable* table_;
  RowMetric metric_;
  std::size_t groups_ = 0;
  bool has_tails_ = false;
  std::size_t places_of_others_ = 0;
  std::shared_ptr<const CodePlanes> planes_;
  Buffer<unsigned char> codes_;
  Buffer<float> scales_;
  Buffer<float> biases_;             // l2
  Buffer<float> tails_;              // none without a rotation
  Buffer<float> bounds_;             // BlockBound
  Buffer<std::uint32_t> slots_;      // by position; kNoSlot: none
  Buffer<std::uint32_t> positions_;  // by slot, plus one; 0: not held

 private:
  ChangeLog changes_;
};

}  // namespace segue
