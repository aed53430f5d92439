#include "codes/code_blocks.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <new>
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
    : BlockArrays(table, metric), dim_(dim), projection_(std::make_shared<const Projection>(Projection::identity(table, dim))) {
  set_shape(dim, false);
}

void CodeBlocks::take_projection(std::shared_ptr<const Projection> projection, double defect) {
  projection_ = std::move(projection);
  set_shape(projection_->head(), projection_->rotates());
  fixed_.defect = defect;
  fixed_.total_energy = projection_->total_energy();
  fixed_.centre_norm = projection_->centered()
                           ? round_up(std::sqrt(squared_distance(projection_->centre().data(), nullptr, dim_)) * (1 + 1e-6))
                           : 0.0f;
}

void CodeBlocks::take_shape_of(const CodeBlocks& other) {
  projection_ = other.projection_;
  set_shape_of(other);
  set_places_of(other);
  fixed_ = other.fixed_;
  fixed_.size = fixed_.sorted = 0;
}

double CodeBlocks::projection_error() const noexcept { return segue::projection_error(*projection_, fixed_.defect); }

// Codes the rows of `slots` into the positions from `first` on, which exist; nobody is told yet that they are there.
// Bounds of blocks only grow. The largest norm.
float CodeBlocks::encode(const VectorStore& rows, std::span<const std::uint32_t> slots, std::size_t first,
                        int threads) {
  const std::size_t head = projection_->head();
  const double rounding = projection_error();
  const float* centre = projection_->centered() ? projection_->centre().data() : nullptr;
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
    projection_->apply({memory.rows.data(), n, dim_}, memory.heads.data(), nullptr, memory.projecting);
    for (std::size_t i = 0; i < n; ++i) {
      const float* y = memory.heads.data() + i * head;
      const double squared = squared_distance(memory.rows.data() + i * dim_, centre, dim_);
      norms[from + i] = write(first + from + i, {y, head, squared, squared / 2, rounding});
    }
  });
  return norms.empty() ? 0 : *std::max_element(norms.begin(), norms.end());
}

void CodeBlocks::place(std::uint32_t slot, std::size_t position) noexcept {
  remove(slot);
  set_slot(position, slot);
  positions_[slot] = static_cast<std::uint32_t>(position) + 1;
  ++fixed_.size;
}

// As the projection counts lengths.
std::vector<std::uint32_t> CodeBlocks::by_falling_norm(const VectorStore& rows, std::span<const std::uint32_t> slots,
                                                       int threads) const {
  std::vector<std::pair<float, std::uint32_t>> order(slots.size());
  const float* centre = projection_->centered() ? projection_->centre().data() : nullptr;
  parallel_for(slots.size(), threads, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> row(dim_);
    for (std::size_t i = begin; i < end; ++i) {
      rows.read(slots[i], row.data());
      for (std::size_t j = 0; centre != nullptr && j < dim_; ++j) row[j] -= centre[j];
      // What is no number, in a damaged file, has no place among numbers.
      const float length = norm(row.data(), dim_);
      order[i] = {length >= 0 ? -length : 0.0f, slots[i]};
    }
  });
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> sorted(slots.size());
  std::transform(order.begin(), order.end(), sorted.begin(), [](const auto& o) { return o.second; });
  return sorted;
}

CodeBlocks CodeBlocks::laid_out(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) const {
  CodeBlocks fresh(*table_, dim_, metric_);
  if (!slots.empty()) fresh.choose_projection(rows, slots, threads);
  const std::vector<std::uint32_t> sorted = fresh.by_falling_norm(rows, slots, threads);
  fresh.positions_.resize(std::max(places_for(sorted), positions_.size()));
  fresh.resize_positions(sorted.size());
  fresh.fixed_.max_norm = fresh.encode(rows, sorted, 0, threads);
  for (std::size_t i = 0; i < sorted.size(); ++i) fresh.place(sorted[i], i);
  fresh.fixed_.sorted = sorted.size();
  return fresh;
}

