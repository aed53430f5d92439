// Rows into lists that others are reading: coded aside, then taken one by one.

#include <algorithm>
#include <cmath>

#include "codes/code_row.hpp"
#include "ivf/list_blocks.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {

using kernels::kBlockRows;

ListBlocks::Coded ListBlocks::code(const Centroids& centroids, const Arrivals& arrivals,
                                   std::span<const std::uint32_t> lists, int threads) const {
  const std::size_t n = arrivals.from.size();
  const std::size_t bytes = packed_bytes();
  Coded coded;
  coded.packed.resize(n * bytes);
  coded.lengths.resize(n);
  coded.lists.assign(lists.begin(), lists.end());
  parallel_for(n, threads, kAtOnce, [&](std::size_t begin, std::size_t end, std::size_t) {
    Worker memory = make_worker();
    // A block each, so that its bounds are the row's own.
    ListBlocks apart(*table_, dim_, metric_, codes_are_rows_, bits_);
    apart.set_shape_of(*this);
    for (std::size_t first = begin; first < end; first += kAtOnce) {
      const std::size_t count = std::min(kAtOnce, end - first);
      take_residuals(centroids, arrivals.rows, arrivals.from.subspan(first, count), lists.subspan(first, count), memory);
      apart.resize_positions(0);
      apart.resize_positions(count * kBlockRows);
      for (std::size_t i = 0; i < count; ++i) {
        const Residual& residual = memory.out[i];
        coded.lengths[first + i] = {residual.row.squared, residual.row_length};
        code_residual(centroids, lists[first + i], apart, i * kBlockRows, i, memory, arrivals.rests,
                      arrivals.rests == nullptr ? 0 : arrivals.rests_to[first + i]);
        apart.slots_[i * kBlockRows] = arrivals.to[first + i];
        apart.pack_row(i * kBlockRows, coded.packed.data() + (first + i) * bytes);
      }
    }
  });
  return coded;
}

void ListBlocks::make_room(std::span<const std::uint32_t> arriving, std::size_t slots, const Publisher& publish) {
  std::vector<std::uint32_t> wanted(lists());
  for (std::size_t l = 0; l < wanted.size(); ++l) wanted[l] = runs_[l].rows;
  for (const std::uint32_t l : arriving) ++wanted[l];
  positions_.reserve(slots, publish);
  make_room_for(wanted, publish);
}

void ListBlocks::take(const Coded& coded, std::size_t i) {
  const std::uint32_t list = coded.lists[i];
  const std::size_t position = runs_[list].first * kBlockRows + runs_[list].rows++;
  unpack_row(coded.packed.data() + i * packed_bytes(), position);
  const std::uint32_t slot = slots_[position];
  if (slot >= positions_.size()) positions_.resize(slot + std::size_t{1});
  const std::uint32_t before = positions_[slot];
  set_slot(position, slot);
  positions_[slot] = static_cast<std::uint32_t>(position) + 1;
  count_row(list, coded.lengths[i]);
  ++size_;
  if (before != 0) remove_at(before - 1);
}

}  // namespace segue
