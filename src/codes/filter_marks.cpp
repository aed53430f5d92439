#include "codes/filter_marks.hpp"

#include <bit>

#include "segue/core/id_set_reader.hpp"

namespace segue {
namespace {

using kernels::kBlockRows;

// Finding a listed id takes as long as looking at so many rows in the order of positions.
constexpr std::size_t kRowsAnId = 8;

// The marks of a block.
std::uint16_t mark_block(const BlockArrays& arrays, const IdMap& ids, const IdSetReader& filter, std::size_t block) {
  unsigned bits = 0;
  const std::size_t first = block * kBlockRows;
  const std::size_t n = std::min(kBlockRows, arrays.positions() - first);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t slot = arrays.slot(first + i);
    bits |= static_cast<unsigned>(slot < ids.slots() && filter.contains(ids.id(slot))) << i;
  }
  return static_cast<std::uint16_t>(bits);
}

}  // namespace

FilterMarks::FilterMarks(const BlockArrays& arrays, const IdMap& ids, const IdSet& filter) : bits_(arrays.blocks(), 0) {
  const IdSetReader reader(filter);
  if (!filter.is_complement() && kRowsAnId * filter.listed() < arrays.positions()) {
    reader.for_each_listed([&](Id id) {
      const std::uint32_t slot = ids.find(id);
      const std::size_t position = slot == kNoSlot ? BlockArrays::kNowhere : arrays.position_of(slot);
      // In a damaged file another may be there, or none.
      if (position == BlockArrays::kNowhere || arrays.slot(position) != slot) return;
      std::uint16_t& bits = bits_[position / kBlockRows];
      bits = static_cast<std::uint16_t>(bits | 1u << position % kBlockRows);
    });
  } else {
    for (std::size_t block = 0; block < bits_.size(); ++block) bits_[block] = mark_block(arrays, ids, reader, block);
  }
  rows_ = rows_in(0, bits_.size());
}

FilterMarks::FilterMarks(const BlockArrays& arrays, const std::function<bool(std::uint32_t slot)>& allows)
    : bits_(arrays.blocks(), 0) {
  for (std::size_t position = 0; position < arrays.positions(); ++position) {
    const std::uint32_t slot = arrays.slot(position);
    if (slot >= arrays.places() || !allows(slot)) continue;
    std::uint16_t& bits = bits_[position / kBlockRows];
    bits = static_cast<std::uint16_t>(bits | 1u << position % kBlockRows);
    ++rows_;
  }
}

void FilterMarks::update(const BlockArrays& arrays, const IdMap& ids, const IdSet& filter,
                         std::span<const std::uint32_t> changed) {
  bits_.resize(arrays.blocks(), 0);
  const IdSetReader reader(filter);
  for (const std::uint32_t block : changed) {
    if (block < bits_.size()) bits_[block] = mark_block(arrays, ids, reader, block);
  }
  rows_ = rows_in(0, bits_.size());
}

std::size_t FilterMarks::rows_in(std::size_t begin, std::size_t end) const noexcept {
  std::size_t rows = 0;
  for (std::size_t block = begin; block < end; ++block) rows += static_cast<std::size_t>(std::popcount(bits_[block]));
  return rows;
}

std::vector<std::uint32_t> FilterMarks::slots(const BlockArrays& arrays) const {
  std::vector<std::uint32_t> all;
  all.reserve(rows_);
  for (std::size_t block = 0; block < bits_.size(); ++block) {
    for (unsigned bits = bits_[block]; bits != 0; bits &= bits - 1) {
      all.push_back(arrays.slot(block * kBlockRows + static_cast<std::size_t>(std::countr_zero(bits))));
    }
  }
  return all;
}

}  // namespace segue
