#pragma once
// SelectionCache: what filters selected, by what they say (Expression::normal_text) and the catalog's version.
//
// Bounded by entries and bytes; the one that was used least recently goes first. A selection from before some changes
// is handed out with its version: whoever asked may mend it, since the cache also keeps which ids changed lately.
// Thread-safe by itself, so that select() needs its catalog's lock shared only; note() is called with that lock held
// alone.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "segue/filter.hpp"

namespace segue {

class SelectionCache {
 public:
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  // Mending looks at rows one by one; for more of them than this a scan is faster.
  static constexpr std::size_t kMaxChanged = 8192;

  struct Selection {
    IdSet ids;
    std::uint64_t version = 0;
  };

  std::optional<Selection> find(std::string_view text);
  void keep(std::string text, Selection selection);

  // `version` is the one after the change. Too many at once, or too long ago, are forgotten.
  void note(std::uint64_t version, std::span<const Id> changed);
  void forget_changes(std::uint64_t version) noexcept;
  // The ids that changed after `version`, some twice; nothing if they are no longer known.
  std::optional<std::vector<Id>> changed_since(std::uint64_t version) const;

  std::size_t memory_usage() const;

 private:
  struct Entry {
    std::string text;
    Selection selection;
    std::size_t bytes;
  };
  struct Change {
    std::uint64_t version;
    std::vector<Id> ids;
  };

  void drop_last();

  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // used last comes first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;
  std::size_t bytes_ = 0;
  std::deque<Change> changes_;
  std::size_t changed_ = 0;
  std::uint64_t known_from_ = 0;  // all changes after this version are in changes_
};

}  // namespace segue
