#pragma once
// MatchPlan: a filter as one HnswState sees it. Made once for all queries that bring the filter (codes/plan_cache.hpp),
// brought up to date from the slots that have changed.
//
//   marks    a bit a slot: what a walk asks
//   slots    all matches, region by region: what a scan of regions reads
//   coded    inner product: a bit a coded vertex that stands for a match, by falling norm: what a scan of codes asks
//   packed   the codes of all matches, one after the other, where they are few: scanned whole in microseconds

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codes/change_log.hpp"
#include "codes/filter_marks.hpp"
#include "hnsw/hnsw_state.hpp"
#include "items/slot_marks.hpp"
#include "segue/filter.hpp"

namespace segue {

// Eight-bit codes in blocks (kernels/kernel_table.hpp): of all matches or, under inner product, of the vertices that stand
// for them, by falling norm.
struct PackedMatches {
  static constexpr std::size_t kNormBlocks = 32;

  std::vector<std::uint32_t> slots;
  std::size_t groups = 0;
  std::vector<unsigned char> codes;
  std::vector<float> scales;
  std::vector<float> biases;  // half the squared lengths, where distances decide
  std::vector<float> norms;   // else: the largest of each kNormBlocks blocks

  std::size_t memory_usage() const noexcept {
    return codes.capacity() + slots.capacity() * sizeof(std::uint32_t) +
           (scales.capacity() + biases.capacity() + norms.capacity()) * sizeof(float);
  }
};

struct MatchPlan {
  SlotMarks marks;
  std::size_t matches = 0;
  std::vector<std::uint32_t> slots;
  std::vector<std::uint32_t> offsets;  // region r: slots[offsets[r] .. offsets[r + 1]); none: there are no regions
  std::vector<unsigned char> barred;   // regions: 1 where there is no match
  std::size_t open_regions = 0;
  double crowding = 1;  // how many times fewer regions hold matches than if these were drawn at random
  FilterMarks coded;
  PackedMatches packed;
  ChangeLog::Moment made = {};

  std::span<const std::uint32_t> region(std::size_t r) const noexcept {
    return std::span(slots).subspan(offsets[r], offsets[r + 1] - offsets[r]);
  }
  std::size_t memory_usage() const noexcept {
    return marks.memory_usage() + (slots.capacity() + offsets.capacity()) * sizeof(std::uint32_t) + barred.capacity() +
           coded.memory_usage() + packed.memory_usage();
  }
};

// O(what the filter lists) where that is little, else O(slots).
MatchPlan make_plan(const HnswState& state, const IdSet& filter);
// From one before these slots changed.
MatchPlan update_plan(const HnswState& state, const IdSet& filter, const MatchPlan& old,
                      std::span<const std::uint32_t> changed);

}  // namespace segue
