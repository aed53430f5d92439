#pragma once
// Gate: which slots a query may return: those with an item that the filter allows and exclude does not name.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "items/slot_marks.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/id_set_reader.hpp"
#include "segue/core/visited_set.hpp"
#include "segue/index.hpp"

namespace segue {

class Gate {
 public:
  // `excluded` is memory for the query's marks; it and the rest must outlive the gate. `matches`: the slots that the
  // filter lets through, where an index knows them; a bit is asked then instead of an id and a set. `later`: exclusions do
  // not count before mark_excluded().
  Gate(const IdMap& ids, const SearchOptions& options, std::size_t query, VisitedSet& excluded,
       const SlotMarks* matches = nullptr, bool later = false)
      : map_(ids), ids_(ids.ids()), matches_(matches), excluded_(excluded), unmarked_(options.exclude.of(query)) {
    if (options.filter != nullptr && matches == nullptr) filter_.emplace(*options.filter);
    if (!later) mark_excluded();
  }

  // Ids left out that do not count yet.
  std::span<const Id> unmarked() const noexcept { return unmarked_; }
  void mark_excluded() {
    if (unmarked_.empty()) return;
    excluded_.reset(map_.slots());
    excludes_ = 0;
    constexpr std::size_t kAtOnce = 256;
    std::uint32_t slots[kAtOnce];
    std::uint32_t fresh[kAtOnce];
    for (std::size_t first = 0; first < unmarked_.size(); first += kAtOnce) {
      const std::size_t some = std::min(kAtOnce, unmarked_.size() - first);
      map_.find(unmarked_.subspan(first, some), slots);
      const auto n = static_cast<std::size_t>(std::remove(slots, slots + some, kNoSlot) - slots);
      excludes_ += excluded_.insert_links({slots, n}, map_.slots(), fresh, [](std::uint32_t) {});
    }
    unmarked_ = {};
  }
  // These are all that matter of those that do not count yet.
  void mark_only(std::span<const std::uint32_t> slots) {
    excluded_.reset(map_.slots());
    for (const std::uint32_t slot : slots) excludes_ += excluded_.insert(slot);
  }

  // Whether it rejects nothing but empty slots.
  bool open() const noexcept { return !filter_ && matches_ == nullptr && excludes_ == 0; }
  std::size_t excludes() const noexcept { return excludes_; }
  // Whether the query leaves that slot out by name.
  bool excludes(std::uint32_t slot) const noexcept { return excludes_ != 0 && excluded_.contains(slot); }

  bool accepts(std::uint32_t slot) const noexcept {
    if (excludes(slot)) return false;
    if (matches_ != nullptr) return matches_->has(slot);
    const Id id = IdMap::load(ids_ + slot);
    return id >= 0 && (!filter_ || filter_->contains(id));
  }

 private:
  const IdMap& map_;
  const Id* ids_;
  const SlotMarks* matches_;
  std::optional<IdSetReader> filter_;
  VisitedSet& excluded_;
  std::span<const Id> unmarked_;
  std::size_t excludes_ = 0;
};

}  // namespace segue
