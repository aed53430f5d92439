#include "codes/code_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "codes/code_row.hpp"
#include "items/check_input.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

using kernels::kBlockRows;

constexpr std::size_t kEncodedAtOnce = 64;

std::size_t places_for(std::span<const std::uint32_t> slots) {
  return slots.empty() ? 0 : 1 + static_cast<std::size_t>(*std::max_element(slots.begin(), slots.end()));
}

}  // namespace

// Rows in the making: what one worker needs, and what a row turned into.
struct CodeBlocks::Encoded {
  ProjectionMemory projecting;
  std::vector<float> rows;
  std::vector<float> heads;
};

CodeBlocks::CodeBlocks(const kernels::KernelTable& table, std::size_t dim, RowMetric metric)
    : BlockArrays(table, metric), dim_(dim), projection_(Projection::identity(table, dim)) {
  set_shape(dim, false);
}

void CodeBlocks::take_projection(Projection projection, double defect) {
  projection_ = std::move(projection);
  set_shape(projection_.head(), projection_.rotates());
  fixed_.defect = defect;
  fixed_.total_energy = projection_.total_energy();
  fixed_.centre_norm = projection_.centered()
                           ? round_up(std::sqrt(squared_distance(projection_.centre().data(), nullptr, dim_)) * (1 + 1e-6))
                           : 0.0f;
}

double CodeBlocks::projection_error() const noexcept { return segue::projection_error(projection_, fixed_.defect); }

// Codes the rows of `slots` into the positions from `first` on, which exist; nobody is told yet that they are there.
// Bounds of blocks only grow. The largest norm.
float CodeBlocks::encode(const VectorStore& rows, std::span<const std::uint32_t> slots, std::size_t first,
                        int threads) {
  const std::size_t head = projection_.head();
  const double rounding = projection_error();
  const float* centre = projection_.centered() ? projection_.centre().data() : nullptr;
  std::vector<float> norms(slots.size());
  // Pieces begin and end with blocks, so that no two workers write to one.
  const std::size_t before = first % kBlockRows;
  const std::size_t pieces = blocks_for(before + slots.size());
  std::vector<Encoded> workers(worker_count(pieces, threads, kEncodedAtOnce / kBlockRows));
  parallel_for(pieces, threads, kEncodedAtOnce / kBlockRows, [&](std::size_t begin, std::size_t end, std::size_t w) {
    Encoded& memory = workers[w];
    const std::size_t from = begin == 0 ? 0 : begin * kBlockRows - before;
    const std::size_t to = std::min(slots.size(), end * kBlockRows - before);
    const std::size_t n = to - from;
    memory.rows.resize(kEncodedAtOnce * dim_);
    memory.heads.resize(kEncodedAtOnce * head);
    for (std::size_t i = 0; i < n; ++i) rows.read(slots[from + i], memory.rows.data() + i * dim_);
    projection_.apply({memory.rows.data(), n, dim_}, memory.heads.data(), nullptr, memory.projecting);
    for (std::size_t i = 0; i < n; ++i) {
      const float* y = memory.heads.data() + i * head;
      const double squared = squared_distance(memory.rows.data() + i * dim_, centre, dim_);
      norms[from + i] = write(first + from + i, {y, head, squared, squared / 2, rounding});
    }
  });
  return norms.empty() ? 0 : *std::max_element(norms.begin(), norms.end());
}

void CodeBlocks::place(std::span<const std::uint32_t> slots, std::size_t first) noexcept {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    remove(slots[i]);
    set_slot(first + i, slots[i]);
    positions_[slots[i]] = static_cast<std::uint32_t>(first + i) + 1;
  }
  fixed_.size += slots.size();
}

void CodeBlocks::rebuild(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) {
  CodeBlocks fresh(*table_, dim_, metric_);
  if (!slots.empty()) fresh.choose_projection(rows, slots, threads);
  std::vector<std::pair<float, std::uint32_t>> order(slots.size());
  const float* centre = fresh.projection_.centered() ? fresh.projection_.centre().data() : nullptr;
  parallel_for(slots.size(), threads, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> row(dim_);
    for (std::size_t i = begin; i < end; ++i) {
      rows.read(slots[i], row.data());
      for (std::size_t j = 0; centre != nullptr && j < dim_; ++j) row[j] -= centre[j];
      order[i] = {-norm(row.data(), dim_), slots[i]};
    }
  });
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> sorted(slots.size());
  std::transform(order.begin(), order.end(), sorted.begin(), [](const auto& o) { return o.second; });
  fresh.positions_.resize(std::max(places_for(sorted), positions_.size()));
  fresh.resize_positions(sorted.size());
  fresh.fixed_.max_norm = fresh.encode(rows, sorted, 0, threads);
  fresh.place(sorted, 0);
  fresh.fixed_.sorted = sorted.size();
  *this = std::move(fresh);
}

