#include "hnsw/match_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "codes/block_arrays.hpp"
#include "codes/code_row.hpp"
#include "segue/core/id_set_reader.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

// Finding a listed id takes as long as looking at so many slots in order.
constexpr std::size_t kSlotsAnId = 8;
// Packed are at most this part of all items, and this much, which is scanned in some ten microseconds. Where there are no
// regions the other way is slower: a scan of all codes by falling norm, which a filter against the query leads through
// all that does not match.
constexpr std::size_t kPackedPart = 32;
constexpr std::size_t kPackedBytes = std::size_t{1} << 20;
constexpr std::size_t kCodedPart = 2;
constexpr std::size_t kCodedBytes = std::size_t{4} << 20;

void make_room(PackedMatches& packed, std::size_t rows, std::size_t groups) {
  const std::size_t blocks = blocks_for(rows);
  packed.slots.reserve(rows);
  packed.groups = groups;
  packed.codes.assign(blocks * groups * kBlockGroupBytes, 128);
  packed.scales.assign(blocks * kBlockRows, 0.0f);
}

unsigned char* place(PackedMatches& packed, std::size_t i) {
  return packed.codes.data() + (i / kBlockRows * packed.groups * kBlockRows + i % kBlockRows) * 4;
}

// Rows of codes are moved as they are; of others codes are made.
void pack_rows(const HnswState& state, MatchPlan& plan) {
  const VectorStore& rows = state.rows;
  const bool distances = state.walk_metric() == RowMetric::kSquaredL2;
  const bool coded = rows.storage() == Storage::kPca8 || rows.storage() == Storage::kSq8;
  PackedMatches& packed = plan.packed;
  make_room(packed, plan.matches, (rows.dim() + 3) / 4);
  if (distances) packed.biases.assign(packed.scales.size(), 0.0f);
  std::vector<float> numbers(rows.dim());
  for (const std::uint32_t slot : plan.slots) {
    const std::size_t i = packed.slots.size();
    packed.slots.push_back(slot);
    unsigned char* to = place(packed, i);
    if (coded) {
      // Behind the last code are zeros up to a group of four.
      const unsigned char* from = rows.row(slot);
      for (std::size_t g = 0; g < packed.groups; ++g, from += 4, to += kBlockGroupBytes) {
        std::uint32_t four;
        std::memcpy(&four, from, 4);
        four ^= 0x80808080u;  // from signed to what a block's codes are: 128 more
        std::memcpy(to, &four, 4);
      }
      packed.scales[i] = rows.scale(slot);
      if (distances) packed.biases[i] = rows.norm2(slot) / 2;
    } else {
      rows.read(slot, numbers.data());
      packed.scales[i] = code_row(numbers.data(), numbers.size(), to).scale;
      if (!distances) continue;
      packed.biases[i] = static_cast<float>(squared_distance(numbers.data(), nullptr, numbers.size()) / 2);
    }
  }
}

// What CodeBlocks holds of them, in its order.
void pack_codes(const CodeBlocks& codes, MatchPlan& plan) {
  PackedMatches& packed = plan.packed;
  make_room(packed, plan.coded.rows(), codes.groups());
  packed.norms.assign(packed.scales.size() / kBlockRows / PackedMatches::kNormBlocks + 1, 0.0f);
  for (std::size_t block = 0; block < codes.blocks(); ++block) {
    for (unsigned bits = plan.coded.of_block(block); bits != 0; bits &= bits - 1) {
      const auto row = static_cast<std::size_t>(std::countr_zero(bits));
      const std::size_t i = packed.slots.size();
      packed.slots.push_back(codes.slot(block * kBlockRows + row));
      packed.scales[i] = codes.scales(block)[row];
      float& norm = packed.norms[i / kBlockRows / PackedMatches::kNormBlocks];
      norm = std::max(norm, codes.bound(block).norm);
      const unsigned char* from = codes.codes(block) + 4 * row;
      unsigned char* to = place(packed, i);
      for (std::size_t g = 0; g < packed.groups; ++g, to += kBlockGroupBytes, from += kBlockGroupBytes) {
        std::memcpy(to, from, 4);
      }
    }
  }
}

