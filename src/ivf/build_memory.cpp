#include "ivf/build_memory.hpp"

#include <algorithm>
#include <bit>

#include "codes/block_arrays.hpp"
#include "codes/train_blocks.hpp"
#include "ivf/centroids.hpp"
#include "segue/core/projection.hpp"

namespace segue {
namespace {

// Large buffers come in pages of two megabytes, and there is always something that nobody counted.
constexpr std::size_t kSpare = std::size_t{4} << 20;
constexpr std::size_t kLeastRows = 256;
constexpr std::size_t kMostRows = 16384;
constexpr std::size_t kLeastBlocks = 64;
constexpr std::size_t kMostRanges = 1024;
// A range at the edge of what is laid out at once is read twice: small ones cost less then.
constexpr std::size_t kRangesAStep = 8;

}  // namespace

// Centres in float32 and twice in eight bits, with a quarter more places than there are, what belongs to them, directions
// three ways; and what workers keep.
std::size_t BuildMemory::lists_and_workers() const noexcept {
  const std::size_t head = std::min(shape_.dim, kLargestHead);
  const std::size_t list = 11 * shape_.dim + 240;
  // Products of 48 rows with all centres; some dozen vectors' worth of 64 rows. Rows that visit groups together lie there as
  // they are and in eight bits, with what each visit found.
  const std::size_t together = shape_.lists < CentreBlocks::kLeastGrouped ? 0 : Centroids::kGroupedAtOnce;
  const std::size_t worker = 192 * shape_.lists + 1024 * shape_.dim + together * (6 * shape_.dim + 512);
  return kSpare + shape_.lists * list + 12 * head * shape_.dim + shape_.workers * worker;
}

// Beside the sample itself, which is in a file: an order of it or who belongs where, and centres of the round before; then
// a part of it and its moments for the directions.
std::size_t BuildMemory::training() const noexcept {
  const std::size_t means = 20 * shape_.sampled + shape_.lists * (11 * shape_.dim + 240);
  const std::size_t looked_at = std::min(shape_.sampled, Projection::kSample);
  std::size_t directions = 4 * shape_.sampled + 8 * looked_at * shape_.dim;
  if (shape_.dim >= kLeastTrainedDim && shape_.dim <= Projection::kMaxTrainedDim) {
    // Rows and queries of choose_head in their directions, three numbers a count of these, and what a worker multiplies.
    directions += 8 * shape_.dim * shape_.dim +
                  std::min(looked_at, kHeadSample) * (11 * shape_.dim + 8 + shape_.workers * (shape_.dim / 2 + 4));
  }
  return lists_and_workers() + std::max(means, directions);
}

// As it came and as it will be searched, what its code leaves over, and a block of its own.
std::size_t BuildMemory::row_to_code(std::size_t head) const noexcept {
  return 10 * shape_.dim + 128 + kernels::kBlockRows * (head + 4 + 16) + 64;
}

std::size_t BuildMemory::least() const noexcept {
  const std::size_t id_map = shape_.own_ids ? 8 * shape_.rows + 4 * std::bit_ceil(2 * shape_.rows + 2) : 0;
  const std::size_t reading = kLeastRows * 8 * shape_.dim;
  const std::size_t coding = lists_and_workers() + kLeastRows * row_to_code(shape_.dim) + 8 * kSpillBuffer;
  const std::size_t laying_out =
      lists_and_workers() + 4 * shape_.rows + kLeastBlocks * kernels::kBlockRows * (shape_.dim + 24) + kSpillBuffer;
  return std::max({id_map + kSpare, reading + kSpare, training(), coding, laying_out});
}

std::size_t BuildMemory::rows_to_read() const noexcept {
  return std::clamp<std::size_t>(left(kSpare) / 4 / (8 * shape_.dim), kLeastRows, kMostRows);
}

std::size_t BuildMemory::rows_to_code(std::size_t head) const noexcept {
  const std::size_t bytes = left(lists_and_workers()) / 8 * 3;
  return std::clamp<std::size_t>(bytes / row_to_code(head), kLeastRows, kMostRows);
}

std::size_t BuildMemory::blocks_to_lay_out(std::size_t block_bytes) const noexcept {
  const std::size_t most = shape_.rows / kernels::kBlockRows + shape_.lists + 1;
  const std::size_t bytes = left(lists_and_workers() + 4 * shape_.rows + kSpillBuffer) / 8 * 7;
  return std::clamp<std::size_t>(bytes / block_bytes, std::min(kLeastBlocks, most), most);
}

std::size_t BuildMemory::spill_ranges(std::size_t block_bytes) const noexcept {
  const std::size_t blocks = shape_.rows / kernels::kBlockRows + shape_.lists + 1;
  const std::size_t steps = (blocks - 1) / blocks_to_lay_out(block_bytes) + 1;
  if (steps == 1) return 1;
  const std::size_t room = left(lists_and_workers()) / 4 / kSpillBuffer;
  return std::clamp<std::size_t>(std::min(kRangesAStep * steps, room), 1, std::min(kMostRanges, shape_.lists));
}

}  // namespace segue
