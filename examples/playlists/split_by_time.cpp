#include "split_by_time.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace playlists {

Listeners split_by_time(const PlaylistLog& log, std::int64_t day) {
  Listeners listeners;
  for (std::size_t list = 0; list < log.additions.size(); ++list) {
    std::vector<Addition> additions = log.additions[list];
    std::stable_sort(additions.begin(), additions.end(),
                     [](const Addition& a, const Addition& b) { return a.day < b.day; });
    std::vector<segue::Id> history, future;
    std::unordered_set<segue::Id> known;
    for (const Addition& addition : additions) {
      if (known.insert(addition.song).second) (addition.day < day ? history : future).push_back(addition.song);
    }
    if (history.empty()) continue;
    listeners.names.push_back(log.names[list]);
    listeners.split.seen.push_back(std::move(history));
    listeners.split.held_back.push_back(std::move(future));
  }
  return listeners;
}

}  // namespace playlists
