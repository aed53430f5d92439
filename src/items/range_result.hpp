#pragma once
// What was found for each query, slots with exact costs, as the RangeResult that a caller gets.

#include <vector>

#include "items/storages.hpp"
#include "segue/core/candidate.hpp"
#include "segue/core/id_map.hpp"
#include "segue/index.hpp"

namespace segue {

inline RangeResult make_range_result(const std::vector<std::vector<Candidate>>& found, const IdMap& ids,
                                     Metric metric) {
  RangeResult result;
  result.offsets.push_back(0);
  for (const std::vector<Candidate>& one : found) {
    for (const Candidate c : one) {
      result.ids.push_back(ids.id(vertex_of(c)));
      result.scores.push_back(score_of_cost(metric, cost_of(c)));
    }
    result.offsets.push_back(result.ids.size());
  }
  return result;
}

}  // namespace segue
