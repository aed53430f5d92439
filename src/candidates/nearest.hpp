#pragma once
// Nearest: what sources that search an index have in common: one search a request, or one for many requests.

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
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

// What an index is asked for a request.
struct Sought {
  MatrixView vectors = {};                // none: there is nothing to propose
  std::optional<Combined> combined = {};  // one vector stands for several, and `vectors` is a view of it
};

class Nearest : public Source {
 public:
  Nearest(std::shared_ptr<const Index> index, const NearestOptions& options) : index_(std::move(index)), options_(options) {}

  Status propose(const Wanted& wanted, Proposals& out) const override;
  // Requests that want as many of the same items are one search.
  bool propose_batch(std::span<const Wanted> wanted, std::span<Proposals> out) const override;

  // The n best of each vector; `out.cut` where one was.
  Status search(MatrixView vectors, std::size_t n, const Wanted& wanted, const Deadline& deadline, Lists& lists,
                Proposals& out) const;

 protected:
  Status check_index() const {
    return index_ == nullptr ? invalid_argument("it came without an index to search") : Status();
  }
  bool larger_is_better() const { return segue::larger_is_better(index_->metric()); }

  virtual Status seek(const Request& request, Sought& sought) const = 0;
  // Of the lists of what was sought, of which the first is `first`.
  virtual void conclude(const Wanted& wanted, const Sought& sought, const Lists& lists, std::size_t first,
                        Proposals& out) const = 0;
  // Whether a request is answered by one search.
  virtual bool is_one_search(const Request&) const { return true; }

  // One list as it is, its scores times `factor` and moved by `offset`.
  static void conclude_scaled(const Wanted& wanted, double factor, double offset, const Lists& lists, std::size_t first,
                              Proposals& out);

  std::shared_ptr<const Index> index_;

 private:
  SearchOptions search_options(std::size_t n, const IdSet* allowed, Lists& lists) const;
  // Of the requests at `which`.
  Status search_together(std::span<const Wanted> wanted, std::span<const Sought> sought,
                         std::span<const std::uint32_t> which, Lists& lists) const;

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
