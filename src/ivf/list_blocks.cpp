#include "ivf/list_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "codes/code_row.hpp"
#include "codes/train_blocks.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr std::size_t kBoundFloats = 4;
static_assert(sizeof(BlockBound) == kBoundFloats * sizeof(float));

// Rows of all lists that a query looks at, as far as the choice of directions goes.
constexpr std::size_t kScanned = 2048;
// Squares of norms in this range, and their products with a rounding error of 2^-24, are normal floats.
constexpr double kLeastNorm = 1e-12;
constexpr double kLargestNorm = 1e15;

std::uint32_t blocks_for(std::size_t rows) {
  return static_cast<std::uint32_t>((rows + kBlockRows - 1) / kBlockRows);
}

double dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace

struct ListBlocks::Worker {
  ProjectionMemory projecting;
  std::vector<float> row;
  std::vector<float> head;
  std::vector<double> energies;
};

ListBlocks::ListBlocks(const kernels::KernelTable& table, std::size_t dim, RowMetric metric)
    : table_(&table),
      dim_(dim),
      metric_(metric),
      projection_(Projection::identity(table, dim)),
      centre_heads_(table, Storage::kF32, dim) {}

const unsigned char* ListBlocks::codes(std::size_t block) const noexcept {
  return codes_.data() + block * groups() * kBlockGroupBytes;
}

double ListBlocks::row_error() const noexcept { return projection_error(projection_, fixed_.defect) + 0x1p-23; }

float ListBlocks::spread(std::size_t list) const noexcept {
  const auto rows = static_cast<double>(runs_[list].rows);
  return rows == 0 ? 0.0f : static_cast<float>(std::sqrt(energies_[list] / rows));
}

void ListBlocks::start(const Centroids& centroids, MatrixView sample, std::span<const std::uint32_t> lists_of_sample,
                       int threads) {
  ListBlocks fresh(*table_, dim_, metric_);
  const std::size_t n = std::min(sample.rows(), Projection::kSample);
  std::vector<float> residuals(n * dim_), centre(dim_);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t from = i * sample.rows() / n;
    centroids.rows().read(lists_of_sample[from], centre.data());
    for (std::size_t j = 0; j < dim_; ++j) residuals[i * dim_ + j] = sample.row(from)[j] - centre[j];
  }
  Projection chosen = choose_projection(*table_, metric_, MatrixView(residuals, dim_), kScanned, false, threads);
  fresh.fixed_.defect = chosen.rotates() ? chosen.defect() : 0;
  if (metric_ == RowMetric::kSquaredL2) {
    Buffer<float> mean;
    mean.assign({centroids.mean(), dim_});
    chosen = Projection::adopt(*table_, dim_, chosen.basis(), std::move(mean), {}, 0);
  }
  fresh.projection_ = std::move(chosen);
  fresh.runs_.resize(centroids.size());
  fresh.energies_.resize(centroids.size());
  fresh.code_centres(centroids);
  fresh.positions_.resize(positions_.size());
  *this = std::move(fresh);
}

void ListBlocks::code_centres(const Centroids& centroids) {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  centre_heads_ = VectorStore(*table_, Storage::kF32, head());
  if (l2) centre_heads_.resize(centroids.size());
  ProjectionMemory memory;
  std::vector<float> centre(dim_), heads(4 * groups());
  double longest = 0;
  for (std::size_t l = 0; l < centroids.size(); ++l) {
    centroids.rows().read(l, centre.data());
    longest = std::max(longest, squared_distance(centre.data(), l2 ? centroids.mean() : nullptr, dim_));
    if (!l2) continue;
    projection_.apply(centre.data(), heads.data(), memory);
    centre_heads_.write(l, heads.data());
  }
  fixed_.longest_centre = round_up(std::sqrt(longest) * (1 + 1e-6));
}

