#include "segue/core/id_map.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "segue/core/mix64.hpp"

namespace segue {
namespace {

std::size_t table_entries(std::size_t count) noexcept { return std::bit_ceil(2 * count + 2); }

std::size_t home_in(const Buffer<std::uint32_t>& table, Id id) noexcept {
  return mix64(static_cast<std::uint64_t>(id)) & (table.size() - 1);
}

}  // namespace

IdMap::IdMap(Buffer<Id> ids, Buffer<std::uint32_t> table, std::size_t count) noexcept
    : ids_(std::move(ids)), table_(std::move(table)), count_(count) {}

std::size_t IdMap::home(Id id) const noexcept { return home_in(table_, id); }

void IdMap::prefetch(Id id) const noexcept {
  if (!table_.empty()) {
    __builtin_prefetch(table_.data() + home(id));
  } else if (static_cast<std::uint64_t>(id) < ids_.size()) {
    __builtin_prefetch(ids_.data() + id);
  }
}

void IdMap::find(std::span<const Id> ids, std::uint32_t* slots) const noexcept {
  // An entry of the table is on its way first, then the id of the slot that it names.
  constexpr std::size_t kNear = 8;
  constexpr std::size_t kFar = 16;
  for (std::size_t i = 0; i < std::min(kFar, ids.size()); ++i) prefetch(ids[i]);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i + kFar < ids.size()) prefetch(ids[i + kFar]);
    if (i + kNear < ids.size() && !table_.empty() && ids[i + kNear] >= 0) {
      const std::uint32_t entry = table_[home(ids[i + kNear])];
      if (entry != 0 && entry <= ids_.size()) __builtin_prefetch(ids_.data() + (entry - 1));
    }
    slots[i] = find(ids[i]);
  }
}

std::uint32_t IdMap::find_in_table(Id id) const noexcept {
  if (id < 0) return kNoSlot;
  const std::size_t mask = table_.size() - 1;
  std::size_t at = home(id);
  for (std::size_t probes = 0; probes <= mask && table_[at] != 0; ++probes, at = (at + 1) & mask) {
    const std::uint32_t slot = table_[at] - 1;
    if (slot < ids_.size() && ids_[slot] == id) return slot;
  }
  return kNoSlot;
}

void IdMap::reserve(std::size_t slots) {
  ids_.reserve(slots);
  if (!table_.empty() && table_entries(slots) > table_.size()) rebuild_table(table_entries(slots));
}

void IdMap::insert(Id id, std::uint32_t slot) {
  if (slot >= ids_.size()) ids_.resize(slot + std::size_t{1}, kMissingId);
  if (table_.empty() && static_cast<std::uint64_t>(id) != slot) rebuild_table(table_entries(ids_.capacity()));
  if (!table_.empty() && table_entries(count_ + 1) > table_.size()) rebuild_table(table_.size() * 2);
  ids_[slot] = id;
  if (!table_.empty() && !place(table_, id, slot)) rebuild_table(table_entries(ids_.size()));
  ++count_;
}

void IdMap::erase(Id id) noexcept {
  const std::uint32_t slot = find(id);
  if (slot == kNoSlot) return;
  if (!table_.empty()) {
    const std::size_t mask = table_.size() - 1;
    std::size_t hole = home(id);
    while (table_[hole] != slot + 1) hole = (hole + 1) & mask;
    // Shift back every later entry of the run that may stand in the hole, so that no tombstone is needed.
    std::size_t at = hole;
    for (std::size_t steps = 0; steps < mask; ++steps) {
      at = (at + 1) & mask;
      if (table_[at] == 0 || table_[at] > ids_.size()) break;  // the latter only in a damaged table
      const std::size_t wish = home(ids_[table_[at] - 1]);
      if (((at - wish) & mask) >= ((at - hole) & mask)) {
        table_[hole] = table_[at];
        hole = at;
      }
    }
    table_[hole] = 0;
  }
  ids_[slot] = kMissingId;
  --count_;
}

bool IdMap::place(Buffer<std::uint32_t>& table, Id id, std::uint32_t slot) noexcept {
  const std::size_t mask = table.size() - 1;
  std::size_t at = home_in(table, id);
  for (std::size_t probes = 0; probes <= mask; ++probes, at = (at + 1) & mask) {
    if (table[at] != 0) continue;
    table[at] = slot + 1;
    return true;
  }
  return false;
}

Buffer<std::uint32_t> IdMap::make_table(std::size_t entries) const {
  Buffer<std::uint32_t> table(entries);
  for (std::size_t slot = 0; slot < ids_.size(); ++slot) {
    if (ids_[slot] >= 0) place(table, ids_[slot], static_cast<std::uint32_t>(slot));
  }
  return table;
}

void IdMap::rebuild_table(std::size_t entries) { table_ = make_table(entries); }

// No fewer than there are, and as many as insert() would have made of them.
std::size_t IdMap::wanted_entries(std::size_t slots, std::size_t more, bool any_slot) const noexcept {
  if (table_.empty() && !any_slot) return 0;
  const std::size_t least = table_.empty() ? table_entries(std::max(slots, ids_.capacity())) : table_.size();
  return std::max(least, table_entries(std::max(slots, count_ + more)));
}

Status IdMap::validate() const {
  std::size_t found = 0;
  for (std::size_t slot = 0; slot < ids_.size(); ++slot) {
    if (ids_[slot] == kMissingId) continue;
    ++found;
    if (ids_[slot] < 0) return corrupt_file("slot " + std::to_string(slot) + " holds a negative id");
    if (find(ids_[slot]) != slot) {
      return corrupt_file("id " + std::to_string(ids_[slot]) + " of slot " + std::to_string(slot) +
                          " cannot be found through the id table, or is there twice");
    }
  }
  if (found != count_) {
    return corrupt_file("the ids of " + std::to_string(found) + " items are there, " + std::to_string(count_) +
                        " were counted");
  }
  if (table_.empty()) return {};
  std::size_t entries = 0;
  for (const std::uint32_t entry : table_) entries += entry != 0;
  if (!std::has_single_bit(table_.size()) || entries != count_ || table_.size() <= 2 * count_) {
    return corrupt_file("the id table has " + std::to_string(entries) + " entries in " +
                        std::to_string(table_.size()) + " places for " + std::to_string(count_) + " ids");
  }
  return {};
}

}  // namespace segue
