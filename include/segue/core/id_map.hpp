#pragma once
// IdMap: which slot an id lives in, and which id lives in a slot.
//
// Layout: `ids[slot]` holds the id, kMissingId in an empty slot. The way back is an open-addressing table of slots
// (4 bytes an entry, at most half full, linear probing, no tombstones: erasing shifts back), which is absent as long as
// every id equals its slot; so the usual catalogue 0 .. n-1 pays 8 bytes an item and no look-up. Both arrays go into
// the file as they are.
//
// Invariants: table size is 0 or a power of two > 2 * count; every id of a slot is reachable from its hash without an
// empty entry in between. find() is O(1), safe on damaged tables (slots are range-checked, probing is bounded).

#include <cstddef>
#include <cstdint>
#include <limits>

#include "segue/core/buffer.hpp"
#include "segue/types.hpp"

namespace segue {

inline constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

class IdMap {
 public:
  IdMap() = default;
  // From a file. Neither array is trusted; validate() says whether they fit together.
  IdMap(Buffer<Id> ids, Buffer<std::uint32_t> table, std::size_t count) noexcept;

  std::size_t size() const noexcept { return count_; }
  // One past the last slot that was ever used.
  std::size_t slots() const noexcept { return ids_.size(); }
  Id id(std::uint32_t slot) const noexcept { return ids_[slot]; }
  const Id* ids() const noexcept { return ids_.data(); }

  std::uint32_t find(Id id) const noexcept {
    // Without a table ids are slots.
    if (!table_.empty()) return find_in_table(id);
    const auto slot = static_cast<std::size_t>(id);
    return slot < ids_.size() && ids_[slot] == id ? static_cast<std::uint32_t>(slot) : kNoSlot;
  }

  // Of what find() will read first.
  void prefetch(Id id) const noexcept;

  // Room for that many slots in all.
  void reserve(std::size_t slots);
  // `id` is not there and `slot` is empty or one past the end (the slots between are then empty).
  void insert(Id id, std::uint32_t slot);
  void erase(Id id) noexcept;
  // Drops empty slots at the end.
  void truncate(std::size_t slots) { ids_.resize(slots); }

  const Buffer<Id>& id_array() const noexcept { return ids_; }
  const Buffer<std::uint32_t>& table() const noexcept { return table_; }
  std::size_t memory_usage() const noexcept { return ids_.memory_usage() + table_.memory_usage(); }
  Status validate() const;

 private:
  std::uint32_t find_in_table(Id id) const noexcept;
  std::size_t home(Id id) const noexcept;
  void rebuild_table(std::size_t entries);
  // False when the table is full, which only a damaged file makes it.
  bool place(Id id, std::uint32_t slot) noexcept;

  Buffer<Id> ids_;
  Buffer<std::uint32_t> table_;  // slot + 1; 0 is empty
  std::size_t count_ = 0;
};

}  // namespace segue
