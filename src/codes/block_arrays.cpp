#include "codes/block_arrays.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "codes/code_row.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr std::size_t kBoundFloats = sizeof(BlockBound) / sizeof(float);
static_assert(sizeof(BlockBound) == 4 * sizeof(float));

}  // namespace

BlockBound BlockArrays::largest(std::size_t block, std::size_t n) const noexcept {
  BlockBound most = bound(block);
  for (std::size_t b = block + 1; b < block + n; ++b) {
    most.error = std::max(most.error, bound(b).error);
    most.head = std::max(most.head, bound(b).head);
    most.tail = std::max(most.tail, bound(b).tail);
  }
  return most;
}

void BlockArrays::resize_positions(std::size_t positions) {
  const std::size_t blocks = blocks_for(positions);
  if (blocks != this->blocks()) changes_.add(blocks);  // what knows of blocks knows of too few, or too many
  codes_.resize(blocks * groups_ * kBlockGroupBytes);
  scales_.resize(blocks * kBlockRows);
  if (metric_ == RowMetric::kSquaredL2) biases_.resize(blocks * kBlockRows);
  if (has_tails_) tails_.resize(blocks * kBlockRows);
  bounds_.resize(blocks * kBoundFloats);
  slots_.resize(positions, kNoSlot);
}

void BlockArrays::reserve_positions(std::size_t positions, const Publisher& publish) {
  const std::size_t blocks = blocks_for(positions);
  codes_.reserve(blocks * groups_ * kBlockGroupBytes, publish);
  scales_.reserve(blocks * kBlockRows, publish);
  if (metric_ == RowMetric::kSquaredL2) biases_.reserve(blocks * kBlockRows, publish);
  if (has_tails_) tails_.reserve(blocks * kBlockRows, publish);
  bounds_.reserve(blocks * kBoundFloats, publish);
  slots_.reserve(positions, publish);
}

float BlockArrays::write(std::size_t position, const Row& row, bool is_row) noexcept {
  const std::size_t block = position / kBlockRows;
  unsigned char* code = codes_.data() + (block * groups_ * kBlockRows + position % kBlockRows) * 4;
  double error = 0, length = 0, norm = 0;
  if (planes_ != nullptr) {
    const CodePlanes::Coded coded = planes_->encode(row.head, row.whole, row.memory, code);
    scales_[position] = coded.scale;
    error = coded.error;
    length = coded.length;
    norm = coded.norm;
  } else {
    const CodedRow coded = code_row(row.head, row.n, code);
    scales_[position] = coded.scale;
    error = coded.error;
  }
  if (!biases_.empty()) biases_[position] = static_cast<float>(row.bias);
  const double head_squared = squared_distance(row.head, nullptr, row.n);
  const double tail_squared = std::max(0.0, row.squared - head_squared);
  const double z = std::sqrt(row.squared);
  const float reached[kBoundFloats] = {
      is_row ? 0.0f : round_up(error * (1 + 1e-9) + (planes_ != nullptr ? 0.0 : row.rounding * z)),
      planes_ != nullptr ? round_up(length * (1 + 1e-9))
                         : round_up((std::sqrt(head_squared) + (is_row ? error : 0.0)) * (1 + 1e-9)),
      has_tails_ ? round_up(std::sqrt(tail_squared + 2 * (row.rounding + 1e-6) * row.squared)) : 0.0f,
      round_up(std::max(z, norm) * (1 + 1e-6 + row.rounding))};
  if (has_tails_) tails_[position] = reached[2];
  float* bound = bounds_.data() + block * kBoundFloats;
  for (std::size_t b = 0; b < kBoundFloats; ++b) bound[b] = std::max(bound[b], reached[b]);
  return reached[3];
}

void BlockArrays::decode(const unsigned char* code, float scale, std::size_t n, float* out) const noexcept {
  if (planes_ != nullptr) return planes_->decode(code, scale, out);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = scale * static_cast<float>(code[i / 4 * kBlockGroupBytes + i % 4] - 128);
  }
}

