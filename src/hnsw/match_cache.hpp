#pragma once
// MatchCache: what a graph knows of filters that came before; FilterCache is that of indexes of coded rows.
//
// Plans are of very different sizes here, from a bit a slot to codes of half of all items, so it is bytes that are bounded.
// Filters are told apart by their contents, so a caller may make the same one again for each request. Safe from any number
// of threads.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "codes/change_log.hpp"
#include "hnsw/match_plan.hpp"
#include "segue/filter.hpp"

namespace segue {

class MatchCache {
 public:
  // The plan of a filter as of now; all that are kept take at most `room` bytes, or are one. make(old, changed) makes it:
  // `old` is null, or one before these slots changed. It is called without the lock, perhaps by several threads at once.
  template <class Make>
  std::shared_ptr<const MatchPlan> find_or_make(const IdSet& filter, const ChangeLog& changes, std::size_t room,
                                                const Make& make) {
    std::shared_ptr<const MatchPlan> plan = find(filter);
    std::optional<std::span<const std::uint32_t>> changed;
    if (plan != nullptr) changed = changes.since(plan->made);
    if (changed && changed->empty()) return plan;
    MatchPlan fresh = changed ? make(plan.get(), *changed) : make(nullptr, {});
    fresh.made = changes.now();
    plan = std::make_shared<const MatchPlan>(std::move(fresh));
    keep(filter, plan, room);
    return plan;
  }

  std::size_t memory_usage() const {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = 0;
    for (const Entry& entry : entries_) bytes += entry.bytes;
    return bytes;
  }

 private:
  // More take longer to be looked through than many a search.
  static constexpr std::size_t kMost = 256;

  struct Entry {
    IdSet filter;
    std::shared_ptr<const MatchPlan> plan;
    std::size_t bytes;
    std::uint64_t used;
  };

  auto entry_of(const IdSet& filter) {
    return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.filter == filter; });
  }
  std::shared_ptr<const MatchPlan> find(const IdSet& filter) {
    const std::lock_guard lock(mutex_);
    const auto entry = entry_of(filter);
    if (entry == entries_.end()) return nullptr;
    entry->used = ++clock_;
    return entry->plan;
  }
  // In the place of the one before it; those that were used longest ago make room.
  void keep(const IdSet& filter, std::shared_ptr<const MatchPlan> plan, std::size_t room) {
    const std::size_t bytes = filter.memory_usage() + plan->memory_usage();
    const std::lock_guard lock(mutex_);
    if (const auto before = entry_of(filter); before != entries_.end()) entries_.erase(before);
    std::size_t all = bytes;
    for (const Entry& entry : entries_) all += entry.bytes;
    while (!entries_.empty() && (all > room || entries_.size() == kMost)) {
      const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                           [](const Entry& a, const Entry& b) { return a.used < b.used; });
      all -= oldest->bytes;
      entries_.erase(oldest);
    }
    entries_.push_back({filter, std::move(plan), bytes, ++clock_});
  }

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace segue
