#pragma once
// NamedAmong: which of a few ids a long list names, in one pass over the list that looks nothing up.
//
// A search has some dozens of answers; what a person has heard is some thousands of ids. Looking up each of those, to mark
// it, takes 4 nanoseconds an id; asking each whether it may be one of the answers, by a bit of 2 KB, half of one.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "segue/core/mix64.hpp"
#include "segue/types.hpp"

namespace segue {

class NamedAmong {
 public:
  void clear() {
    bits_.assign(kWords, 0);
    ids_.clear();
  }
  void add(Id id, std::uint32_t slot) {
    bits_[place(id) >> 6] |= std::uint64_t{1} << (place(id) & 63);
    ids_.push_back({id, slot});
  }
  std::size_t size() const noexcept { return ids_.size(); }

  // The slots that were added with ids that the list names; perhaps repeatedly.
  void find(std::span<const Id> list, std::vector<std::uint32_t>& slots) const {
    slots.clear();
    for (const Id id : list) {
      if ((bits_[place(id) >> 6] >> (place(id) & 63) & 1) == 0) continue;
      for (const Added& added : ids_) {
        if (added.id == id) slots.push_back(added.slot);
      }
    }
  }

 private:
  static constexpr std::size_t kBits = 14;
  static constexpr std::size_t kWords = (std::size_t{1} << kBits) / 64;

  struct Added {
    Id id;
    std::uint32_t slot;
  };

  static std::size_t place(Id id) noexcept { return static_cast<std::uint64_t>(id) * kGoldenGamma >> (64 - kBits); }

  std::vector<std::uint64_t> bits_;
  std::vector<Added> ids_;
};

}  // namespace segue
