#include "codes/packed_rows.hpp"

#include <bit>

#include "codes/filter_marks.hpp"

namespace segue {

using kernels::kBlockRows;

PackedRows::PackedRows(const BlockArrays& arrays, const FilterMarks& marks, std::span<const BlockRun> runs)
    : BlockArrays(arrays.table(), arrays.metric()) {
  set_shape_of(arrays);
  set_places_of(arrays);
  runs_.reserve(runs.size());
  std::uint32_t next = 0;
  for (const BlockRun& run : runs) {
    const auto blocks = static_cast<std::uint32_t>(blocks_for(marks.rows_in(run.first, run.end)));
    runs_.push_back({next, next + blocks});
    next += blocks;
  }
  resize_positions(next * kBlockRows);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::size_t to = runs_[i].first * kBlockRows;
    for (std::size_t block = runs[i].first; block < runs[i].end; ++block) {
      for (unsigned bits = marks.of_block(block); bits != 0; bits &= bits - 1) {
        copy_row(arrays, block * kBlockRows + static_cast<std::size_t>(std::countr_zero(bits)), to++);
      }
    }
  }
}

}  // namespace segue
