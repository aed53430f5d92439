#pragma once
// Takes the dead vertices out of the graph: everybody who links to one gets those of its links instead that lead elsewhere
// than what is left.
// (Consolidation: FreshDiskANN, arXiv 2105.09613, section 4.2.) One pass over all lists, in parallel; deterministic. Others
// may search meanwhile: lists are made beside the graph and put into it some at a time.
//
// A pass over a large graph takes as long as thousands of insertions, so it goes on by steps of a millisecond or so, each in
// the change that it falls due with. Who is dead when a pass begins is in no list that it has been through, and nothing
// that comes later links to the dead; so at its end nobody links to those, and their slots are free. Who dies meanwhile waits for
// the next.

#include <cstddef>

#include "hnsw/hnsw_state.hpp"
#include "items/publisher.hpp"

namespace segue {

// Whether a pass is under way, or there are enough dead vertices to make one pay: it costs as much as some hundred insertions.
bool needs_repair(const HnswState& state) noexcept;

// The part of a pass that is due after a change of so many items; a pass begins if none is under way. It ends before half as
// many have died as it began with. All of it where that is little, or more is dead than alive.
void repair_after(HnswState& state, std::size_t items, int threads, const Publisher& publish);

// A pass goes on, or begins, over so many vertices more. After the last, those that were dead when it began are free slots.
void repair_graph(HnswState& state, std::size_t slots, int threads, const Publisher& publish);

}  // namespace segue
