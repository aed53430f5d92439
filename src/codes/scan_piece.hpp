#pragma once
// A few queries against a piece of blocks: what passes its bound is kept in each query's front.

#include <cstddef>
#include <cstdint>
#include <span>

#include "codes/block_arrays.hpp"
#include "codes/code_front.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/walk.hpp"

namespace segue {

// So many share a piece of codes in the first-level cache.
inline constexpr std::size_t kQueriesAPiece = 4;
// Blocks of the largest piece: 8 to 16 KiB of bounds, scales and hits, and codes that stay in the first- or second-level
// cache while several queries pass over them.
inline constexpr std::size_t kLargestPiece = 32;

struct PieceVisit {
  std::uint32_t query;
  float offset;  // what the values of these rows have in common, in units of the query's scale
  float tail;    // what a row's tail is multiplied by
};

struct PieceMemory {
  Buffer<std::uint32_t> positions;
  Buffer<float> values;
};

class FilterMarks;

// Which rows may be answers: those with a mark, where there are marks, that `accepts` accepts.
struct Allowed {
  const FilterMarks* marks = nullptr;
  const AcceptsSlot& accepts;
};

// At most kQueriesAPiece visits to n blocks, at most kLargestPiece, whose bounds are at most `most`.
void scan_piece(const BlockArrays& arrays, std::size_t block, std::size_t n, const BlockBound& most,
                std::span<const PieceVisit> visits, const Allowed& allowed, CodeFronts& fronts, PieceMemory& memory,
                std::span<WalkStats> stats);

}  // namespace segue