void BlockArrays::scan(std::span<const kernels::BlockQuery> queries, const unsigned char* codes, const float* scales,
                       const float* biases, std::size_t n, kernels::BlockHits* hits) const noexcept {
  if (planes_ == nullptr) return table_->scan_blocks(queries.data(), queries.size(), codes, groups_, scales, biases, n, hits);
  const std::span<const kernels::BlockPlane> planes = planes_->planes();
  table_->scan_planes(queries.data(), queries.size(), codes, planes.data(), planes.size(), groups_, scales, biases, n, hits);
}

// What the squares of floats, and their scores, are zero of.
constexpr double kVanishes = 1e-37;

bool BlockArrays::keeps(std::size_t position, const Row& row, double bias_spare) const noexcept {
  const unsigned char* code = codes(position / kBlockRows) + position % kBlockRows * 4;
  const auto scale = static_cast<double>(scales_[position]);
  double error = 0;
  for (std::size_t g = 0; g < groups_; ++g, code += kBlockGroupBytes) {
    for (std::size_t i = 0; i < 4; ++i) {
      const double number = 4 * g + i < row.n ? static_cast<double>(row.head[4 * g + i]) : 0;
      const double wrong = number - scale * (static_cast<int>(code[i]) - 128);
      error += wrong * wrong;
    }
  }
  const double head_squared = squared_distance(row.head, nullptr, row.n);
  const double z = std::sqrt(row.squared);
  const double spare = 2 * row.rounding * z + 1e-5 * z + kVanishes;
  const BlockBound& most = bound(position / kBlockRows);
  const auto within = [spare](double actual, float allowed) { return actual <= static_cast<double>(allowed) + spare; };
  const double own_tail = static_cast<double>(tail(position));
  const double least_tail = std::max(0.0, row.squared - head_squared - 2 * row.rounding * row.squared);
  return within(std::sqrt(error), most.error) && within(std::sqrt(head_squared), most.head) &&
         within(own_tail, most.tail) && (!has_tails_ || std::sqrt(least_tail) <= own_tail + spare) &&
         within(z, most.norm) &&
         (biases_.empty() || std::isinf(bias_spare) ||
          std::fabs(static_cast<double>(biases_[position]) - row.bias) <= bias_spare + kVanishes);
}

void BlockArrays::copy_row(const BlockArrays& other, std::size_t from, std::size_t to) noexcept {
  const std::size_t offset_to = (to / kBlockRows * groups_ * kBlockRows + to % kBlockRows) * 4;
  const std::size_t offset_from = (from / kBlockRows * groups_ * kBlockRows + from % kBlockRows) * 4;
  for (std::size_t g = 0; g < groups_; ++g) {
    std::memcpy(codes_.data() + offset_to + g * kBlockGroupBytes, other.codes_.data() + offset_from + g * kBlockGroupBytes, 4);
  }
  scales_[to] = other.scales_[from];
  if (!biases_.empty()) biases_[to] = other.biases_[from];
  if (!tails_.empty()) tails_[to] = other.tails_[from];
  float* bound = bounds_.data() + to / kBlockRows * kBoundFloats;
  const float* reached = other.bounds_.data() + from / kBlockRows * kBoundFloats;
  for (std::size_t b = 0; b < kBoundFloats; ++b) bound[b] = std::max(bound[b], reached[b]);
  slots_[to] = other.slots_[from];
}

void BlockArrays::move_row(std::size_t from, std::size_t to) noexcept {
  copy_row(*this, from, to);
  set_slot(to, slots_[from]);
  if (slots_[to] < positions_.size()) positions_[slots_[to]] = static_cast<std::uint32_t>(to) + 1;
}

void BlockArrays::copy_blocks(const BlockArrays& other, std::size_t from, std::size_t to, std::size_t n) noexcept {
  const auto copy = [&](auto& array, const auto& source, std::size_t a_block) {
    if (!array.empty()) std::copy_n(source.data() + from * a_block, n * a_block, array.data() + to * a_block);
  };
  copy(codes_, other.codes_, groups_ * kBlockGroupBytes);
  copy(scales_, other.scales_, kBlockRows);
  copy(biases_, other.biases_, kBlockRows);
  copy(tails_, other.tails_, kBlockRows);
  copy(bounds_, other.bounds_, kBoundFloats);
  copy(slots_, other.slots_, kBlockRows);
  for (std::size_t block = to; block < to + n; ++block) changes_.add(block);
}

