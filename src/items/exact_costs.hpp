#pragma once
// What a first pass found, scored again by what decides: the query in float32 against the row as it is stored.

#include <vector>

#include "segue/core/buffer.hpp"
#include "segue/core/candidate.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {

struct ExactCostMemory {
  Buffer<unsigned char> query;
};

// Whether costs from the store's own kernels are already exact; sq8 and sq4 kernels round the query.
constexpr bool kernel_costs_are_exact(Storage storage) noexcept { return storage != Storage::kSq8 && storage != Storage::kSq4; }

// Replaces the cost of every candidate; their order stays.
void exact_costs(const VectorStore& store, RowMetric metric, const float* query, std::vector<Candidate>& candidates,
                 ExactCostMemory& memory);

// One query's exact costs, however rows are kept.
class ExactScorer {
 public:
  // Replaces the cost of every candidate; their order stays.
  virtual void score(std::vector<Candidate>& candidates) = 0;

 protected:
  ~ExactScorer() = default;
};

// Rows of a store.
class StoreScorer final : public ExactScorer {
 public:
  void reset(const VectorStore& store, RowMetric metric, const float* query) noexcept {
    store_ = &store;
    metric_ = metric;
    query_ = query;
  }
  void score(std::vector<Candidate>& candidates) override {
    exact_costs(*store_, metric_, query_, candidates, memory_);
  }

 private:
  const VectorStore* store_ = nullptr;
  RowMetric metric_ = RowMetric::kDot;
  const float* query_ = nullptr;
  ExactCostMemory memory_;
};

void sort_by_cost_then_id(std::vector<Candidate>& candidates, const IdMap& ids);

}  // namespace segue
