#pragma once
// Every slot of a list (or all of them) scored exactly, one query: for filters that few items pass, and for numbers that
// codes cannot bound.

#include <vector>

#include "items/top_collector.hpp"
#include "items/exact_costs.hpp"
#include "items/gate.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

struct ScoreEachMemory {
  TopCollector top;
  std::vector<Candidate> piece;
};

// The k best accepted slots, or with them all that cost at most `bound`; in no order, and more than k where they tie.
// `some` null: slots 0 .. all.
void score_each(ExactScorer& exact, std::size_t k, float bound, const Gate& gate,
                const std::vector<std::uint32_t>* some, std::size_t all, const Deadline& deadline,
                ScoreEachMemory& memory, std::vector<Candidate>& found, WalkStats& stats);

}  // namespace segue
