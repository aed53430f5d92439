#pragma once
// IdTable: ids to small numbers, for one request: open addressing, cleared in O(what it held), no allocation once warm.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "segue/core/mix64.hpp"
#include "segue/types.hpp"

namespace segue {

class IdTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  // Empty, with room for so many. Ids are not kMissingId.
  void reset(std::size_t most) {
    const std::size_t wanted = std::bit_ceil(2 * most + 2);
    if (entries_.size() < wanted) {
      entries_.assign(wanted, {kMissingId, kNone});
    } else {
      for (const std::uint32_t place : used_) entries_[place] = {kMissingId, kNone};
    }
    used_.clear();
    used_.reserve(most);
  }
  std::size_t size() const noexcept { return used_.size(); }
  std::uint32_t find(Id id) const noexcept { return entries_.empty() ? kNone : entries_[place_of(id)].value; }
  // The value of an id, which becomes `value` if there was none. Grows where that is more than reset() was told.
  std::uint32_t& insert(Id id, std::uint32_t value) {
    if (2 * (used_.size() + 1) > entries_.size()) grow();
    const std::size_t place = place_of(id);
    if (entries_[place].id == kMissingId) {
      entries_[place] = {id, value};
      used_.push_back(static_cast<std::uint32_t>(place));
    }
    return entries_[place].value;
  }

 private:
  struct Entry {
    Id id;
    std::uint32_t value;
  };

  std::size_t place_of(Id id) const noexcept {
    const std::size_t mask = entries_.size() - 1;
    std::size_t place = mix64(static_cast<std::uint64_t>(id)) & mask;
    while (entries_[place].id != kMissingId && entries_[place].id != id) place = (place + 1) & mask;
    return place;
  }
  void grow() {
    std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(std::bit_ceil(4 * used_.size() + 16), {kMissingId, kNone}));
    const std::vector<std::uint32_t> places = std::exchange(used_, {});
    for (const std::uint32_t place : places) insert(old[place].id, old[place].value);
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> used_;  // places that hold something
};

}  // namespace segue
