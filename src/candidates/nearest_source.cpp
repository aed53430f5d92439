// Sources that search an index: by the vectors of a request, and by its seeds.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "candidates/combine_vectors.hpp"
#include "candidates/id_table.hpp"
#include "candidates/read_vectors.hpp"
#include "segue/candidates/source.hpp"
#include "segue/core/deadline.hpp"

namespace segue {
namespace {

// Of the lists that a least happy answer is looked for in: this many times as many each time, up to so many.
constexpr std::size_t kWider = 4;
constexpr std::size_t kLongest = 1024;

// The best of each of some vectors, one after the other.
struct Lists {
  std::size_t n = 0;
  std::vector<Id> ids;
  std::vector<float> scores;
  std::vector<QueryStats> stats;

  std::size_t count(std::size_t list) const {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(list * n);
    return static_cast<std::size_t>(std::find(first, first + static_cast<std::ptrdiff_t>(n), kMissingId) - first);
  }
};

class Nearest : public Source {
 public:
  Nearest(std::shared_ptr<const Index> index, const NearestOptions& options) : index_(std::move(index)), options_(options) {}

 protected:
  Status check_index() const {
    return index_ == nullptr ? invalid_argument("it came without an index to search") : Status();
  }
  // The n best of each vector; `out.cut` where one was.
  Status search(MatrixView vectors, std::size_t n, const Wanted& wanted, const Deadline& deadline, Lists& lists,
                Proposals& out) const {
    const std::size_t m = vectors.rows();
    lists.n = n;
    lists.ids.resize(m * n);
    lists.scores.resize(m * n);
    lists.stats.assign(m, {});
    SearchOptions options;
    options.ef = options_.ef == 0 ? 0 : std::max(options_.ef, n);
    options.nprobe = options_.nprobe;
    options.recall = options_.recall;
    options.filter = wanted.allowed;
    options.exclude = {wanted.exclude, {}};
    options.threads = 1;
    options.stats = lists.stats;
    if (wanted.deadline_us > 0) {
      options.deadline_us = std::max<std::int64_t>(1, deadline.left_us() / static_cast<std::int64_t>(m));
    }
    SEGUE_RETURN_IF_ERROR(index_->search_into(vectors, n, options, lists.ids.data(), lists.scores.data()));
    for (const QueryStats& stats : lists.stats) out.cut |= stats.cut;
    return {};
  }

  // The list of one vector, its scores by `combined`.
  Status propose_nearest(const Combined& combined, const Wanted& wanted, Proposals& out) const {
    Lists lists;
    const Deadline deadline(wanted.deadline_us);
    SEGUE_RETURN_IF_ERROR(search(MatrixView(combined.vector, index_->dim()), wanted.n, wanted, deadline, lists, out));
    const std::size_t n = lists.count(0);
    out.ids.assign(lists.ids.begin(), lists.ids.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t i = 0; i < n; ++i) {
      out.scores.push_back(static_cast<float>(combined.factor * static_cast<double>(lists.scores[i]) + combined.offset));
    }
    out.exhausted = n < wanted.n && !out.cut;
    return {};
  }

  bool larger_is_better() const { return segue::larger_is_better(index_->metric()); }

  std::shared_ptr<const Index> index_;
  NearestOptions options_;
};

// An id and what it is worth; the larger the better.
struct Valued {
  Id id;
  double value;

  bool operator<(const Valued& other) const noexcept {
    return value != other.value ? value > other.value : id < other.id;
  }
};

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
    const Request& request = wanted.request;
    out.larger_is_better = larger_is_better();
    if (request.vectors.rows() == 0) {
      out.exhausted = true;
      return {};
    }
    switch (request.combine) {
      case Combine::kSum:
      case Combine::kAverage: {
        Combined combined;
        SEGUE_RETURN_IF_ERROR(combine(request, request.combine == Combine::kAverage, combined));
        return propose_nearest(combined, wanted, out);
      }
      case Combine::kLeastHappy: return propose_least_happy(wanted, out);
      case Combine::kShares: return propose_shares(wanted, out);
      case Combine::kMax: break;
    }
    return propose_max(wanted, out);
  }

