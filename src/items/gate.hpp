#pragma once
// Gate: which slots a query may return: those with an item that the filter allows and exclude does not name.

#include <cstdint>
#include <optional>

#include "segue/core/id_map.hpp"
#include "segue/core/id_set_reader.hpp"
#include "segue/core/visited_set.hpp"
#include "segue/index.hpp"

namespace segue {

class Gate {
 public:
  // `excluded` is memory for the query's marks; it and the rest must outlive the gate.
  Gate(const IdMap& ids, const SearchOptions& options, std::size_t query, VisitedSet& excluded)
      : ids_(ids.ids()), excluded_(excluded) {
    if (options.filter != nullptr) filter_.emplace(*options.filter);
    const std::span<const Id> out = options.exclude.of(query);
    if (out.empty()) return;
    excluded_.reset(ids.slots());
    for (const Id id : out) {
      const std::uint32_t slot = ids.find(id);
      if (slot != kNoSlot) excludes_ += excluded_.insert(slot);
    }
  }

  // Whether it rejects nothing but empty slots.
  bool open() const noexcept { return !filter_ && excludes_ == 0; }
  std::size_t excludes() const noexcept { return excludes_; }
  // Whether the query leaves that slot out by name.
  bool excludes(std::uint32_t slot) const noexcept { return excludes_ != 0 && excluded_.contains(slot); }
  const std::optional<IdSetReader>& filter() const noexcept { return filter_; }

  bool accepts(std::uint32_t slot) const noexcept {
    const Id id = ids_[slot];
    return id >= 0 && (!filter_ || filter_->contains(id)) && (excludes_ == 0 || !excluded_.contains(slot));
  }

 private:
  const Id* ids_;
  std::optional<IdSetReader> filter_;
  VisitedSet& excluded_;
  std::size_t excludes_ = 0;
};

}  // namespace segue
