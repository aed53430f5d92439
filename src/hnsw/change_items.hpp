#pragma once
// Adding items to an HnswState and removing them: slots, rows, twins, the norm order, and the graph behind them.

#include <span>

#include "hnsw/hnsw_state.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// The ids are new and checked. False: cancelled, and the state is to be thrown away.
bool add_items(HnswState& state, MatrixView vectors, std::span<const Id> ids, const AddOptions& options);

// The ids are there. Marks only; see needs_repair.
void mark_removed(HnswState& state, std::span<const Id> ids);

}  // namespace segue
