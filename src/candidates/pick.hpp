#pragma once
// Who gets the places: the best first, the most relevant of what is unlike those above it, or source by source in turns.

#include <cstdint>
#include <span>
#include <vector>

#include "candidates/places.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/deadline.hpp"

namespace segue {

// Items are positions in the pool, which is sorted. Each fills `places` as far as it can, and nothing is left out that
// fits while there is room.
void pick_best(std::size_t items, Places& places);

struct DiverseMemory {
  std::vector<float> vectors;  // one for each that is looked at, of length 1, or zero
  Buffer<unsigned char> queries;  // the same, as kernels want them
  std::vector<float> rows;
  std::vector<std::uint32_t> which;
  std::vector<Id> ids;
  std::vector<std::uint32_t> looked_at;
  std::vector<float> chosen_rows;  // of those that have a place, in their order: what others are compared with lies together
  std::vector<float> products, nearest;
};
// In the order of places. At the deadline the rest goes to the best.
void pick_diverse(const Pool& pool, const Mmr& mmr, std::size_t quotas, const Deadline& deadline, Places& places,
                  DiverseMemory& memory);

// In the order of turns.
void pick_in_turns(const Pool& pool, std::span<const Proposals> proposals, std::span<const SourceSpec> sources,
                   IdTable& positions, Places& places);

}  // namespace segue
