#include "hold_back.hpp"

#include <algorithm>
#include <utility>

#include "random.hpp"

namespace playlists {

Split hold_back(const PlaylistLog& log, const HoldBackOptions& options) {
  Split split;
  for (std::size_t list = 0; list < log.contents.size(); ++list) {
    const std::vector<segue::Id>& songs = log.contents[list];
    const std::size_t count = std::min(options.at_most, songs.size() / options.one_in);

    std::vector<std::pair<std::uint64_t, segue::Id>> drawn;
    const std::uint64_t key = mix(mix(options.seed) + list);
    for (segue::Id song : songs) drawn.emplace_back(mix(key + static_cast<std::uint64_t>(song)), song);
    std::sort(drawn.begin(), drawn.end());

    std::vector<segue::Id> seen, held;
    const auto border = drawn.empty() ? std::pair<std::uint64_t, segue::Id>() : drawn[count];
    for (segue::Id song : songs) {
      const bool is_held = std::pair(mix(key + static_cast<std::uint64_t>(song)), song) < border;
      (is_held ? held : seen).push_back(song);
    }
    split.seen.push_back(std::move(seen));
    split.held_back.push_back(std::move(held));
  }
  return split;
}

}  // namespace playlists
