// Sources that search an index: by the vectors of a request, and by its seeds.

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "candidates/combine_vectors.hpp"
#include "candidates/id_table.hpp"
#include "candidates/least_happy.hpp"
#include "candidates/nearest.hpp"
#include "candidates/read_vectors.hpp"
#include "segue/candidates/source.hpp"
#include "segue/core/deadline.hpp"

namespace segue {
namespace {

class NearestToVectors final : public Nearest {
 public:
  using Nearest::Nearest;

  Status check(const Request& request) const override {
    SEGUE_RETURN_IF_ERROR(check_index());
    if (request.vectors.rows() == 0 || request.vectors.cols() == index_->dim()) return {};
    return invalid_argument("the request's vectors have " + std::to_string(request.vectors.cols()) +
                            " dimensions, the index " + std::to_string(index_->dim()));
  }

  Status propose(const Wanted& wanted, Proposals& out) const override {
    if (is_one_search(wanted.request)) return Nearest::propose(wanted, out);
    out.larger_is_better = larger_is_better();
    return propose_least_happy(*this, *index_, wanted, out);
  }

 private:
  bool is_one_search(const Request& request) const override {
    return request.combine != Combine::kLeastHappy || request.vectors.rows() == 0;
  }
  Status seek(const Request& request, Sought& sought) const override {
    sought.vectors = request.vectors;
    if (request.vectors.rows() == 0 || (request.combine != Combine::kSum && request.combine != Combine::kAverage)) return {};
    Combined& combined = sought.combined.emplace();
    if (!combine_sum(request.vectors, request.weights, index_->metric(), request.combine == Combine::kAverage, combined)) {
      return invalid_argument("the vectors of the request cancel each other out, so nothing is nearest to their sum");
    }
    sought.vectors = MatrixView(combined.vector, index_->dim());
    return {};
  }
  void conclude(const Wanted& wanted, const Sought& sought, const Lists& lists, std::size_t first,
                Proposals& out) const override {
    if (sought.combined) {
      conclude_scaled(wanted, sought.combined->factor, sought.combined->offset, lists, first, out);
    } else if (wanted.request.combine == Combine::kShares) {
      conclude_shares(wanted, lists, first, out);
    } else if (sought.vectors.rows() == 1) {
      conclude_one(wanted, lists, first, out);
    } else {
      conclude_max(wanted, lists, first, out);
    }
  }
  static double weight(const Request& request, std::size_t i) {
    return request.weights.empty() ? 1.0 : static_cast<double>(request.weights[i]);
  }
  // Of a score of vector i. A distance is nearer where the weight is larger.
  double value(const Request& request, std::size_t i, float score) const {
    return larger_is_better() ? weight(request, i) * score : -static_cast<double>(score) / weight(request, i);
  }
  // In order as it came.
  void conclude_one(const Wanted& wanted, const Lists& lists, std::size_t first, Proposals& out) const {
    const double by = weight(wanted.request, 0);
    conclude_scaled(wanted, out.larger_is_better ? by : 1 / by, 0, lists, first, out);
  }
  // Whatever is among the n best by the best of its scores is among the n best of that vector.
  void conclude_max(const Wanted& wanted, const Lists& lists, std::size_t first, Proposals& out) const {
    const std::size_t m = wanted.request.vectors.rows();
    IdTable places;
    places.reset(m * wanted.n);
    std::vector<Valued> best;
    bool all = true;
    for (std::size_t vector = 0; vector < m; ++vector) {
      const std::size_t begin = (first + vector) * lists.n;
      const std::size_t n = lists.count(first + vector);
      all &= n < wanted.n;
      for (std::size_t i = begin; i < begin + n; ++i) {
        const double worth = value(wanted.request, vector, lists.scores[i]);
        const std::uint32_t place = places.insert(lists.ids[i], static_cast<std::uint32_t>(best.size()));
        if (place == best.size()) best.push_back({lists.ids[i], worth});
        best[place].value = std::max(best[place].value, worth);
      }
    }
    out.exhausted = all && best.size() <= wanted.n && !out.cut;
    propose_best(best, wanted.n, out);
  }

  // Turns go to the vector that has least of what its weight says; the order has no scores.
  static void conclude_shares(const Wanted& wanted, const Lists& lists, std::size_t first, Proposals& out) {
    const Request& request = wanted.request;
    const std::size_t m = request.vectors.rows();
    std::vector<std::size_t> next(m, 0), count(m), taken(m, 0);
    bool all = true;
    for (std::size_t list = 0; list < m; ++list) {
      count[list] = lists.count(first + list);
      all &= count[list] < wanted.n;
    }
    IdTable seen;
    seen.reset(wanted.n);
    while (out.ids.size() < wanted.n) {
      std::size_t turn = m;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t list = 0; list < m; ++list) {
        const double has = static_cast<double>(taken[list] + 1) / weight(request, list);
        if (next[list] < count[list] && has < least) {
          least = has;
          turn = list;
        }
      }
      if (turn == m) break;
      const Id id = lists.ids[(first + turn) * lists.n + next[turn]++];
      if (seen.find(id) != IdTable::kNone) continue;
      seen.insert(id, 0);
      out.ids.push_back(id);
      ++taken[turn];
    }
    out.exhausted = all && out.ids.size() < wanted.n && !out.cut;
  }
};

class NearestToSeeds final : public Nearest {
 public:
  using Nearest::Nearest;

  Status check(const Request&) const override { return check_index(); }

 private:
  Status seek(const Request& request, Sought& sought) const override {
    std::vector<float> rows, weights;
    std::vector<std::uint32_t> which;
    read_vectors(*index_, request.seeds, rows, which);
    if (which.empty()) return {};
    for (const std::uint32_t i : which) {
      weights.push_back(static_cast<float>(std::exp2(-static_cast<double>(i) / request.seed_half_life)));
    }
    Combined& combined = sought.combined.emplace();
    if (!combine_sum(MatrixView(rows, index_->dim()), weights, index_->metric(), true, combined)) {
      return invalid_argument("the seeds of the request cancel each other out, so nothing is nearest to their sum");
    }
    sought.vectors = MatrixView(combined.vector, index_->dim());
    return {};
  }
  void conclude(const Wanted& wanted, const Sought& sought, const Lists& lists, std::size_t first,
                Proposals& out) const override {
    conclude_scaled(wanted, sought.combined->factor, sought.combined->offset, lists, first, out);
  }
};

}  // namespace

std::shared_ptr<const Source> nearest_to_vectors(std::shared_ptr<const Index> index, const NearestOptions& options) {
  return std::make_shared<NearestToVectors>(std::move(index), options);
}

std::shared_ptr<const Source> nearest_to_seeds(std::shared_ptr<const Index> index, const NearestOptions& options) {
  return std::make_shared<NearestToSeeds>(std::move(index), options);
}

}  // namespace segue