// In a damaged file a code may name any slot.
bool stands_for_match(const HnswState& state, const SlotMarks& marks, std::uint32_t vertex) {
  if (vertex >= state.ids.slots()) return false;
  bool any = marks.has(vertex);
  if (any) return true;
  state.twins.for_each(vertex, [&](std::uint32_t slot) {
    any = slot < state.ids.slots() && marks.has(slot);
    return !any;
  });
  return any;
}

// All but the marks, which are right.
void complete(const HnswState& state, MatchPlan& plan) {
  plan.matches = plan.marks.count();
  plan.slots.resize(plan.matches);
  const std::size_t regions = state.regions.size();
  plan.offsets.assign(regions == 0 ? 0 : regions + 1, 0);
  if (regions == 0) {
    std::size_t n = 0;
    plan.marks.for_each([&](std::uint32_t slot) { plan.slots[n++] = slot; });
  } else {
    plan.marks.for_each([&](std::uint32_t slot) { ++plan.offsets[state.regions.of(slot) + 1]; });
    plan.barred.resize(regions);
    plan.open_regions = 0;
    for (std::size_t r = 0; r < regions; ++r) {
      plan.barred[r] = plan.offsets[r + 1] == 0;
      plan.open_regions += plan.offsets[r + 1] != 0;
    }
    const auto all = static_cast<double>(regions);
    const double drawn = all * -std::expm1(-static_cast<double>(plan.matches) / all);
    plan.crowding = std::max(1.0, drawn / static_cast<double>(std::max<std::size_t>(1, plan.open_regions)));
    std::partial_sum(plan.offsets.begin(), plan.offsets.end(), plan.offsets.begin());
    std::vector<std::uint32_t> next(plan.offsets.begin(), plan.offsets.end() - 1);
    plan.marks.for_each([&](std::uint32_t slot) { plan.slots[next[state.regions.of(slot)]++] = slot; });
  }
  if (state.codes.size() != 0) {
    const auto stands = [&](std::uint32_t vertex) { return stands_for_match(state, plan.marks, vertex); };
    plan.coded = FilterMarks(state.codes, stands);
    const std::size_t most = std::min(state.codes.size() / kCodedPart, kCodedBytes / (4 * state.codes.groups()));
    if (plan.coded.rows() <= most) pack_codes(state.codes, plan);
  } else if (plan.matches <= std::min(state.ids.size() / kPackedPart, kPackedBytes / state.rows.dim())) {
    pack_rows(state, plan);
  }
}

}  // namespace

MatchPlan make_plan(const HnswState& state, const IdSet& filter) {
  MatchPlan plan;
  const IdMap& ids = state.ids;
  const IdSetReader reader(filter);
  plan.marks.resize(ids.slots());
  if (!filter.is_complement() && kSlotsAnId * filter.listed() < ids.slots()) {
    reader.for_each_listed([&](Id id) {
      // In a damaged file the slot may be another's, or none's.
      const std::uint32_t slot = ids.find(id);
      if (slot != kNoSlot && ids.id(slot) == id) plan.marks.set(slot, true);
    });
  } else {
    for (std::uint32_t slot = 0; slot < ids.slots(); ++slot) {
      if (reader.contains(ids.id(slot))) plan.marks.set(slot, true);
    }
  }
  complete(state, plan);
  return plan;
}

MatchPlan update_plan(const HnswState& state, const IdSet& filter, const MatchPlan& old,
                      std::span<const std::uint32_t> changed) {
  MatchPlan plan;
  const IdSetReader reader(filter);
  plan.marks = old.marks;
  plan.marks.resize(state.ids.slots());
  for (const std::uint32_t slot : changed) plan.marks.set(slot, reader.contains(state.ids.id(slot)));
  complete(state, plan);
  return plan;
}

}  // namespace segue
