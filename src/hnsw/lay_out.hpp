#pragma once
// Which slot a row lies in: what a search reads together lies together, region by region (hnsw/regions.hpp), or, under inner
// product, by falling norm.
//
// The first add lays its items out. What comes later takes the slots that are free, wherever those are; once that many have
// come as half of all items, the index is laid out anew: a copy, made beside the searches, with the same links between the
// same items. That costs about as much as a hundredth of the insertions it follows. Slots without an item end there, too.

#include <cstdint>
#include <vector>

#include "hnsw/hnsw_state.hpp"
#include "items/publisher.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// Of the vectors of a first add, before they are written: vector i belongs into slots[i].
void lay_out_by_norm(MatrixView vectors, std::vector<std::uint32_t>& slots);
// Of rows that are written into slots 0 .. n-1: moves them; what was for slot s is in slots[s] then.
void lay_out_by_region(HnswState& state, std::vector<std::uint32_t>& slots, int threads);

bool wants_layout(const HnswState& state) noexcept;
// No slot is held. Throws std::bad_alloc, and then nothing has changed.
void lay_out_anew(HnswState& state, int threads, const Publisher& publish);

}  // namespace segue