void CodeBlocks::project(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads,
                        Projected& out) const {
  const std::size_t head = projection_->head();
  const float* centre = projection_->centered() ? projection_->centre().data() : nullptr;
  out.heads.resize(slots.size() * head);
  out.squared.resize(slots.size());
  parallel_for(slots.size(), threads, kEncodedAtOnce, [&](std::size_t begin, std::size_t end, std::size_t) {
    ProjectionMemory memory;
    std::vector<float> read((end - begin) * dim_);
    for (std::size_t i = begin; i < end; ++i) {
      float* x = read.data() + (i - begin) * dim_;
      rows.read(slots[i], x);
      out.squared[i] = squared_distance(x, centre, dim_);
    }
    projection_->apply({read.data(), end - begin, dim_}, out.heads.data() + begin * head, nullptr, memory);
  });
}

void CodeBlocks::stage(const VectorStore& rows, std::span<const std::uint32_t> slots, std::span<std::uint32_t> positions,
                       int threads, const Publisher& publish, const std::function<void()>& grown) {
  reserve_positions(slots_.size() + slots.size(), publish);
  holes_.reserve((slots_.size() + slots.size() + 63) / 64, publish);
  stage_in(Hole::kAnywhere, rows, slots, positions, threads, publish, grown);
}

// Among sorted rows alone: the position is kNoSlot where there is no hole.
void CodeBlocks::stage_in(Hole where, const VectorStore& rows, std::span<const std::uint32_t> slots,
                          std::span<std::uint32_t> positions, int threads, const Publisher& publish,
                          const std::function<void()>& grown) {
  constexpr std::size_t kProjectedAtOnce = 1024;
  constexpr std::size_t kPiece = 16;  // a third of a microsecond each
  const double rounding = projection_error();
  Projected projected;
  for (std::size_t first = 0; first < slots.size(); first += kProjectedAtOnce) {
    const std::size_t n = std::min(kProjectedAtOnce, slots.size() - first);
    project(rows, slots.subspan(first, n), threads, projected);
    publish.in_pieces(n, kPiece, [&](std::size_t begin, std::size_t end) {
      const std::size_t before = slots_.size();
      for (std::size_t i = begin; i < end; ++i) {
        const double squared = projected.squared[i];
        std::size_t position = choose_hole(std::sqrt(squared) * (1 + 4e-6 + 2 * rounding), where);
        if (position == kNowhere && where == Hole::kAmongSorted) {
          positions[first + i] = kNoSlot;
          continue;
        }
        if (position == kNowhere) {
          position = slots_.size();
          resize_positions(position + 1);
        }
        const Row row{projected.heads.data() + i * projection_->head(), projection_->head(), squared, squared / 2, rounding};
        fixed_.max_norm = std::max(fixed_.max_norm, write(position, row));
        positions[first + i] = static_cast<std::uint32_t>(position);
      }
      if (slots_.size() != before && grown) grown();
    });
  }
}