void ListBlocks::resize_blocks(std::size_t blocks) {
  codes_.resize(blocks * groups() * kBlockGroupBytes);
  scales_.resize(blocks * kBlockRows);
  if (metric_ == RowMetric::kSquaredL2) biases_.resize(blocks * kBlockRows);
  if (projection_.rotates()) tails_.resize(blocks * kBlockRows);
  bounds_.resize(blocks * kBoundFloats);
  slots_.resize(blocks * kBlockRows, kNoSlot);
  owners_.resize(blocks);
}

void ListBlocks::move_blocks(std::size_t from, std::size_t to, std::size_t n) noexcept {
  const auto copy = [&](auto& array, std::size_t a_block) {
    if (!array.empty()) std::copy_n(array.data() + from * a_block, n * a_block, array.data() + to * a_block);
  };
  copy(codes_, groups() * kBlockGroupBytes);
  copy(scales_, kBlockRows);
  copy(biases_, kBlockRows);
  copy(tails_, kBlockRows);
  copy(bounds_, kBoundFloats);
  copy(slots_, kBlockRows);
  for (std::size_t p = to * kBlockRows; p < (to + n) * kBlockRows; ++p) {
    if (slots_[p] != kNoSlot) positions_[slots_[p]] = static_cast<std::uint32_t>(p) + 1;
  }
}

// Makes every list l hold wanted[l] rows. What is moved is whole at every step, so running out of memory harms nothing.
void ListBlocks::make_room(std::span<const std::uint32_t> wanted) {
  std::size_t needed = 0;
  std::size_t blocks = this->blocks();
  for (std::size_t l = 0; l < lists(); ++l) {
    needed += blocks_for(wanted[l]);
    if (blocks_for(wanted[l]) > runs_[l].blocks) blocks += blocks_for(wanted[l]);
  }
  const bool from_scratch = size_ == 0 || blocks > 2 * needed + 2 * lists();
  if (!from_scratch) {
    for (std::size_t l = 0; l < lists(); ++l) {
      if (blocks_for(wanted[l]) <= runs_[l].blocks) continue;
      const Run old = runs_[l];
      const std::size_t first = this->blocks();
      const std::uint32_t room = blocks_for(wanted[l] + wanted[l] / 2);
      resize_blocks(first + room);
      move_blocks(old.first, first, blocks_for(old.rows));
      std::fill_n(slots_.data() + old.first * kBlockRows, old.blocks * kBlockRows, kNoSlot);
      std::fill_n(owners_.data() + first, room, static_cast<std::uint32_t>(l));
      runs_[l] = {static_cast<std::uint32_t>(first), room, old.rows};
    }
    return;
  }
  // All of them anew, in order.
  ListBlocks fresh(*table_, dim_, metric_);
  fresh.projection_ = projection_;
  fresh.resize_blocks(needed);
  fresh.positions_ = positions_;
  fresh.runs_.resize(lists());
  std::size_t next = 0;
  for (std::size_t l = 0; l < lists(); ++l) {
    const std::size_t n = blocks_for(runs_[l].rows);
    const auto copy = [&](const auto& array, auto& to, std::size_t a_block) {
      if (!array.empty()) std::copy_n(array.data() + runs_[l].first * a_block, n * a_block, to.data() + next * a_block);
    };
    copy(codes_, fresh.codes_, groups() * kBlockGroupBytes);
    copy(scales_, fresh.scales_, kBlockRows);
    copy(biases_, fresh.biases_, kBlockRows);
    copy(tails_, fresh.tails_, kBlockRows);
    copy(bounds_, fresh.bounds_, kBoundFloats);
    for (std::size_t row = 0; row < runs_[l].rows; ++row) {
      const std::uint32_t slot = slots_[runs_[l].first * kBlockRows + row];
      const std::size_t p = next * kBlockRows + row;
      fresh.slots_[p] = slot;
      fresh.positions_[slot] = static_cast<std::uint32_t>(p) + 1;
    }
    std::fill_n(fresh.owners_.data() + next, blocks_for(wanted[l]), static_cast<std::uint32_t>(l));
    fresh.runs_[l] = {static_cast<std::uint32_t>(next), blocks_for(wanted[l]), runs_[l].rows};
    next += blocks_for(wanted[l]);
  }
  codes_.swap(fresh.codes_);
  scales_.swap(fresh.scales_);
  biases_.swap(fresh.biases_);
  tails_.swap(fresh.tails_);
  bounds_.swap(fresh.bounds_);
  slots_.swap(fresh.slots_);
  positions_.swap(fresh.positions_);
  runs_.swap(fresh.runs_);
  owners_.swap(fresh.owners_);
}

