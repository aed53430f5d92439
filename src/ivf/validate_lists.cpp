// What a file says of inverted lists: taken where its sizes fit, and checked row by row.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "ivf/list_blocks.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {

using kernels::kBlockRows;

Status ListBlocks::adopt(const Fixed& fixed, Projection projection, const Centroids& centroids,
                         ListSections sections) {
  const std::size_t positions = sections.codes.slots.size();
  const std::size_t blocks = blocks_for(positions);
  const Buffer<Run>& runs = sections.runs;
  if (projection.dim() != dim_ || positions % kBlockRows != 0 || runs.size() != centroids.size() ||
      sections.energies.size() != centroids.size() ||
      (!sections.eighth_powers.empty() && sections.eighth_powers.size() != centroids.size())) {
    return corrupt_file("the sections of the lists do not fit each other");
  }
  Buffer<std::uint32_t> owners(blocks);
  std::size_t size = 0;
  for (std::size_t l = 0; l < runs.size(); ++l) {
    const Run& run = runs[l];
    if (run.first > blocks || run.blocks > blocks - run.first || run.rows > std::size_t{run.blocks} * kBlockRows) {
      return corrupt_file("list " + std::to_string(l) + " lies outside of the blocks");
    }
    const bool known = !sections.eighth_powers.empty();
    const double energy = sections.energies[l], eighth = known ? sections.eighth_powers[l] : 0;
    if (!(energy >= 0 && energy <= 1e300 && eighth >= 0 && eighth <= 1e305)) {
      return corrupt_file("list " + std::to_string(l) + " has an impossible spread");
    }
    std::fill_n(owners.data() + run.first, run.blocks, static_cast<std::uint32_t>(l));
    size += run.rows;
  }
  std::shared_ptr<const CodePlanes> planes;
  if (bits_ != 0) {
    const std::span<const unsigned char> bits = sections.bits.span();
    const bool known = bits.size() == projection.head() && sections.steps.size() == bits.size() && !bits.empty() &&
                       std::is_sorted(bits.begin(), bits.end(), std::greater<>()) && bits.back() >= 1 &&
                       bits.front() <= CodePlanes::kMostBits &&
                       std::all_of(sections.steps.begin(), sections.steps.end(),
                                   [](float step) { return step >= 1e-15f && step <= 1e15f; });
    if (!known) return corrupt_file("the bits of the codes, or their steps, are none");
    planes = std::make_shared<const CodePlanes>(std::vector<unsigned char>(bits.begin(), bits.end()),
                                                std::vector<float>(sections.steps.begin(), sections.steps.end()));
  }
  take_projection(std::move(projection), std::move(planes));
  if (!BlockArrays::adopt(std::move(sections.codes))) {
    return corrupt_file("the sections of the codes do not fit each other");
  }
  fixed_ = fixed;
  code_centres(centroids);
  size_ = size;
  runs_ = std::move(sections.runs);
  energies_ = std::move(sections.energies);
  eighth_powers_ = std::move(sections.eighth_powers);
  if (eighth_powers_.empty()) {
    eighth_powers_.resize(runs_.size());
    for (std::size_t l = 0; l < runs_.size(); ++l) {
      const double rows = std::max(1.0, static_cast<double>(runs_[l].rows)), mean = std::min(1e70, energies_[l] / rows);
      eighth_powers_[l] = rows * mean * mean * mean * mean;
    }
  }
  owners_ = std::move(owners);
  return {};
}

Status ListBlocks::validate(const Centroids& centroids, const VectorStore* rows, std::size_t held) const {
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
      if (slot >= held || slot >= positions_.size() || positions_[slot] != position + 1) {
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
    for (std::size_t l = begin; l < end; ++l) {
      outcome[l] = rows != nullptr ? validate_codes(centroids, *rows, l) : validate_numbers(l);
    }
  });
  for (Status& status : outcome) {
    if (!status.ok()) return std::move(status);
  }
  return {};
}

// Without rows there is nothing to compare with.
Status ListBlocks::validate_numbers(std::size_t list) const {
  const auto is_length = [](float x) { return x >= 0 && x <= std::numeric_limits<float>::max(); };
  for (std::size_t i = 0; i < runs_[list].rows; ++i) {
    const std::size_t position = runs_[list].first * kBlockRows + i;
    const BlockBound& most = bound(position / kBlockRows);
    if (!is_length(scales_[position]) || !is_length(tail(position)) || !is_length(most.error) ||
        !is_length(most.head) || !is_length(most.tail) || !is_length(most.norm) || tail(position) > most.tail ||
        (!biases_.empty() && !std::isfinite(biases_[position]) && fixed_.longest < 1e15f)) {
      return corrupt_file("lists: slot " + std::to_string(slots_[position]) + " has a code that is none");
    }
  }
  return {};
}

Status ListBlocks::validate_codes(const Centroids& centroids, const VectorStore& rows, std::size_t list) const {
  const double longest = static_cast<double>(std::max(fixed_.longest, fixed_.longest_centre));
  Worker memory = make_worker();
  const std::size_t first = runs_[list].first * kBlockRows;
  for (std::size_t begin = 0; begin < runs_[list].rows; begin += kAtOnce) {
    const std::size_t n = std::min<std::size_t>(kAtOnce, runs_[list].rows - begin);
    const std::span<const std::uint32_t> slots = slots_.span().subspan(first + begin, n);
    memory.lists.assign(n, static_cast<std::uint32_t>(list));
    take_residuals(centroids, rows, slots, memory.lists, memory);
    for (std::size_t i = 0; i < n; ++i) {
      const Residual& residual = memory.out[i];
      const Row& row = residual.row;
      const double spare = fixed_.longest < 1e15f ? 1e-5 * (row.squared + std::fabs(row.bias)) +
                                                        2 * row.rounding * longest * std::sqrt(row.squared)
                                                  : std::numeric_limits<double>::infinity();
      const double length = residual.row_length;
      if (!keeps(first + begin + i, row, spare) || length > static_cast<double>(fixed_.longest) + 2e-5 * length) {
        return corrupt_file("lists: slot " + std::to_string(slots[i]) +
                            " is further from its code than its block's bounds say");
      }
    }
  }
  return {};
}

}  // namespace segue
