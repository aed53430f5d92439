#pragma once
// FilterMarks: a filter as a scan of blocks sees it: which rows of which blocks it lets through.
//
// Made once for all queries that bring the filter (codes/plan_cache.hpp). A scan then leaves out blocks and lists that
// hold nothing wanted, and asks a bit in cache, not ids all over memory, about the rows that pass their bound.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "codes/block_arrays.hpp"
#include "codes/scan_piece.hpp"
#include "segue/core/id_map.hpp"
#include "segue/filter.hpp"

namespace segue {

class FilterMarks {
 public:
  FilterMarks() = default;
  // O(what the filter lists) where that is little, else O(positions).
  FilterMarks(const BlockArrays& arrays, const IdMap& ids, const IdSet& filter);
  // Rows of slots that `allows` names; for who knows more of a filter than its ids.
  FilterMarks(const BlockArrays& arrays, const std::function<bool(std::uint32_t slot)>& allows);
  // After these blocks have changed, or come.
  void update(const BlockArrays& arrays, const IdMap& ids, const IdSet& filter, std::span<const std::uint32_t> changed);

  // How many rows it lets through.
  std::size_t rows() const noexcept { return rows_; }
  std::size_t blocks() const noexcept { return bits_.size(); }
  // Those that hold one.
  std::size_t open_blocks() const noexcept {
    return static_cast<std::size_t>(std::count_if(bits_.begin(), bits_.end(), [](std::uint16_t bits) { return bits != 0; }));
  }
  // A bit a row.
  std::uint16_t of_block(std::size_t block) const noexcept { return bits_[block]; }
  bool has(std::size_t position) const noexcept {
    return bits_[position / kernels::kBlockRows] >> position % kernels::kBlockRows & 1;
  }
  std::size_t rows_in(std::size_t begin, std::size_t end) const noexcept;
  // The slots of all rows let through, in the order of their positions.
  std::vector<std::uint32_t> slots(const BlockArrays& arrays) const;
  std::size_t memory_usage() const noexcept { return bits_.capacity() * sizeof(std::uint16_t); }

 private:
  std::vector<std::uint16_t> bits_;
  std::size_t rows_ = 0;
};

// Blocks [begin, end) as f(first, count) with count <= kLargestPiece: all of them or, where there are marks, those that
// hold a row with one. f returns whether to go on; so does this.
template <class F>
bool for_each_piece(const FilterMarks* marks, std::size_t begin, std::size_t end, F&& f) {
  for (std::size_t block = begin; block < end;) {
    std::size_t last = std::min(end, block + kLargestPiece);
    if (marks != nullptr) {
      while (block < end && marks->of_block(block) == 0) ++block;
      if (block == end) return true;
      const std::size_t most = std::min(end, block + kLargestPiece);
      for (last = block + 1; last < most && marks->of_block(last) != 0;) ++last;
    }
    if (!f(block, last - block)) return false;
    block = last;
  }
  return true;
}

}  // namespace segue
