#pragma once
// OwnedIds: what several writers do to ids, each to its own, and what a reader may therefore see at any moment.
//
// Of every id all states that it will go through are drawn before the threads start: there with the vector of a
// version, or gone. Its owner counts an operation as begun before the call and as done after it. A call of another
// thread that began when state `first` was done and ended when state `last` had begun must have seen one of the states
// from first to last: the register of that id is linearizable as far as one can tell from outside. An id that is there
// in all of them must be found.

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string_view>
#include <vector>

#include "index/reference.hpp"
#include "index/vectors.hpp"
#include "model/stored_error.hpp"
#include "segue/types.hpp"

namespace segue::test {

struct OwnedState {
  bool there = false;
  std::vector<float> given;  // empty where it is gone
};

// A call of an owner.
struct OwnedStep {
  std::string_view name;  // "add", "upsert", "remove"
  std::vector<Id> ids;
  Vectors rows;  // but for "remove"
};

class OwnedIds {
 public:
  // Ids 0 .. owners * each - 1; owner w has those with id % owners == w. All are there at first.
  OwnedIds(std::size_t owners, std::size_t each, std::size_t dim, std::size_t steps, std::uint64_t seed)
      : owners_(owners), dim_(dim), cells_(owners * each), steps_(owners) {
    Random random(seed);
    for (Cell& cell : cells_) cell.states.push_back({true, gaussian_vectors(random, 1, dim)});
    for (std::size_t owner = 0; owner < owners; ++owner) {
      for (std::size_t i = 0; i < steps; ++i) draw_step(random, owner, each);
    }
  }

  std::size_t size() const { return cells_.size(); }
  std::size_t owner_of(Id id) const { return static_cast<std::size_t>(id) % owners_; }
  const std::vector<OwnedStep>& steps(std::size_t owner) const { return steps_[owner]; }
  Vectors first_rows() const {
    Vectors rows;
    for (const Cell& cell : cells_) rows.insert(rows.end(), cell.states[0].given.begin(), cell.states[0].given.end());
    return rows;
  }

  // By the owner, around the call.
  void begin(const OwnedStep& step) {
    for (const Id id : step.ids) cells_[static_cast<std::size_t>(id)].begun.fetch_add(1);
  }
  void end(const OwnedStep& step) {
    for (const Id id : step.ids) cells_[static_cast<std::size_t>(id)].done.fetch_add(1);
  }

  // By a reader: first() before its call, last() after it.
  std::vector<std::size_t> first() const {
    std::vector<std::size_t> counts;
    for (const Cell& cell : cells_) counts.push_back(cell.done.load());
    return counts;
  }
  std::vector<std::size_t> last() const {
    std::vector<std::size_t> counts;
    for (const Cell& cell : cells_) counts.push_back(cell.begun.load());
    return counts;
  }

  bool known(Id id) const { return id >= 0 && static_cast<std::size_t>(id) < cells_.size(); }
  const OwnedState& state(Id id, std::size_t at) const { return cells_[static_cast<std::size_t>(id)].states[at]; }

 private:
  struct Cell {
    std::vector<OwnedState> states;
    std::atomic<std::size_t> begun{0}, done{0};
  };

  void draw_step(Random& random, std::size_t owner, std::size_t each) {
    OwnedStep step;
    std::vector<Id> there, gone;
    for (std::size_t i = 0; i < each; ++i) {
      const Id id = static_cast<Id>(i * owners_ + owner);
      (cells_[static_cast<std::size_t>(id)].states.back().there ? there : gone).push_back(id);
    }
    std::vector<Id> from = there;
    const std::size_t kind = random.below(gone.size() < 4 ? 2 : 4);
    step.name = kind == 0 ? "remove" : kind == 1 ? "upsert" : "add";
    if (kind == 1) from.insert(from.end(), gone.begin(), gone.end());
    if (kind > 1) from = gone;
    const std::size_t n = std::min(from.size(), 1 + random.below(12));
    for (std::size_t i = 0; i < n; ++i) std::swap(from[i], from[i + random.below(from.size() - i)]);
    step.ids.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
    for (const Id id : step.ids) {
      OwnedState next;
      if (kind != 0) {
        next = {true, gaussian_vectors(random, 1, dim_)};
        step.rows.insert(step.rows.end(), next.given.begin(), next.given.end());
      }
      cells_[static_cast<std::size_t>(id)].states.push_back(std::move(next));
    }
    steps_[owner].push_back(std::move(step));
  }

  std::size_t owners_, dim_;
  std::vector<Cell> cells_;
  std::vector<std::vector<OwnedStep>> steps_;
};

// Whether `stored` may be what an index made of `given`.
inline bool may_be_stored(Metric metric, Storage storage, const std::vector<float>& given, const float* stored) {
  const std::vector<double> wanted = wanted_row(metric, given.data(), given.size());
  const double largest = largest_of(wanted);
  for (std::size_t j = 0; j < wanted.size(); ++j) {
    if (std::abs(stored[j] - wanted[j]) > 1.001 * stored_error(storage, wanted[j], largest) + 1e-9) return false;
  }
  return true;
}

// Whether `score` may be that of `given` for a query. What a storage rounds away, a vector e, changes a product by at
// most |q| |e| and a squared distance by 2 |q - x| |e| + |e|^2.
inline bool may_score(Metric metric, Storage storage, const std::vector<float>& given, const float* query,
                      double score) {
  const std::size_t dim = given.size();
  const std::vector<double> x = wanted_row(metric, given.data(), dim);
  const std::vector<double> q = wanted_row(metric, query, dim);
  const double largest = largest_of(x);
  double dot = 0, l2 = 0, xx = 0, qq = 0, ee = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    dot += x[j] * q[j];
    l2 += (x[j] - q[j]) * (x[j] - q[j]);
    xx += x[j] * x[j];
    qq += q[j] * q[j];
    const double e = stored_error(storage, x[j], largest);
    ee += e * e;
  }
  if (std::isinf(ee)) return true;
  const double e = std::sqrt(ee);
  const double rounding = score_tolerance(metric, std::sqrt(xx) + e, std::sqrt(qq), dim);
  if (metric == Metric::kL2) return std::abs(score - l2) <= 2 * std::sqrt(l2) * e + ee + rounding;
  return std::abs(score - dot) <= std::sqrt(qq) * e + rounding;
}

}  // namespace segue::test
