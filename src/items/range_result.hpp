#pragma once
// What was found for each query, slots with exact costs, as the RangeResult that a caller gets.

#include <span>
#include <vector>

#include "items/storages.hpp"
#include "segue/core/candidate.hpp"
#include "segue/core/id_map.hpp"
#include "segue/index.hpp"

namespace segue {

inline RangeResult make_range_result(std::span<const std::vector<Candidate>> found, const IdMap& ids, Metric metric) {
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

// Of one query each.
inline RangeResult join_range_results(const std::vector<RangeResult>& found) {
  RangeResult all;
  all.offsets.push_back(0);
  for (const RangeResult& one : found) {
    all.ids.insert(all.ids.end(), one.ids.begin(), one.ids.end());
    all.scores.insert(all.scores.end(), one.scores.begin(), one.scores.end());
    all.offsets.push_back(all.ids.size());
  }
  return all;
}

}  // namespace segue
