#pragma once
// Which of many candidates a vertex should link to (Malkov and Yashunin, algorithm 4): a candidate is taken if it is
// nearer to the vertex than to any that was taken before it. So links point in different directions.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "segue/core/candidate.hpp"
#include "segue/core/scorer.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {

// A stored row as a query; memory is kept between calls.
class RowQuery {
 public:
  const void* prepare(const VectorStore& store, std::uint32_t slot);

 private:
  std::vector<float> floats_;
  PreparedQuery prepared_;
};

// `candidates` ascend by cost to the vertex; of them so many join those that are in `selected` already that there are at most
// `most`. Computes up to most * candidates.size() scores, usually a small fraction of that. How many it computed.
std::size_t select_more_neighbors(const VectorStore& store, RowMetric metric, const std::vector<Candidate>& candidates,
                                  std::size_t most, RowQuery& memory, std::vector<std::uint32_t>& selected);
// The same, from none on: nearest first.
std::size_t select_neighbors(const VectorStore& store, RowMetric metric, const std::vector<Candidate>& candidates,
                             std::size_t most, RowQuery& memory, std::vector<std::uint32_t>& selected);

}  // namespace segue
