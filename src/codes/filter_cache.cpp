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

bool FilterCache::pays_to_pack(const IdSet& filter, std::size_t queries) {
  const std::lock_guard lock(mutex_);
  const auto entry = entry_of(filter);
  if (entry == entries_.end() || entry->packs) return false;
  entry->queries += queries;
  entry->packs = entry->queries * kRowsAQuery >= entry->plan->marks.rows();
  return entry->packs;
}

void FilterCache::keep(const IdSet& filter, std::shared_ptr<const FilterPlan> plan) {
  const std::lock_guard lock(mutex_);
  if (plan->packed != nullptr) {
    const std::size_t rows = plan->marks.blocks() * kernels::kBlockRows;
    drop_copies(rows - std::min(rows, plan->packed->positions()));
  }
  auto place = entry_of(filter);
  if (place == entries_.end() && entries_.size() < kMost) place = entries_.insert(place, Entry());
  if (place == entries_.end()) {
    place = std::min_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  }
  // One that was packed, or was not worth it, stays so until it changes.
  const bool same = place->plan != nullptr && place->filter == filter && place->plan->made == plan->made;
  *place = {filter, std::move(plan), ++clock_, same ? place->queries : 0, same && place->packs};
}

void FilterCache::drop_copies(std::size_t most_rows) {
  std::size_t rows = 0;
  std::vector<Entry*> packed;
  for (Entry& entry : entries_) {
    if (entry.plan->packed == nullptr) continue;
    rows += entry.plan->packed->positions();
    packed.push_back(&entry);
  }
  std::sort(packed.begin(), packed.end(), [](const Entry* a, const Entry* b) { return a->used < b->used; });
  for (std::size_t i = 0; i < packed.size() && rows > most_rows; ++i) {
    rows -= packed[i]->plan->packed->positions();
    FilterPlan plan = *packed[i]->plan;
    plan.packed = nullptr;
    packed[i]->plan = std::make_shared<const FilterPlan>(std::move(plan));
    packed[i]->queries = 0;
    packed[i]->packs = false;
  }
}

std::size_t FilterCache::memory_usage() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const Entry& entry : entries_) {
    bytes += entry.filter.memory_usage() + entry.plan->marks.memory_usage() +
             entry.plan->slots.capacity() * sizeof(std::uint32_t) + entry.plan->barred.capacity();
    if (entry.plan->packed != nullptr) bytes += entry.plan->packed->memory_usage();
  }
  return bytes;
}

}  // namespace segue
