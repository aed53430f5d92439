#pragma once
// IdMap: which slot an id lives in, and which id lives in a slot.
//
// Layout: `ids[slot]` holds the id, kMissingId in an empty slot. The way back is an open-addressing table of slots
// (4 bytes an entry, at most half full, linear probing, no tombstones: erasing shifts back), which is absent as long as
// every id equals its slot; so the usual catalogue 0 .. n-1 pays 8 bytes an item and no look-up. Both arrays go into
// the file as they are.
//
// A slot may be held for an item of a change that is under way: it has an id below kMissingId then, which says which item
// and which nobody finds.
//
// Invariants: table size is 0 or a power of two > 2 * count; every id of a slot is reachable from its hash without an
// empty entry in between. find() is O(1), safe on damaged tables (slots are range-checked, probing is bounded).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

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
  Id id(std::uint32_t slot) const noexcept { return load(ids_.data() + slot); }
  const Id* ids() const noexcept { return ids_.data(); }
  // An id of ids() while another thread may hold its slot.
  static Id load(const Id* id) noexcept { return __atomic_load_n(id, __ATOMIC_RELAXED); }

  std::uint32_t find(Id id) const noexcept {
    // Without a table ids are slots.
    if (!table_.empty()) return find_in_table(id);
    const auto slot = static_cast<std::size_t>(id);
    return slot < ids_.size() && load(ids_.data() + slot) == id ? static_cast<std::uint32_t>(slot) : kNoSlot;
  }

  // Of many, one slot each: what they wait for in memory overlaps.
  void find(std::span<const Id> ids, std::uint32_t* slots) const noexcept;

  // Of what find() will read first.
  void prefetch(Id id) const noexcept;

  // Room for that many slots in all.
  void reserve(std::size_t slots);
  // While others read (see Buffer): so that `more` inserts, of any ids into any slots where `any_slot`, move nothing.
  template <class Publish>
  void reserve(std::size_t slots, std::size_t more, bool any_slot, const Publish& publish) {
    ids_.reserve(slots, publish);
    const std::size_t entries = wanted_entries(slots, more, any_slot);
    if (entries == table_.size()) return;
    Buffer<std::uint32_t> fresh = make_table(entries);
    publish([&] { table_.swap(fresh); });
  }
  // `id` is not there and `slot` is empty or one past the end (the slots between are then empty).
  void insert(Id id, std::uint32_t slot);
  void erase(Id id) noexcept;
  // A slot more at the end.
  void add_empty() { ids_.push_back(kMissingId); }
  // An empty slot is held for that item. Safe while others read, to whom it is as empty as before.
  void hold(std::uint32_t slot, std::size_t item) noexcept { set(slot, kMissingId - 1 - static_cast<Id>(item)); }
  // Which item; only where held.
  std::size_t held_for(std::uint32_t slot) const noexcept { return static_cast<std::size_t>(kMissingId - 1 - ids_[slot]); }
  bool is_held(std::uint32_t slot) const noexcept { return ids_[slot] < kMissingId; }
  // Empty again.
  void release(std::uint32_t slot) noexcept { set(slot, kMissingId); }
  // Drops empty slots at the end.
  void truncate(std::size_t slots) { ids_.resize(slots); }

  const Buffer<Id>& id_array() const noexcept { return ids_; }
  const Buffer<std::uint32_t>& table() const noexcept { return table_; }
  std::size_t memory_usage() const noexcept { return ids_.memory_usage() + table_.memory_usage(); }
  Status validate() const;

 private:
  void set(std::uint32_t slot, Id id) noexcept { __atomic_store_n(ids_.data() + slot, id, __ATOMIC_RELAXED); }
  std::uint32_t find_in_table(Id id) const noexcept;
  std::size_t home(Id id) const noexcept;
  Buffer<std::uint32_t> make_table(std::size_t entries) const;
  std::size_t wanted_entries(std::size_t slots, std::size_t more, bool any_slot) const noexcept;
  void rebuild_table(std::size_t entries);
  // False when the table is full, which only a damaged file makes it.
  static bool place(Buffer<std::uint32_t>& table, Id id, std::uint32_t slot) noexcept;

  Buffer<Id> ids_;
  Buffer<std::uint32_t> table_;  // slot + 1; 0 is empty
  std::size_t count_ = 0;
};

}  // namespace segue
