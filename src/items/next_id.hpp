#pragma once
// The id that an add without ids begins with: one past the largest ever used, as every file says it.
//
// 2^63 - 1 is an id like any other but has no number after it. Once it is used, the next id stays there and means that
// none is left; so adds without ids end at 2^63 - 2.

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "segue/core/id_map.hpp"
#include "segue/types.hpp"

namespace segue {

inline constexpr Id kLargestId = std::numeric_limits<Id>::max();

constexpr Id next_id_after(Id next_id, Id used) noexcept {
  return std::max(next_id, used == kLargestId ? kLargestId : used + 1);
}

// Whether an index with that next id may hold `id`.
constexpr bool id_fits(Id id, Id next_id) noexcept { return id < next_id || next_id == kLargestId; }

// As many ids as `wanted` has, none of them in it or in the map: those from next_id on, or, where these do not suffice,
// whatever is free from 0 on.
inline std::vector<Id> unused_ids(std::span<const Id> wanted, const IdMap& map, Id next_id) {
  std::vector<Id> unused(wanted.size());
  std::vector<Id> sorted(wanted.begin(), wanted.end());
  std::sort(sorted.begin(), sorted.end());
  const Id first = sorted.empty() ? next_id : next_id_after(next_id, sorted.back());
  if (static_cast<std::uint64_t>(kLargestId - first) >= wanted.size()) {
    std::iota(unused.begin(), unused.end(), first);
    return unused;
  }
  Id id = 0;
  for (Id& free : unused) {
    while (map.find(id) != kNoSlot || std::binary_search(sorted.begin(), sorted.end(), id)) ++id;
    free = id++;
  }
  return unused;
}

}  // namespace segue