// Codes a row into a position that exists; nobody is told yet that it is there. Bounds of blocks only grow.
void ListBlocks::code(const Centroids& centroids, const VectorStore& rows, std::uint32_t from, std::size_t list,
                      std::size_t position, Worker& memory) {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  const double rounding = row_error();
  const std::size_t block = position / kBlockRows;
  memory.row.resize(dim_);
  memory.head.resize(4 * groups());
  float* r = memory.row.data();
  float* y = memory.head.data();
  rows.read(from, r);
  const double x_squared = squared_distance(r, l2 ? projection_.centre().data() : nullptr, dim_);
  const auto* centre = reinterpret_cast<const float*>(centroids.rows().row(list));
  for (std::size_t j = 0; j < dim_; ++j) r[j] -= centre[j];
  projection_.apply_direction(r, y, memory.projecting);
  const CodedRow coded =
      code_row(y, head(), codes_.data() + (block * groups() * kBlockRows + position % kBlockRows) * 4);
  const double squared = squared_distance(r, nullptr, dim_);
  const double head_squared = squared_distance(y, nullptr, head());
  const double z = std::sqrt(squared);
  const double tail = std::sqrt(std::max(0.0, squared - head_squared) + 2 * (rounding + 1e-6) * squared);
  scales_[position] = coded.scale;
  if (l2) {
    const auto* centre_head = reinterpret_cast<const float*>(centre_heads_.row(list));
    biases_[position] = static_cast<float>(squared / 2 + dot(centre_head, y, head()));
  }
  const float reached[kBoundFloats] = {round_up(coded.error * (1 + 1e-9) + rounding * z),
                                       round_up(std::sqrt(head_squared) * (1 + 1e-9)),
                                       projection_.rotates() ? round_up(tail) : 0.0f, round_up(z * (1 + 1e-6 + rounding))};
  if (!tails_.empty()) tails_[position] = reached[2];
  float* bound = bound_floats(block);
  for (std::size_t b = 0; b < kBoundFloats; ++b) bound[b] = std::max(bound[b], reached[b]);
  memory.energies.push_back(squared);
  memory.energies.push_back(std::sqrt(x_squared));
}

