#pragma once
// What holds for a list as a whole, and what moves scores.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "segue/expression.hpp"
#include "segue/index.hpp"

namespace segue {

// At most so many with the same value of a column: two tracks an artist. Category, set, integer, boolean or date; under
// a set an item counts for each of its values. What has no value there is never capped.
struct GroupCap {
  std::string column;
  std::size_t at_most = 1;
};

// At least so many that match, as long as there are any: three of a genre. Where more is asked for than k has room, or
// the catalogue holds, that is an error, or as many as there are.
struct MinimumQuota {
  Expression expression;
  std::size_t at_least = 1;
};

// Maximal marginal relevance (Carbonell & Goldstein 1998, section 2): each place goes to the candidate with the largest
// lambda * relevance - (1 - lambda) * (its largest cosine to those above it), relevance being the score from 0 to 1 over
// the pool. O(pool * k * dim).
struct Mmr {
  std::shared_ptr<const Index> index;  // whose vectors; what it does not hold is similar to nothing
  float lambda = 0.7f;
  std::size_t pool = 200;  // the best so many are looked at; at least k
};

// A score is multiplied by 1 - weight + weight * 2^(-age / half_life). Without a date: as if infinitely old. It orders
// what is proposed, of which there is k at first from each source: an Mmr of lambda 1 and a larger pool lets it choose
// among more.
struct Freshness {
  std::string column;  // of dates
  double half_life_days = 30;
  double weight = 0.5;
  std::int64_t now = 0;  // seconds since 1970; 0: the clock
};

// Takes strength * log(how often) from a score: what is seen often is no more than its score says (logQ correction; Yi et
// al. 2019, section 4). A value that is missing, or below 1, counts as 1. What it chooses among: see
// Freshness.
struct Popularity {
  std::string column;  // of integers or floats
  double strength = 0.05;
};

}  // namespace segue
