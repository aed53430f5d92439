#pragma once
// Puts vertices into the graph, in batches, the same way on any number of threads, while others walk it.
//
// A batch is at most a fiftieth of what is there already. Each of its vertices searches the graph as it was before the
// batch and chooses its links (in parallel, writing nothing that another reads); then the links back are sorted by
// target and each target takes its share (in parallel again). So the outcome depends on the order of the vertices
// alone. (Batches of growing size: ParlayANN, arXiv 2305.04359, section 3.) The order is shuffled by a hash: sorted or
// clustered input would otherwise give a worse graph.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "hnsw/hnsw_state.hpp"
#include "hnsw/link_edits.hpp"
#include "items/publisher.hpp"

namespace segue {

struct InsertResult {
  bool cancelled = false;
  // Those that turned out equal to a vertex that was there: (new slot, vertex). They are not in the graph.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> twins;
  // What is left to be put into the graph: of few vertices, all; so that they appear together with their ids.
  LinkEdits left;
};

// The slots are written, have ids or are held, are open and in no list. No two of them are equal. Nobody finds them as long
// as they have no id, but walks may lead through them.
InsertResult insert_vertices(HnswState& state, std::span<const std::uint32_t> slots, const AddOptions& options,
                             const Publisher& publish = {});

}  // namespace segue