void ListBlocks::put(const Centroids& centroids, const VectorStore& rows, std::span<const std::uint32_t> from,
                     std::span<const std::uint32_t> to, std::span<const std::uint32_t> lists, int threads) {
  if (to.empty()) return;
  const std::size_t places = std::max<std::size_t>(positions_.size(), 1 + *std::max_element(to.begin(), to.end()));
  std::vector<std::uint32_t> wanted(this->lists());
  for (std::size_t l = 0; l < wanted.size(); ++l) wanted[l] = runs_[l].rows;
  std::vector<std::uint32_t> offsets(this->lists() + 1);
  for (const std::uint32_t l : lists) {
    ++wanted[l];
    ++offsets[l + 1];
  }
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::uint32_t> by_list(to.size());
  std::vector<std::uint32_t> next(offsets.begin(), offsets.end() - 1);
  for (std::size_t i = 0; i < lists.size(); ++i) by_list[next[lists[i]]++] = static_cast<std::uint32_t>(i);
  std::vector<double> energies(2 * to.size());
  std::vector<std::size_t> orphans;
  orphans.reserve(to.size());
  positions_.resize(places);
  make_room(wanted);
  std::vector<Worker> workers(worker_count(this->lists(), threads, 1));
  for (Worker& worker : workers) {
    worker.row.resize(dim_);
    worker.head.resize(4 * groups());
  }
  // A list at a time, so that no two workers write to one block.
  parallel_for(this->lists(), threads, 1, [&](std::size_t begin, std::size_t end, std::size_t w) {
    for (std::size_t l = begin; l < end; ++l) {
      workers[w].energies.clear();
      for (std::size_t i = offsets[l]; i < offsets[l + 1]; ++i) {
        const std::size_t position = runs_[l].first * kBlockRows + runs_[l].rows + (i - offsets[l]);
        code(centroids, rows, from[by_list[i]], l, position, workers[w]);
      }
      std::copy(workers[w].energies.begin(), workers[w].energies.end(), energies.begin() + 2 * offsets[l]);
    }
  });
  for (std::size_t l = 0; l < this->lists(); ++l) {
    for (std::size_t i = offsets[l]; i < offsets[l + 1]; ++i) {
      const std::size_t position = runs_[l].first * kBlockRows + runs_[l].rows++;
      const std::uint32_t slot = to[by_list[i]];
      if (positions_[slot] != 0) orphans.push_back(positions_[slot] - 1);
      slots_[position] = slot;
      positions_[slot] = static_cast<std::uint32_t>(position) + 1;
      energies_[l] += energies[2 * i];
      fixed_.longest = std::max(fixed_.longest, round_up(energies[2 * i + 1] * (1 + 1e-6)));
    }
  }
  size_ += to.size();
  // The last ones first, so that what fills a hole is none itself.
  std::sort(orphans.begin(), orphans.end(), std::greater<>());
  for (const std::size_t position : orphans) remove_at(position);
}

void ListBlocks::move_row(std::size_t from, std::size_t to) noexcept {
  const auto code_at = [&](std::size_t p) {
    return codes_.data() + (p / kBlockRows * groups() * kBlockRows + p % kBlockRows) * 4;
  };
  for (std::size_t g = 0; g < groups(); ++g) {
    std::memcpy(code_at(to) + g * kBlockGroupBytes, code_at(from) + g * kBlockGroupBytes, 4);
  }
  scales_[to] = scales_[from];
  if (!biases_.empty()) biases_[to] = biases_[from];
  if (!tails_.empty()) tails_[to] = tails_[from];
  float* bound = bound_floats(to / kBlockRows);
  const float* other = bound_floats(from / kBlockRows);
  for (std::size_t b = 0; b < kBoundFloats; ++b) bound[b] = std::max(bound[b], other[b]);
  slots_[to] = slots_[from];
  positions_[slots_[to]] = static_cast<std::uint32_t>(to) + 1;
}

void ListBlocks::remove(std::uint32_t slot) noexcept {
  if (slot >= positions_.size() || positions_[slot] == 0) return;
  const std::size_t position = positions_[slot] - 1;
  positions_[slot] = 0;
  if (position < slots_.size()) remove_at(position);
}

void ListBlocks::remove_at(std::size_t position) noexcept {
  const std::uint32_t list = owners_[position / kBlockRows];
  Run& run = runs_[list];
  if (run.rows == 0) return;  // only in a damaged file
  const std::size_t last = run.first * kBlockRows + run.rows - 1;
  energies_[list] *= static_cast<double>(run.rows - 1) / run.rows;
  if (last != position) move_row(last, position);
  slots_[last] = kNoSlot;
  --run.rows;
  --size_;
}

void ListBlocks::rename(std::uint32_t from, std::uint32_t to) noexcept {
  if (from >= positions_.size() || to >= positions_.size() || positions_[from] == 0) return;
  slots_[positions_[from] - 1] = to;
  positions_[to] = positions_[from];
  positions_[from] = 0;
}

bool ListBlocks::covers(const float* query) const noexcept {
  const double longest = std::max(fixed_.longest, fixed_.longest_centre);
  const double norm = std::sqrt(squared_distance(query, nullptr, dim_));
  const double mean = projection_.centered() ? std::sqrt(squared_distance(projection_.centre().data(), nullptr, dim_)) : 0;
  if (!(longest + mean <= kLargestNorm) || !(norm <= kLargestNorm)) return false;
  if (metric_ == RowMetric::kSquaredL2) return norm + longest >= kLeastNorm;
  return longest >= kLeastNorm && (norm == 0 || norm >= kLeastNorm);
}