void CodeBlocks::put(const VectorStore& rows, std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                     int threads) {
  if (to.empty()) return;
  const std::size_t first = slots_.size();
  const std::size_t places = std::max(places_for(to), positions_.size());
  positions_.reserve(places);
  try {
    resize_positions(first + to.size());
    const float longest = encode(rows, from, first, threads);
    positions_.resize(places);
    fixed_.max_norm = std::max(fixed_.max_norm, longest);
    place(to, first);
  } catch (...) {
    resize_positions(first);
    throw;
  }
}

void CodeBlocks::remove(std::uint32_t slot) noexcept {
  if (slot >= positions_.size() || positions_[slot] == 0) return;
  const std::size_t position = positions_[slot] - 1;
  positions_[slot] = 0;
  if (position < slots_.size()) set_slot(position, kNoSlot);
  if (fixed_.size > 0) --fixed_.size;
}

// Rows out of order are all scanned, and so are holes; a quarter of either is borne.
bool CodeBlocks::wants_rebuild() const noexcept {
  constexpr std::size_t kAlwaysBorne = 512;
  const std::size_t appended = slots_.size() - std::min<std::size_t>(slots_.size(), fixed_.sorted);
  const std::size_t holes = slots_.size() - std::min<std::size_t>(slots_.size(), fixed_.size);
  return appended > kAlwaysBorne + fixed_.sorted / 4 || holes > kAlwaysBorne + fixed_.size / 4;
}

std::size_t CodeBlocks::memory_usage() const noexcept { return projection_.memory_usage() + array_memory(); }

Status CodeBlocks::adopt(const Fixed& fixed, Projection projection, Sections sections) {
  set_shape(projection.head(), projection.rotates());
  const std::size_t positions = sections.slots.size();
  if (projection.dim() != dim_ || fixed.sorted > positions || fixed.size > positions ||
      !BlockArrays::adopt(std::move(sections))) {
    return corrupt_file("the sections of the codes do not fit each other");
  }
  fixed_ = fixed;
  projection_ = std::move(projection);
  return {};
}

Status CodeBlocks::validate(const VectorStore& rows, std::size_t held) const {
  const auto broken = [](std::uint32_t slot, const char* what) {
    return corrupt_file("codes: slot " + std::to_string(slot) + " " + what);
  };
  std::size_t found = 0;
  for (std::size_t position = 0; position < slots_.size(); ++position) {
    const std::uint32_t slot = slots_[position];
    if (slot == kNoSlot) continue;
    if (slot >= rows.size() || slot >= positions_.size() || positions_[slot] != position + 1) {
      return broken(slot, "is not where its place is said to be");
    }
    ++found;
  }
  std::size_t placed = 0;
  for (const std::uint32_t position : positions_) placed += position != 0;
  if (found != held || placed != held || fixed_.size != held) {
    return corrupt_file("codes: " + std::to_string(found) + " rows are coded, the index has " + std::to_string(held));
  }
  return validate_codes(rows);
}

Status CodeBlocks::validate_codes(const VectorStore& rows) const {
  constexpr std::size_t kPiece = 1024;
  std::vector<Status> found((slots_.size() + kPiece - 1) / kPiece);
  parallel_for(slots_.size(), 0, kPiece, [&](std::size_t begin, std::size_t end, std::size_t) {
    found[begin / kPiece] = validate_codes(rows, begin, end);
  });
  for (Status& status : found) {
    if (!status.ok()) return std::move(status);
  }
  return {};
}

Status CodeBlocks::validate_codes(const VectorStore& rows, std::size_t begin, std::size_t end) const {
  const float* centre = projection_.centered() ? projection_.centre().data() : nullptr;
  const double rounding = projection_error();
  ProjectionMemory memory;
  constexpr std::size_t kAhead = 8;
  std::vector<float> row(dim_), y(head());
  for (std::size_t position = begin; position < end; ++position) {
    // Rows lie as their ids came, not by falling norm.
    if (position + kAhead < end && slots_[position + kAhead] < rows.size()) {
      const unsigned char* next = rows.row(slots_[position + kAhead]);
      for (std::size_t offset = 0; offset < rows.stride(); offset += 64) __builtin_prefetch(next + offset);
    }
    const std::uint32_t slot = slots_[position];
    if (slot == kNoSlot) continue;
    rows.read(slot, row.data());
    projection_.apply(row.data(), y.data(), memory);
    const double squared = squared_distance(row.data(), centre, dim_);
    // Beyond that, biases overflow, and nothing is asked of codes (covers).
    const double bias_spare = fixed_.max_norm < 1e15f ? 1e-5 * squared : std::numeric_limits<double>::infinity();
    const double z = std::sqrt(squared);
    if (!keeps(position, {y.data(), y.size(), squared, squared / 2, rounding}, bias_spare) ||
        z > static_cast<double>(fixed_.max_norm) + 2 * rounding * z + 1e-5 * z + 1e-37) {  // where floats vanish
      return corrupt_file("codes: slot " + std::to_string(slot) +
                          " is further from its code than its block's bounds say");
    }
  }
  return {};
}

}  // namespace segue
