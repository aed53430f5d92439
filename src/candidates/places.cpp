#include "candidates/places.hpp"

#include <algorithm>
#include <bit>

namespace segue {

void Places::reset(std::size_t k, std::span<const PoolItem> items, const CatalogRows& rows,
                   std::span<const CapColumn> caps, std::span<const Quota> quotas) {
  left_ = k;
  taken_.clear();
  is_taken_.assign(items.size(), 0);
  groups_.clear();
  offsets_.assign(1, 0);
  room_.clear();
  // Values become the numbers of their groups, so that asking is cheap.
  values_.resize(caps.size());
  for (IdTable& names : values_) names.reset(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t c = 0; c < caps.size(); ++c) {
      rows.prefetch(caps[c].column, items, i);
      rows.for_each_group(caps[c].column, items[i].row, [&](std::int64_t value) {
        // Negative numbers between the others: -1 stands for none in the table.
        const auto name = static_cast<Id>(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
        const std::uint32_t group = values_[c].insert(name, static_cast<std::uint32_t>(room_.size()));
        if (group == room_.size()) room_.push_back(caps[c].at_most);
        groups_.push_back(group);
      });
    }
    offsets_.push_back(static_cast<std::uint32_t>(groups_.size()));
  }
  quotas_of_.assign(items.size(), 0);
  needs_.assign(quotas.size(), 0);
  wanted_ = 0;
  for (std::size_t q = 0; q < quotas.size(); ++q) {
    std::size_t there = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!quotas[q].matches.contains(items[i].id)) continue;
      quotas_of_[i] |= std::uint64_t{1} << q;
      ++there;
    }
    needs_[q] = std::min(quotas[q].at_least, there);
    wanted_ += needs_[q];
  }
}

bool Places::fits(std::uint32_t item) const noexcept {
  for (std::uint32_t g = offsets_[item]; g < offsets_[item + 1]; ++g) {
    if (room_[groups_[g]] == 0) return false;
  }
  return true;
}

bool Places::may_take(std::uint32_t item) const noexcept {
  if (left_ == 0 || !fits(item)) return false;
  for (std::uint64_t bits = quotas_of_[item]; bits != 0; bits &= bits - 1) {
    if (needs_[static_cast<std::size_t>(std::countr_zero(bits))] > 0) return true;
  }
  return wanted_ < left_;
}

void Places::take(std::uint32_t item) {
  taken_.push_back(item);
  is_taken_[item] = 1;
  --left_;
  for (std::uint32_t g = offsets_[item]; g < offsets_[item + 1]; ++g) --room_[groups_[g]];
  for (std::uint64_t bits = quotas_of_[item]; bits != 0; bits &= bits - 1) {
    std::size_t& need = needs_[static_cast<std::size_t>(std::countr_zero(bits))];
    if (need == 0) continue;
    --need;
    --wanted_;
  }
}

}  // namespace segue
