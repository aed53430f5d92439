#include "codes/filter_cache.hpp"

#include <algorithm>
#include <utility>

namespace segue {

std::vector<FilterCache::Entry>::iterator FilterCache::entry_of(const IdSet& filter) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.filter == filter; });
}

std::shared_ptr<const FilterPlan> FilterCache::find(const IdSet& filter) {
  const std::lock_guard lock(mutex_);
  const auto entry = entry_of(filter);
  if (entry == entries_.end()) return nullptr;
  entry->used = ++clock_;
  return entry->plan;
}

void FilterCache::keep(const IdSet& filter, std::shared_ptr<const FilterPlan> plan) {
  const std::lock_guard lock(mutex_);
  auto place = entry_of(filter);
  if (place == entries_.end() && entries_.size() < kMost) place = entries_.insert(place, Entry());
  if (place == entries_.end()) {
    place = std::min_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  }
  *place = {filter, std::move(plan), ++clock_};
}

std::size_t FilterCache::memory_usage() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const Entry& entry : entries_) {
    bytes += entry.filter.memory_usage() + entry.plan->marks.memory_usage() +
             entry.plan->slots.capacity() * sizeof(std::uint32_t) + entry.plan->barred.capacity();
  }
  return bytes;
}

}  // namespace segue
