#pragma once
// Places: who may still take a place of a list of k, by caps and minimum quotas.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "candidates/catalog_rows.hpp"
#include "candidates/pool.hpp"
#include "segue/filter.hpp"

namespace segue {

struct CapColumn {
  std::size_t column;
  std::size_t at_most;
};
struct Quota {
  IdSet matches;
  std::size_t at_least;
  std::size_t asked = 0;  // so many by themselves; 0: not yet
  bool more = true;       // a source has more than that
  std::size_t met = 0;    // so many had a place in the last list
};

class Places {
 public:
  static constexpr std::size_t kMostQuotas = 64;

  // Items are known by their position in `items`. Of a quota no more is wanted than there is.
  void reset(std::size_t k, std::span<const PoolItem> items, const CatalogRows& rows, std::span<const CapColumn> caps,
             std::span<const Quota> quotas);

  std::size_t left() const noexcept { return left_; }
  const std::vector<std::uint32_t>& taken() const noexcept { return taken_; }
  bool is_taken(std::uint32_t item) const noexcept { return is_taken_[item] != 0; }
  // No group of it is full.
  bool fits(std::uint32_t item) const noexcept;
  // And a quota wants it, or enough places are left then for what quotas still want.
  bool may_take(std::uint32_t item) const noexcept;
  void take(std::uint32_t item);
  bool matches(std::uint32_t item, std::size_t quota) const noexcept { return quotas_of_[item] >> quota & 1; }

 private:
  std::size_t left_ = 0;
  std::vector<std::uint32_t> taken_;
  std::vector<std::uint8_t> is_taken_;
  std::vector<std::uint32_t> offsets_;  // item i is in groups_[offsets_[i] .. offsets_[i + 1]), all caps' in one
  std::vector<std::uint32_t> groups_;
  std::vector<std::size_t> room_;         // of each group
  std::vector<std::uint64_t> quotas_of_;  // of each item: a bit a quota
  std::vector<std::size_t> needs_;        // of each quota
  std::size_t wanted_ = 0;  // all needs
  std::vector<IdTable> values_;  // of each cap: its group by value
};

}  // namespace segue
