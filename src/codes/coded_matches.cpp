#include "codes/coded_matches.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "codes/filter_marks.hpp"

namespace segue {

using kernels::kBlockRows;

CodedMatches::CodedMatches(const CodeBlocks& codes, const FilterMarks& marks)
    : CodeBlocks(codes.table(), codes.projection().dim(), codes.metric()) {
  take_shape_of(codes);
  resize_positions(marks.rows());
  blocks_.resize(marks.rows());
  std::size_t to = 0;
  for (std::size_t block = 0; block < marks.blocks(); ++block) {
    // Rows go on falling up to the first that comes from behind the sorted ones.
    if (block == codes.sorted_blocks()) fixed_.sorted = to;
    copy(codes, marks, block, to);
  }
  if (marks.blocks() <= codes.sorted_blocks()) fixed_.sorted = to;
}

CodedMatches::CodedMatches(const BlockArrays& others, std::shared_ptr<const Projection> projection, double defect,
                           const VectorStore& rows, std::span<const std::uint32_t> slots)
    : CodeBlocks(others.table(), rows.dim(), others.metric()) {
  take_projection(std::move(projection), defect);
  set_places_of(others);
  std::vector<std::uint32_t> order(slots.size());
  std::iota(order.begin(), order.end(), 0u);
  order = by_falling_norm(rows, order, 1);
  resize_positions(order.size());
  blocks_.resize(order.size());
  fixed_.max_norm = encode(rows, order, 0, 1);
  for (std::size_t i = 0; i < order.size(); ++i) name(others, i, slots[order[i]]);
  fixed_.sorted = order.size();
}

std::unique_ptr<CodedMatches> CodedMatches::without(std::span<const std::uint32_t> blocks) const {
  auto rest = std::make_unique<CodedMatches>(*this);
  for (std::size_t position = 0; position < slots_.size(); ++position) {
    if (slots_[position] == kNoSlot || !std::binary_search(blocks.begin(), blocks.end(), blocks_[position])) continue;
    rest->slots_[position] = kNoSlot;
    --rest->fixed_.size;
  }
  // An eighth may be holes, or lie behind the others.
  constexpr std::size_t kBorne = 32, kPart = 8;
  const std::size_t out_of_order = slots_.size() - std::min<std::size_t>(rest->fixed_.size, fixed_.sorted);
  return out_of_order <= kBorne + fixed_.sorted / kPart ? std::move(rest) : nullptr;
}

void CodedMatches::add(const CodeBlocks& codes, const FilterMarks& marks, std::span<const std::uint32_t> blocks) {
  // Blocks behind the last are gone.
  blocks = blocks.first(static_cast<std::size_t>(std::lower_bound(blocks.begin(), blocks.end(), marks.blocks()) - blocks.begin()));
  std::size_t to = slots_.size();
  std::size_t rows = 0;
  for (const std::uint32_t block : blocks) rows += marks.rows_in(block, block + 1);
  resize_positions(to + rows);
  blocks_.resize(to + rows);
  set_places_of(codes);
  fixed_.max_norm = codes.fixed().max_norm;
  for (const std::uint32_t block : blocks) copy(codes, marks, block, to);
}

void CodedMatches::add(const BlockArrays& others, const VectorStore& rows, std::span<const std::uint32_t> slots) {
  const std::size_t first = slots_.size();
  std::vector<std::uint32_t> order(slots.size());
  std::iota(order.begin(), order.end(), 0u);
  resize_positions(first + slots.size());
  blocks_.resize(first + slots.size());
  set_places_of(others);
  fixed_.max_norm = std::max(fixed_.max_norm, encode(rows, order, first, 1));
  for (std::size_t i = 0; i < slots.size(); ++i) name(others, first + i, slots[i]);
}

void CodedMatches::copy(const CodeBlocks& codes, const FilterMarks& marks, std::size_t block, std::size_t& to) {
  for (unsigned bits = marks.of_block(block); bits != 0; bits &= bits - 1, ++to) {
    copy_row(codes, block * kBlockRows + static_cast<std::size_t>(std::countr_zero(bits)), to);
    blocks_[to] = static_cast<std::uint32_t>(block);
    ++fixed_.size;
  }
}

void CodedMatches::name(const BlockArrays& others, std::size_t position, std::uint32_t slot) {
  set_slot(position, slot);
  blocks_[position] = static_cast<std::uint32_t>(others.position_of(slot) / kBlockRows);
  ++fixed_.size;
}

}  // namespace segue