void ListBlocks::prepare(const float* query, CodedQuery& out) const {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  // A row less its centre is up to twice as long as either.
  const float longest = 2 * std::max(fixed_.longest, fixed_.longest_centre);
  code_query(*table_, projection_, metric_, {longest, 0, row_error()}, query, out);
  out.offset = 0;
  if (l2) {
    const double wrong = row_error() * static_cast<double>(fixed_.longest_centre) * static_cast<double>(longest);
    out.slack = round_up(static_cast<double>(out.slack) + wrong / out.scale);
  }
}

std::size_t ListBlocks::memory_usage() const noexcept {
  return projection_.memory_usage() + centre_heads_.memory_usage() + runs_.memory_usage() + energies_.memory_usage() +
         codes_.memory_usage() + scales_.memory_usage() + biases_.memory_usage() + tails_.memory_usage() +
         bounds_.memory_usage() + slots_.memory_usage() + positions_.memory_usage() + owners_.memory_usage();
}

Status ListBlocks::adopt(const Fixed& fixed, Projection projection, const Centroids& centroids, Arrays arrays) {
  const std::size_t blocks = arrays.slots.size() / kBlockRows;
  const std::size_t groups = (projection.head() + 3) / 4;
  const std::size_t rows = blocks * kBlockRows;
  if (projection.dim() != dim_ || arrays.slots.size() != rows || arrays.runs.size() != centroids.size() ||
      arrays.energies.size() != centroids.size() || arrays.codes.size() != blocks * groups * kBlockGroupBytes ||
      arrays.scales.size() != rows || arrays.biases.size() != (metric_ == RowMetric::kSquaredL2 ? rows : 0) ||
      arrays.tails.size() != (projection.rotates() ? rows : 0) || arrays.bounds.size() != blocks * kBoundFloats) {
    return corrupt_file("the sections of the lists do not fit each other");
  }
  Buffer<std::uint32_t> owners(blocks);
  std::size_t size = 0;
  for (std::size_t l = 0; l < arrays.runs.size(); ++l) {
    const Run& run = arrays.runs[l];
    if (run.first > blocks || run.blocks > blocks - run.first || run.rows > std::size_t{run.blocks} * kBlockRows) {
      return corrupt_file("list " + std::to_string(l) + " lies outside of the blocks");
    }
    if (!(arrays.energies[l] >= 0 && arrays.energies[l] <= 1e300)) {
      return corrupt_file("list " + std::to_string(l) + " has an impossible spread");
    }
    std::fill_n(owners.data() + run.first, run.blocks, static_cast<std::uint32_t>(l));
    size += run.rows;
  }
  fixed_ = fixed;
  projection_ = std::move(projection);
  code_centres(centroids);
  size_ = size;
  runs_ = std::move(arrays.runs);
  energies_ = std::move(arrays.energies);
  codes_ = std::move(arrays.codes);
  scales_ = std::move(arrays.scales);
  biases_ = std::move(arrays.biases);
  tails_ = std::move(arrays.tails);
  bounds_ = std::move(arrays.bounds);
  slots_ = std::move(arrays.slots);
  positions_ = std::move(arrays.positions);
  owners_ = std::move(owners);
  return {};
}

