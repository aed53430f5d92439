#pragma once
// Takes the dead vertices out of the graph: everybody who links to one gets those of its links instead that lead elsewhere
// than what is left.
// (Consolidation: FreshDiskANN, arXiv 2105.09613, section 4.2.) One pass over all lists, in parallel; deterministic. Others
// may search meanwhile: lists are made beside the graph and put into it some at a time.

#include "hnsw/hnsw_state.hpp"
#include "items/publisher.hpp"

namespace segue {

// Afterwards state.dead is empty and its slots are free.
void repair_graph(HnswState& state, int threads, const Publisher& publish);

// Whether there are enough dead vertices to make a repair pay: a pass costs as much as some hundred insertions.
bool needs_repair(const HnswState& state) noexcept;

}  // namespace segue
