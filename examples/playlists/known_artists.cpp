#include "known_artists.hpp"

#include <algorithm>

namespace playlists {

Artists known_artists(const Service& service, std::size_t listener) {
  Artists known;
  for (const segue::Id id : service.history[listener]) {
    const Song& song = service.songs[static_cast<std::size_t>(id)];
    known.insert(song.artists.begin(), song.artists.end());
  }
  return known;
}

bool by_any(const Song& song, const Artists& artists) {
  return std::any_of(song.artists.begin(), song.artists.end(),
                     [&](const auto& name) { return artists.contains(name); });
}

}  // namespace playlists
