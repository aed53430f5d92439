#pragma once
// Nearest: what sources that search an index have in common.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "candidates/combine_vectors.hpp"
#include "segue/candidates/source.hpp"
#include "segue/core/deadline.hpp"

namespace segue {

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

 protected:
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

// The n best, as scores of the index.
inline void propose_best(std::vector<Valued>& best, std::size_t n, Proposals& out) {
  const std::size_t kept = std::min(n, best.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end());
  for (std::size_t i = 0; i < kept; ++i) {
    out.ids.push_back(best[i].id);
    out.scores.push_back(static_cast<float>(out.larger_is_better ? best[i].value : -best[i].value));
  }
}

}  // namespace segue
