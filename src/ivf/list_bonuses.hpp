#pragma once
// ListBonuses: what the spread of a list's rows adds to what its centre promises, in the orders that ranking asks for.

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "ivf/centroids.hpp"

namespace segue {

class ListBonuses {
 public:
  // All are zero. `part`: of a spread, that the best of what is spread is above the middle.
  void start(const Centroids& centroids, float part) {
    part_ = part;
    zero(by_list_, centroids.size());
    zero(by_place_, centroids.places());
    if (centroids.groups() != nullptr) zero(by_group_, centroids.groups()->top().places());
  }

  // O(1), or of many centres the size of a group. Not beside readers.
  void set(const Centroids& centroids, std::size_t list, float spread) noexcept {
    by_list_[list] = part_ * spread;
    by_place_[centroids.place_of(list)] = by_list_[list];
    const CentreGroups* groups = centroids.groups();
    if (groups == nullptr) return;
    const std::size_t group = groups->group_of(list);
    const float* const first = by_place_.data() + groups->first_block(group) * kernels::kBlockRows;
    const float* const behind = first + groups->blocks(group) * kernels::kBlockRows;
    // Places that no list has are zero.
    by_group_[group] = std::accumulate(first, behind, 0.0f) / static_cast<float>(groups->centres(group));
  }

  // Under inner product: by the query's norm.
  ListWorth worth() const noexcept {
    return {.bonus = by_place_.span(), .by_norm = true, .exact_bonus = by_list_.span(), .group_bonus = by_group_.span()};
  }

  std::size_t memory_usage() const noexcept {
    return by_list_.memory_usage() + by_place_.memory_usage() + by_group_.memory_usage();
  }

 private:
  static void zero(Buffer<float>& numbers, std::size_t n) {
    numbers.resize(n);
    std::fill_n(numbers.data(), n, 0.0f);
  }

  float part_ = 0;
  Buffer<float> by_list_;
  Buffer<float> by_place_;
  Buffer<float> by_group_;  // as many as the groups' own centres have places
};

}  // namespace segue
