#pragma once
// What a first pass found, scored again by what decides: the query in float32 against the row as it is stored.

#include <vector>

#include "segue/core/buffer.hpp"
#include "segue/core/candidate.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {

struct ExactCostMemory {
  PreparedQuery prepared;
  Buffer<unsigned char> query;
  std::vector<float> decoded;
};

// Whether costs from the store's own kernels are already exact; sq8 kernels round the query.
constexpr bool kernel_costs_are_exact(Storage storage) noexcept { return storage != Storage::kSq8; }

// Replaces the cost of every candidate; their order stays.
void exact_costs(const VectorStore& store, RowMetric metric, const float* query, std::vector<Candidate>& candidates,
                 ExactCostMemory& memory);

void sort_by_cost_then_id(std::vector<Candidate>& candidates, const IdMap& ids);

}  // namespace segue