Status ListBlocks::validate(const Centroids& centroids, const VectorStore& rows, std::size_t held) const {
  std::vector<bool> taken(blocks());
  std::size_t found = 0;
  for (std::size_t l = 0; l < lists(); ++l) {
    const Run& run = runs_[l];
    for (std::size_t b = run.first; b < run.first + run.blocks; ++b) {
      if (taken[b]) return corrupt_file("lists: block " + std::to_string(b) + " belongs to two lists");
      taken[b] = true;
    }
    for (std::size_t row = 0; row < run.blocks * kBlockRows; ++row) {
      const std::size_t position = run.first * kBlockRows + row;
      const std::uint32_t slot = slots_[position];
      if (row >= run.rows) {
        if (slot == kNoSlot) continue;
        return corrupt_file("lists: slot " + std::to_string(slot) + " lies behind the end of list " + std::to_string(l));
      }
      if (slot >= rows.size() || slot >= positions_.size() || positions_[slot] != position + 1) {
        return corrupt_file("lists: slot " + std::to_string(slot) + " is not where its place is said to be");
      }
    }
    found += run.rows;
  }
  const auto placed = static_cast<std::size_t>(
      std::count_if(positions_.begin(), positions_.end(), [](std::uint32_t p) { return p != 0; }));
  if (found != held || placed != held) {
    return corrupt_file("lists: " + std::to_string(found) + " rows are in lists, the index has " + std::to_string(held));
  }
  std::vector<Status> outcome(lists());
  parallel_for(lists(), 0, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t l = begin; l < end; ++l) outcome[l] = validate_codes(centroids, rows, l);
  });
  for (Status& status : outcome) {
    if (!status.ok()) return std::move(status);
  }
  return {};
}

// As CodeBlocks::validate_codes: a file may come from an instruction set that sums in another order, so what is asked is
// that the bounds hold, up to twice what projecting may be off by.
Status ListBlocks::validate_codes(const Centroids& centroids, const VectorStore& rows, std::size_t list) const {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  const double rounding = row_error();
  const auto* centre = reinterpret_cast<const float*>(centroids.rows().row(list));
  ProjectionMemory memory;
  std::vector<float> r(dim_), y(4 * groups());
  for (std::size_t i = 0; i < runs_[list].rows; ++i) {
    const std::size_t position = runs_[list].first * kBlockRows + i;
    rows.read(slots_[position], r.data());
    const double x = std::sqrt(squared_distance(r.data(), l2 ? projection_.centre().data() : nullptr, dim_));
    for (std::size_t j = 0; j < dim_; ++j) r[j] -= centre[j];
    projection_.apply_direction(r.data(), y.data(), memory);
    const unsigned char* code = codes(position / kBlockRows) + position % kBlockRows * 4;
    const auto scale = static_cast<double>(scales_[position]);
    double error = 0;
    for (std::size_t j = 0; j < head(); ++j) {
      const int stored = static_cast<int>(code[j / 4 * kBlockGroupBytes + j % 4]) - 128;
      const double wrong = static_cast<double>(y[j]) - scale * stored;
      error += wrong * wrong;
    }
    const double squared = squared_distance(r.data(), nullptr, dim_);
    const double head_squared = squared_distance(y.data(), nullptr, head());
    const double z = std::sqrt(squared);
    const double spare = 2 * rounding * z + 1e-5 * z;
    const BlockBound& most = bound(position / kBlockRows);
    const auto within = [spare](double actual, float allowed) {
      return actual <= static_cast<double>(allowed) + spare;
    };
    const double own_tail = static_cast<double>(tail(position));
    const double least_tail = std::sqrt(std::max(0.0, squared - head_squared - 2 * rounding * squared));
    bool kept = within(std::sqrt(error), most.error) && within(std::sqrt(head_squared), most.head) &&
                within(z, most.norm) && within(own_tail, most.tail) && within(x - 1e-5 * x, fixed_.longest) &&
                (!projection_.rotates() || least_tail <= own_tail + spare);
    if (kept && l2 && fixed_.longest < 1e15f) {
      const double bias = squared / 2 + dot(reinterpret_cast<const float*>(centre_heads_.row(list)), y.data(), head());
      const double longest = static_cast<double>(std::max(fixed_.longest, fixed_.longest_centre));
      kept = std::fabs(static_cast<double>(biases_[position]) - bias) <=
             1e-5 * (squared + std::fabs(bias)) + 2 * rounding * longest * z;
    }
    if (!kept) {
      return corrupt_file("lists: slot " + std::to_string(slots_[position]) +
                          " is further from its code than its block's bounds say");
    }
  }
  return {};
}

}  // namespace segue
