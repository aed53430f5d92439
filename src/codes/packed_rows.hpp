#pragma once
// PackedRows: the rows that a filter lets through, copied side by side, run by run.
//
// A block is read for the one row of its sixteen that a filter wants as it is for all of them. Where a filter comes again
// its rows are worth a copy: a list then takes as many blocks as its matches fill. Rows keep their codes, and a block the
// bounds of those that its rows came from, so what a scan finds is the same.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codes/block_arrays.hpp"

namespace segue {

class FilterMarks;

// Blocks [first, end).
struct BlockRun {
  std::uint32_t first;
  std::uint32_t end;
};

class PackedRows : public BlockArrays {
 public:
  // Those with a mark in each of `runs`. O(blocks and rows with a mark).
  PackedRows(const BlockArrays& arrays, const FilterMarks& marks, std::span<const BlockRun> runs);

  // Where the rows of the i-th run lie; its last block may have empty places.
  const BlockRun& run(std::size_t i) const noexcept { return runs_[i]; }
  std::size_t memory_usage() const noexcept { return array_memory() + runs_.capacity() * sizeof(BlockRun); }

 private:
  std::vector<BlockRun> runs_;
};

}  // namespace segue
