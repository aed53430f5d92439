#pragma once
// Sources as the reference has them: everything that one would ever propose, best first, by sorting the whole shelf in
// double precision.

#include <cmath>
#include <limits>
#include <numeric>

#include "candidates/shelf.hpp"

namespace segue::test {

struct SlowRanking {
  std::vector<Id> ids;
  std::vector<float> scores;  // or none
  bool larger_is_better = true;
};
// Of what is allowed.
using SlowSource = std::function<SlowRanking(const Allows& allows)>;

inline double slow_score(const Shelf& shelf, const float* q, Id id) {
  double sum = 0, squares = 0, qq = 0, xx = 0;
  for (std::size_t j = 0; j < Shelf::kDim; ++j) {
    const double a = q[j], b = shelf.vector(id)[j];
    sum += a * b;
    squares += (a - b) * (a - b);
    qq += a * a;
    xx += b * b;
  }
  return shelf.metric == Metric::kL2 ? squares : shelf.metric == Metric::kCosine ? sum / std::sqrt(qq * xx) : sum;
}

// Every allowed item by f, the better first.
inline SlowRanking slow_sort(const Shelf& shelf, const Allows& allows, const std::function<double(Id)>& f) {
  const bool larger = shelf.metric != Metric::kL2;
  std::vector<std::pair<double, Id>> all;
  for (const Id id : shelf.ids) {
    if (allows(id)) all.emplace_back(larger ? -f(id) : f(id), id);
  }
  std::sort(all.begin(), all.end());
  SlowRanking ranking{{}, {}, larger};
  for (const auto& [value, id] : all) {
    ranking.ids.push_back(id);
    ranking.scores.push_back(static_cast<float>(larger ? -value : value));
  }
  return ranking;
}

inline double weight_of(const Request& request, std::size_t i) {
  return request.weights.empty() ? 1.0 : static_cast<double>(request.weights[i]);
}

// The one with least of what its weight says has the next turn.
inline SlowRanking slow_shares(const Shelf& shelf, const Request& request, const Allows& allows) {
  const std::size_t m = request.vectors.rows();
  std::vector<SlowRanking> own;
  for (std::size_t i = 0; i < m; ++i) {
    own.push_back(slow_sort(shelf, allows, [&](Id id) { return slow_score(shelf, request.vectors.row(i), id); }));
  }
  SlowRanking ranking;
  ranking.larger_is_better = own[0].larger_is_better;
  std::vector<double> has(m, 0);
  while (ranking.ids.size() < own[0].ids.size()) {
    std::size_t turn = 0;
    for (std::size_t i = 1; i < m; ++i) {
      if ((has[i] + 1) / weight_of(request, i) < (has[turn] + 1) / weight_of(request, turn)) turn = i;
    }
    for (const Id id : own[turn].ids) {
      if (std::find(ranking.ids.begin(), ranking.ids.end(), id) != ranking.ids.end()) continue;
      ranking.ids.push_back(id);
      break;
    }
    ++has[turn];
  }
  return ranking;
}

inline SlowSource slow_nearest_to_vectors(const Shelf& shelf, const Request& request) {
  return [&shelf, &request](const Allows& allows) {
    const std::size_t m = request.vectors.rows();
    if (m == 0) return SlowRanking{};
    if (request.combine == Combine::kShares) return slow_shares(shelf, request, allows);
    return slow_sort(shelf, allows, [&](Id id) {
      const bool distance = shelf.metric == Metric::kL2;
      double best = distance ? 1e300 : -1e300, worst = -best, sum = 0, weights = 0;
      for (std::size_t i = 0; i < m; ++i) {
        const double s = slow_score(shelf, request.vectors.row(i), id), w = weight_of(request, i);
        best = distance ? std::min(best, s / w) : std::max(best, w * s);
        worst = distance ? std::max(worst, s) : std::min(worst, s);
        sum += w * s;
        weights += w;
      }
      switch (request.combine) {
        case Combine::kSum:
          return sum;
        case Combine::kAverage:
          return sum / weights;
        case Combine::kLeastHappy:
          return worst;
        default:
          return best;
      }
    });
  };
}

// The weighted mean of the scores for each seed that the index has.
inline SlowSource slow_nearest_to_seeds(const Shelf& shelf, const Request& request) {
  return [&shelf, &request](const Allows& allows) {
    std::vector<std::pair<Id, double>> seeds;
    double weights = 0;
    for (std::size_t i = 0; i < request.seeds.size(); ++i) {
      if (shelf.at.count(request.seeds[i]) == 0) continue;
      seeds.emplace_back(request.seeds[i], std::exp2(-static_cast<double>(i) / request.seed_half_life));
      weights += seeds.back().second;
    }
    if (seeds.empty()) return SlowRanking{};
    return slow_sort(shelf, allows, [&](Id id) {
      double sum = 0;
      for (const auto& [seed, weight] : seeds) sum += weight * slow_score(shelf, shelf.vector(seed), id);
      return sum / weights;
    });
  };
}

// The first of each id counts.
inline SlowSource slow_list(std::vector<Id> ids, std::vector<float> scores = {}) {
  return [ids = std::move(ids), scores = std::move(scores)](const Allows& allows) {
    SlowRanking ranking;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!allows(ids[i]) || std::find(ranking.ids.begin(), ranking.ids.end(), ids[i]) != ranking.ids.end()) continue;
      ranking.ids.push_back(ids[i]);
      if (!scores.empty()) ranking.scores.push_back(scores[i]);
    }
    return ranking;
  };
}

}  // namespace segue::test
