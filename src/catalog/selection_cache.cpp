#include "catalog/selection_cache.hpp"

namespace segue {

std::optional<SelectionCache::Selection> SelectionCache::find(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(text);
  if (place == places_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->selection;
}

void SelectionCache::keep(std::string text, Selection selection) {
  const std::size_t bytes = sizeof(Entry) + 2 * text.size() + selection.ids.memory_usage();
  if (bytes > kMaxBytes) return;
  const std::lock_guard lock(mutex_);
  if (const auto place = places_.find(text); place != places_.end()) {
    const auto entry = place->second;
    // Another thread may have been faster, on a later version.
    if (entry->selection.version > selection.version) return;
    bytes_ -= entry->bytes;
    places_.erase(place);
    entries_.erase(entry);
  }
  entries_.push_front({std::move(text), std::move(selection), bytes});
  try {
    places_.emplace(entries_.front().text, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  bytes_ += bytes;
  while (entries_.size() > kMaxEntries || bytes_ > kMaxBytes) drop_last();
}

void SelectionCache::drop_last() {
  places_.erase(entries_.back().text);
  bytes_ -= entries_.back().bytes;
  entries_.pop_back();
}

void SelectionCache::note(std::uint64_t version, std::span<const Id> changed) {
  if (changed.size() > kMaxChanged) return forget_changes(version);
  const std::lock_guard lock(mutex_);
  changes_.push_back({version, std::vector<Id>(changed.begin(), changed.end())});
  changed_ += changed.size();
  while (changed_ > kMaxChanged) {
    changed_ -= changes_.front().ids.size();
    known_from_ = changes_.front().version;
    changes_.pop_front();
  }
}

void SelectionCache::forget_changes(std::uint64_t version) noexcept {
  const std::lock_guard lock(mutex_);
  changes_.clear();
  changed_ = 0;
  known_from_ = version;
}

std::optional<std::vector<Id>> SelectionCache::changed_since(std::uint64_t version) const {
  const std::lock_guard lock(mutex_);
  if (version < known_from_) return std::nullopt;
  std::vector<Id> all;
  for (const Change& change : changes_) {
    if (change.version > version) all.insert(all.end(), change.ids.begin(), change.ids.end());
  }
  return all;
}

std::size_t SelectionCache::memory_usage() const {
  const std::lock_guard lock(mutex_);
  return bytes_ + changed_ * sizeof(Id);
}

}  // namespace segue
