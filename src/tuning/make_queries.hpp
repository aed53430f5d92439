#pragma once
// Queries for tune() where none are given: items of the index, moved off their places.
//
// An item as it is makes too easy a query: it is a vertex, and linked to the very neighbours that it asks for.
// Measured, the effort that items take for recall 0.95 gives real queries 0.87 to 0.93. So each is moved away from its
// nearest neighbour (Euclidean) by the distance between the two: then it is as far from the nearest item as items are
// from each other, and in a direction in which items differ. That errs on the other side: 0.97 to 0.98 where 0.95 was
// asked for.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "segue/index.hpp"

namespace segue {

// At most `count` rows of index.dim() numbers, in the order of `items`, which are ids of the index; the seed chooses
// them, each subset as likely as any other. Costs an exact scan; progress as there.
Result<std::vector<float>> make_queries(const Index& index, std::span<const Id> items, std::size_t count,
                                        std::uint64_t seed, int threads,
                                        const std::function<bool(std::size_t)>& progress);

}  // namespace segue