// The last hole before rows get shorter than that, so that rows go on falling; else one behind the sorted rows.
std::size_t CodeBlocks::choose_hole(double length, Hole where) noexcept {
  constexpr std::size_t kWords = 64;
  const auto take = [this](std::size_t word, std::uint64_t bits) {
    const auto bit = static_cast<std::size_t>(std::bit_width(bits) - 1);
    holes_[word] &= ~(std::uint64_t{1} << bit);
    ++refilled_;
    return word * 64 + bit;
  };
  std::size_t low = 0;
  for (std::size_t high = sorted_blocks(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    if (static_cast<double>(bound(middle).norm) >= length) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const std::size_t end = low * kBlockRows;
  for (std::size_t word = (end + 63) / 64, seen = 0; word-- > 0 && seen < kWords; ++seen) {
    if (word >= holes_.size()) continue;
    const std::size_t left = end - word * 64;
    const std::uint64_t bits = left >= 64 ? holes_[word] : holes_[word] & ((std::uint64_t{1} << left) - 1);
    if (bits != 0) return take(word, bits);
  }
  if (where == Hole::kAmongSorted) return kNowhere;
  const std::size_t behind = sorted_blocks() * kBlockRows;
  for (std::size_t word = behind / 64; word < holes_.size(); ++word) {
    const std::uint64_t bits = word * 64 >= behind ? holes_[word] : holes_[word] & ~((std::uint64_t{1} << (behind - word * 64)) - 1);
    if (bits != 0) return take(word, bits);
  }
  return kNowhere;
}

bool CodeBlocks::wants_tidying() const noexcept {
  constexpr std::size_t kBorne = 32;
  const std::size_t holes = slots_.size() - std::min<std::size_t>(slots_.size(), fixed_.size);
  return behind() > kBorne + fixed_.sorted / 128 + left_behind_ && 2 * holes >= behind();
}

void CodeBlocks::tidy(const VectorStore& rows, int threads, const Publisher& publish, const std::function<void()>& fewer) {
  constexpr std::size_t kPiece = 32;
  std::vector<std::uint32_t> slots;
  for (std::size_t position = fixed_.sorted; position < slots_.size(); ++position) {
    if (slots_[position] != kNoSlot) slots.push_back(slots_[position]);
  }
  std::vector<std::uint32_t> to(slots.size());
  stage_in(Hole::kAmongSorted, rows, slots, to, threads, publish, {});
  publish.in_pieces(slots.size(), kPiece, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (to[i] != kNoSlot) place(slots[i], to[i]);
    }
  });
  std::size_t used = slots_.size();
  while (used > fixed_.sorted && slots_[used - 1] == kNoSlot) --used;
  for (std::size_t position = used; position < slots_.size(); ++position) {
    if (position / 64 < holes_.size()) holes_[position / 64] &= ~(std::uint64_t{1} << position % 64);
  }
  publish([&] {
    resize_positions(used);
    if (fewer) fewer();
  });
  left_behind_ = behind();
}

// Short of memory a hole stays one.
void CodeBlocks::mark_hole(std::size_t position) {
  if (position / 64 >= holes_.size()) holes_.resize(position / 64 + 1);
  holes_[position / 64] |= std::uint64_t{1} << position % 64;
}

void CodeBlocks::remove(std::uint32_t slot) noexcept {
  if (slot >= positions_.size() || positions_[slot] == 0) return;
  const std::size_t position = positions_[slot] - 1;
  positions_[slot] = 0;
  if (position < slots_.size()) {
    set_slot(position, kNoSlot);
    try {
      mark_hole(position);
    } catch (const std::bad_alloc&) {
    }
  }
  if (fixed_.size > 0) --fixed_.size;
}

// Rows out of order are all scanned, and so are holes. A forty-eighth of the former is borne, a quarter of the latter; and
// bounds of blocks, which only grow, until a quarter of all rows are others. (A sixteenth of the former: track factors that
// turn over one by one or a hundred at a time cost searches 1.28 times what fresh ones do, now 1.04 to 1.08, at the same
// rate of changes.)
bool CodeBlocks::wants_rebuild() const noexcept {
  constexpr std::size_t kAlwaysBorne = 64;
  const std::size_t appended = behind();
  const std::size_t holes = slots_.size() - std::min<std::size_t>(slots_.size(), fixed_.size);
  return appended > kAlwaysBorne + fixed_.sorted / 48 || holes > kAlwaysBorne + fixed_.size / 4 ||
         refilled_ > kAlwaysBorne + fixed_.size / 4;
}

std::size_t CodeBlocks::memory_usage() const noexcept { return projection_->memory_usage() + array_memory() + holes_.memory_usage(); }

Status CodeBlocks::adopt(const Fixed& fixed, Projection projection, Sections sections) {
  set_shape(projection.head(), projection.rotates());
  const std::size_t positions = sections.slots.size();
  if (projection.dim() != dim_ || fixed.sorted > positions || fixed.size > positions ||
      !BlockArrays::adopt(std::move(sections))) {
    return corrupt_file("the sections of the codes do not fit each other");
  }
  fixed_ = fixed;
  projection_ = std::make_shared<const Projection>(std::move(projection));
  holes_.clear();
  refilled_ = 0;
  for (std::size_t position = 0; position < slots_.size(); ++position) {
    if (slots_[position] == kNoSlot) mark_hole(position);
  }
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
  const float* centre = projection_->centered() ? projection_->centre().data() : nullptr;
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
    projection_->apply(row.data(), y.data(), memory);
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
