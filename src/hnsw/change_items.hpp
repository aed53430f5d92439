#pragma once
// Adding items to an HnswState and removing them: slots, rows, twins, the norm order, and the graph behind them.
//
// Others may search meanwhile. New items get slots that are held: their rows, links and codes are made where no search
// comes, or comes and finds nobody; then each gets its id, and an older item of that id goes, in one moment.

#include <span>

#include "hnsw/hnsw_state.hpp"
#include "items/publisher.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// Items of ids that are there are replaced. False: cancelled, and the state, which nobody else reads, is to be thrown away.
// If memory runs out, nothing has changed.
bool put_items(HnswState& state, MatrixView vectors, std::span<const Id> ids, const AddOptions& options,
               const Publisher& publish);

// The ids are there. Marks only; see needs_repair.
void remove_items(HnswState& state, std::span<const Id> ids, const Publisher& publish);

}  // namespace segue
