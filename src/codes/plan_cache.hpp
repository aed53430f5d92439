#pragma once
// PlanCache: what an index knows of filters that came before, so that a market or an age limit is looked at once.
//
// A plan costs about what making its IdSet did, and some microseconds after a few changes of the index; it may be improved
// once so many queries have brought its filter that this pays. Plans are of very different sizes, from a bit a row to a copy
// of half of all codes, so it is bytes that are bounded. Filters are told apart by their contents, so a caller may make the
// same one again for each request. Safe from any number of threads.
//
// A Plan has memory_usage() and the Moment `made`.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "codes/change_log.hpp"
#include "segue/filter.hpp"

namespace segue {

template <class Plan>
class PlanCache {
 public:
  using Kept = std::shared_ptr<const Plan>;

  // The plan of a filter as of now; all that are kept take at most `room` bytes, or are one. make(old, changed) makes it:
  // `old` is null, or one before these changes. It is called without the lock, perhaps by several threads at once.
  template <class Make>
  Kept find_or_make(const IdSet& filter, const ChangeLog& changes, std::size_t room, const Make& make) {
    Kept plan = find(filter);
    std::optional<std::span<const std::uint32_t>> changed;
    if (plan != nullptr) changed = changes.since(plan->made);
    if (changed && changed->empty()) return plan;
    Plan fresh = changed ? make(plan.get(), *changed) : make(nullptr, {});
    fresh.made = changes.now();
    plan = std::make_shared<const Plan>(std::move(fresh));
    keep(filter, plan, room);
    return plan;
  }
  // That plan for so many queries more. As soon as pays(plan, all queries since it was made), one of them asks once for
  // improve(plan), a better plan, or nothing where there is none.
  template <class Make, class Pays, class Improve>
  Kept find_or_make(const IdSet& filter, std::size_t queries, const ChangeLog& changes, std::size_t room, const Make& make,
                    const Pays& pays, const Improve& improve) {
    Kept plan = find_or_make(filter, changes, room, make);
    if (!is_due(plan, queries, pays)) return plan;
    std::optional<Plan> better = improve(*plan);
    if (!better) return plan;
    plan = std::make_shared<const Plan>(std::move(*better));
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
    Kept plan;
    std::size_t bytes;
    std::uint64_t used;
    std::size_t queries = 0;
    bool improved = false;  // or cannot be, or is being
  };

  auto entry_of(const IdSet& filter) {
    return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.filter == filter; });
  }
  Kept find(const IdSet& filter) {
    const std::lock_guard lock(mutex_);
    const auto entry = entry_of(filter);
    if (entry == entries_.end()) return nullptr;
    entry->used = ++clock_;
    return entry->plan;
  }
  template <class Pays>
  bool is_due(const Kept& plan, std::size_t queries, const Pays& pays) {
    const std::lock_guard lock(mutex_);
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.plan == plan; });
    if (entry == entries_.end() || entry->improved) return false;
    // Those that it was made for may be the only ones, and share most of what they read: an eighth of them counts.
    constexpr std::size_t kSharing = 8;
    const bool again = entry->queries != 0;
    entry->queries += queries;
    entry->improved = pays(*plan, again ? entry->queries : queries / kSharing);
    return entry->improved;
  }
  // In the place of the one before it; those that were used longest ago make room.
  void keep(const IdSet& filter, const Kept& plan, std::size_t room) {
    const std::size_t bytes = filter.memory_usage() + plan->memory_usage();
    const std::lock_guard lock(mutex_);
    bool improved = false;
    if (const auto before = entry_of(filter); before != entries_.end()) {
      improved = before->plan->made == plan->made && before->improved;
      entries_.erase(before);
    }
    std::size_t all = bytes;
    for (const Entry& entry : entries_) all += entry.bytes;
    while (!entries_.empty() && (all > room || entries_.size() == kMost)) {
      const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                           [](const Entry& a, const Entry& b) { return a.used < b.used; });
      all -= oldest->bytes;
      entries_.erase(oldest);
    }
    entries_.push_back({filter, plan, bytes, ++clock_, 0, improved});
  }

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace segue