 private:
  Status combine(const Request& request, bool average, Combined& combined) const {
    if (combine_sum(request.vectors, request.weights, index_->metric(), average, combined)) return {};
    return invalid_argument("the vectors of the request cancel each other out, so nothing is nearest to their sum");
  }
  static double weight(const Request& request, std::size_t i) {
    return request.weights.empty() ? 1.0 : static_cast<double>(request.weights[i]);
  }
  // Of a score of vector i. A distance is nearer where the weight is larger.
  double value(const Request& request, std::size_t i, float score) const {
    return larger_is_better() ? weight(request, i) * score : -static_cast<double>(score) / weight(request, i);
  }
  void emit(std::vector<Valued>& best, std::size_t n, Proposals& out) const {
    const std::size_t kept = std::min(n, best.size());
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end());
    for (std::size_t i = 0; i < kept; ++i) {
      out.ids.push_back(best[i].id);
      out.scores.push_back(static_cast<float>(larger_is_better() ? best[i].value : -best[i].value));
    }
  }

  // Whatever is among the n best by the best of its scores is among the n best of that vector.
  Status propose_max(const Wanted& wanted, Proposals& out) const {
    const Request& request = wanted.request;
    const std::size_t m = request.vectors.rows();
    Lists lists;
    SEGUE_RETURN_IF_ERROR(search(request.vectors, wanted.n, wanted, Deadline(wanted.deadline_us), lists, out));
    if (m == 1) {
      // In order as it came.
      const std::size_t n = lists.count(0);
      out.ids.assign(lists.ids.begin(), lists.ids.begin() + static_cast<std::ptrdiff_t>(n));
      for (std::size_t i = 0; i < n; ++i) {
        const double worth = value(request, 0, lists.scores[i]);
        out.scores.push_back(static_cast<float>(larger_is_better() ? worth : -worth));
      }
      out.exhausted = n < wanted.n && !out.cut;
      return {};
    }
    IdTable places;
    places.reset(m * wanted.n);
    std::vector<Valued> best;
    bool all = true;
    for (std::size_t list = 0; list < m; ++list) {
      const std::size_t n = lists.count(list);
      all &= n < wanted.n;
      for (std::size_t i = list * wanted.n; i < list * wanted.n + n; ++i) {
        const double worth = value(request, list, lists.scores[i]);
        const std::uint32_t place = places.insert(lists.ids[i], static_cast<std::uint32_t>(best.size()));
        if (place == best.size()) best.push_back({lists.ids[i], worth});
        best[place].value = std::max(best[place].value, worth);
      }
    }
    out.exhausted = all && best.size() <= wanted.n && !out.cut;
    emit(best, wanted.n, out);
    return {};
  }

  // A threshold algorithm (Fagin, Lotem & Naor 2003): what is in no list is, to each, no better than the last of its list.
  Status propose_least_happy(const Wanted& wanted, Proposals& out) const {
    const Request& request = wanted.request;
    const std::size_t m = request.vectors.rows();
    const std::size_t dim = index_->dim();
    const Deadline deadline(wanted.deadline_us);
    // What all like on the whole is where to look first.
    std::vector<float> asked(request.vectors.data(), request.vectors.data() + m * dim);
    if (Combined middle; m > 1 && combine_sum(request.vectors, {}, index_->metric(), true, middle)) {
      asked.insert(asked.end(), middle.vector.begin(), middle.vector.end());
    }
    std::vector<Valued> best;
    Lists lists;
    for (std::size_t fetch = 2 * wanted.n;; fetch *= kWider) {
      const std::size_t size = index_->size();
      fetch = std::min(fetch, std::max<std::size_t>(1, size));
      SEGUE_RETURN_IF_ERROR(search(MatrixView(asked, dim), fetch, wanted, deadline, lists, out));
      std::vector<Id> ids;
      double unseen = std::numeric_limits<double>::infinity();
      bool all = false;
      for (std::size_t list = 0; list < asked.size() / dim; ++list) {
        const std::size_t n = lists.count(list);
        ids.insert(ids.end(), lists.ids.begin() + static_cast<std::ptrdiff_t>(list * fetch),
                   lists.ids.begin() + static_cast<std::ptrdiff_t>(list * fetch + n));
        if (list >= m) continue;
        if (n < fetch || fetch == size) {
          all = true;
        } else {
          const float last = lists.scores[list * fetch + n - 1];
          unseen = std::min(unseen, static_cast<double>(larger_is_better() ? last : -last));
        }
      }
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      weigh_worst(request, ids, best);
      // What is unseen and as good may have a smaller id.
      const bool sure = best.size() >= wanted.n && best[wanted.n - 1].value > unseen;
      if (all || sure || out.cut || deadline.passed() || fetch >= std::max(kLongest, 16 * wanted.n)) {
        out.exhausted = all && best.size() <= wanted.n && !out.cut;
        emit(best, wanted.n, out);
        return {};
      }
    }
  }

  // The worst of each item's scores, the best first.
  void weigh_worst(const Request& request, std::span<const Id> ids, std::vector<Valued>& best) const {
    const std::size_t dim = index_->dim();
    std::vector<float> rows;
    std::vector<std::uint32_t> which;
    read_vectors(*index_, ids, rows, which);
    std::vector<double> lengths(request.vectors.rows(), 1.0);
    if (index_->metric() == Metric::kCosine) {
      for (std::size_t i = 0; i < lengths.size(); ++i) {
        const float* q = request.vectors.row(i);
        lengths[i] = std::sqrt(std::inner_product(q, q + dim, q, 0.0));
      }
    }
    best.clear();
    for (std::size_t r = 0; r < which.size(); ++r) {
      const float* x = rows.data() + r * dim;
      double worst = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < request.vectors.rows(); ++i) {
        const float* q = request.vectors.row(i);
        double sum = 0;
        for (std::size_t j = 0; j < dim; ++j) {
          const double a = q[j];
          const double b = x[j];
          sum += index_->metric() == Metric::kL2 ? -(a - b) * (a - b) : a * b;
        }
        worst = std::min(worst, sum / lengths[i]);
      }
      best.push_back({ids[which[r]], worst});
    }
    std::sort(best.begin(), best.end());
  }

  // Turns go to the vector that has least of what its weight says; the order has no scores.
  Status propose_shares(const Wanted& wanted, Proposals& out) const {
    const Request& request = wanted.request;
    const std::size_t m = request.vectors.rows();
    Lists lists;
    SEGUE_RETURN_IF_ERROR(search(request.vectors, wanted.n, wanted, Deadline(wanted.deadline_us), lists, out));
    std::vector<std::size_t> next(m, 0), count(m), taken(m, 0);
    bool all = true;
    for (std::size_t list = 0; list < m; ++list) {
      count[list] = lists.count(list);
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
      const Id id = lists.ids[turn * wanted.n + next[turn]++];
      if (seen.find(id) != IdTable::kNone) continue;
      seen.insert(id, 0);
      out.ids.push_back(id);
      ++taken[turn];
    }
    out.exhausted = all && out.ids.size() < wanted.n && !out.cut;
    return {};
  }
};

class NearestToSeeds final : public Nearest {
 public:
  using Nearest::Nearest;

  Status check(const Request&) const override { return check_index(); }

  Status propose(const Wanted& wanted, Proposals& out) const override {
    const Request& request = wanted.request;
    out.larger_is_better = larger_is_better();
    std::vector<float> rows, weights;
    std::vector<std::uint32_t> which;
    read_vectors(*index_, request.seeds, rows, which);
    if (which.empty()) {
      out.exhausted = true;
      return {};
    }
    for (const std::uint32_t i : which) weights.push_back(static_cast<float>(std::exp2(-static_cast<double>(i) / request.seed_half_life)));
    Combined combined;
    if (!combine_sum(MatrixView(rows, index_->dim()), weights, index_->metric(), true, combined)) {
      return invalid_argument("the seeds of the request cancel each other out, so nothing is nearest to their sum");
    }
    return propose_nearest(combined, wanted, out);
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