void BlockArrays::clear_slots(std::size_t block, std::size_t n) noexcept {
  for (std::size_t p = block * kBlockRows; p < (block + n) * kBlockRows; ++p) slots_[p] = kNoSlot;
  for (std::size_t b = block; b < block + n; ++b) changes_.add(b);
}

void BlockArrays::rename_slot(std::uint32_t from, std::uint32_t to) noexcept {
  if (from >= positions_.size() || to >= positions_.size() || positions_[from] == 0) return;
  const std::size_t position = positions_[from] - 1;
  positions_[to] = positions_[from];
  positions_[from] = 0;
  if (position < slots_.size()) set_slot(position, to);
}

std::size_t BlockArrays::packed_bytes() const noexcept {
  const bool biased = metric_ == RowMetric::kSquaredL2;
  return sizeof(std::uint32_t) + (1 + biased + has_tails_ + kBoundFloats) * sizeof(float) + groups_ * 4;
}

void BlockArrays::pack_row(std::size_t position, unsigned char* out) const noexcept {
  const auto put = [&out](const void* from, std::size_t bytes) {
    std::memcpy(out, from, bytes);
    out += bytes;
  };
  put(&slots_[position], sizeof(std::uint32_t));
  put(&scales_[position], sizeof(float));
  if (!biases_.empty()) put(&biases_[position], sizeof(float));
  if (!tails_.empty()) put(&tails_[position], sizeof(float));
  put(&bound(position / kBlockRows), sizeof(BlockBound));
  const unsigned char* code = codes(position / kBlockRows) + position % kBlockRows * 4;
  for (std::size_t g = 0; g < groups_; ++g) put(code + g * kBlockGroupBytes, 4);
}

void BlockArrays::unpack_row(const unsigned char* packed, std::size_t position) noexcept {
  const auto take = [&packed](void* to, std::size_t bytes) {
    std::memcpy(to, packed, bytes);
    packed += bytes;
  };
  take(&slots_[position], sizeof(std::uint32_t));
  take(&scales_[position], sizeof(float));
  if (!biases_.empty()) take(&biases_[position], sizeof(float));
  if (!tails_.empty()) take(&tails_[position], sizeof(float));
  float reached[kBoundFloats];
  take(reached, sizeof(reached));
  float* bound = bounds_.data() + position / kBlockRows * kBoundFloats;
  for (std::size_t b = 0; b < kBoundFloats; ++b) bound[b] = std::max(bound[b], reached[b]);
  unsigned char* code = codes_.data() + (position / kBlockRows * groups_ * kBlockRows + position % kBlockRows) * 4;
  for (std::size_t g = 0; g < groups_; ++g) take(code + g * kBlockGroupBytes, 4);
}

bool BlockArrays::adopt(Sections sections) noexcept {
  const std::size_t blocks = blocks_for(sections.slots.size());
  const std::size_t rows = blocks * kBlockRows;
  if (sections.codes.size() != blocks * groups_ * kBlockGroupBytes || sections.scales.size() != rows ||
      sections.biases.size() != (metric_ == RowMetric::kSquaredL2 ? rows : 0) ||
      sections.tails.size() != (has_tails_ ? rows : 0) || sections.bounds.size() != blocks * kBoundFloats) {
    return false;
  }
  changes_.restart();
  codes_ = std::move(sections.codes);
  scales_ = std::move(sections.scales);
  biases_ = std::move(sections.biases);
  tails_ = std::move(sections.tails);
  bounds_ = std::move(sections.bounds);
  slots_ = std::move(sections.slots);
  positions_ = std::move(sections.positions);
  return true;
}

std::size_t BlockArrays::array_memory() const noexcept {
  return codes_.memory_usage() + scales_.memory_usage() + biases_.memory_usage() + tails_.memory_usage() +
         bounds_.memory_usage() + slots_.memory_usage() + positions_.memory_usage();
}

}  // namespace segue
