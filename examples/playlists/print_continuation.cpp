#include "print_continuation.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "fit_text.hpp"

namespace playlists {
namespace {

constexpr std::size_t kRows = 10;
constexpr std::size_t kColumn = 45;
constexpr std::size_t kFurther = 3;  // hits below the shown rows that are named

std::string song_at(const PlaylistLog& log, segue::Id song, std::size_t width) {
  return describe(log.songs[static_cast<std::size_t>(song)], width);
}

}  // namespace

void print_continuation(std::ostream& out, const PlaylistLog& log, const Split& split, std::size_t list,
                        std::span<const segue::Id> proposals) {
  const std::vector<segue::Id>& seen = split.seen[list];
  const std::unordered_set<segue::Id> held(split.held_back[list].begin(), split.held_back[list].end());
  const auto is_hit = [&](segue::Id song) { return held.contains(song); };

  out << "\n  " << log.names[list] << "\n";
  out << "  " << fit("saw, among " + with_commas(seen.size()) + " songs", kColumn + 5) << "proposes\n";
  for (std::size_t row = 0; row < kRows; ++row) {
    // Evenly spread over the list, so that all of its parts show.
    const std::string saw = row < seen.size() ? song_at(log, seen[row * seen.size() / kRows], kColumn) : "";
    const bool any = row < proposals.size() && proposals[row] != segue::kMissingId;
    out << "    " << fit(saw, kColumn) << (any && is_hit(proposals[row]) ? " ✓ " : "   ")
        << (any ? song_at(log, proposals[row], kColumn) : "") << '\n';
  }
  std::string further;
  std::size_t hits = 0;
  std::size_t named = 0;
  for (std::size_t rank = 0; rank < proposals.size(); ++rank) {
    if (!is_hit(proposals[rank])) continue;
    ++hits;
    if (rank < kRows || named == kFurther) continue;
    further += "    ✓ at " + std::to_string(rank + 1) + "  " + song_at(log, proposals[rank], 2 * kColumn - 10) + '\n';
    ++named;
  }
  out << "  hit " << hits << " of " << held.size() << " held back within the first " << proposals.size()
      << (further.empty() ? "\n" : "; further down, for instance:\n") << further;
}

std::size_t find_playlist(const PlaylistLog& log, const std::string& name) {
  return static_cast<std::size_t>(std::find(log.names.begin(), log.names.end(), name) - log.names.begin());
}

}  // namespace playlists
