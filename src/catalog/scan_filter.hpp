#pragma once
// A plan over all rows, a chunk of 65,536 at a time: as many as an IdSet keeps together, and few enough that the bits
// of all comparisons stay in the first-level cache. A chunk in which one side of an `and` finds nothing, or one of an
// `or` everything, is not asked for the rest.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catalog/compile_filter.hpp"

namespace segue {

inline constexpr std::size_t kChunkRows = 65'536;
using ChunkBits = std::array<std::uint64_t, kChunkRows / 64>;

class FilterScan {
 public:
  // `depth` of the expression that the plan is of.
  FilterScan(const CompiledFilter& plan, std::size_t depth) : plan_(plan), scratch_(depth) {}
  // Bit i for row first + i; none beyond n.
  void scan(std::size_t first, std::size_t n, ChunkBits& bits) { scan(plan_, 0, first, n, bits); }

 private:
  void scan(const CompiledFilter& plan, std::size_t level, std::size_t first, std::size_t n, ChunkBits& bits);

  const CompiledFilter& plan_;
  std::vector<ChunkBits> scratch_;  // one a level
};

}  // namespace segue
