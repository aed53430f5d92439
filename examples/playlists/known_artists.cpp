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

SongsOf songs_by_artist(const Service& service) {
  SongsOf songs_of;
  for (std::size_t song = 0; song < service.songs.size(); ++song) {
    for (const std::string& artist : service.songs[song].artists) {
      songs_of[artist].push_back(static_cast<segue::Id>(song));
    }
  }
  return songs_of;
}

segue::Result<segue::IdSet> songs_by_any(const SongsOf& songs_of, const Artists& artists) {
  std::vector<segue::Id> songs;
  for (const std::string& artist : artists) {
    const auto found = songs_of.find(artist);
    if (found != songs_of.end()) songs.insert(songs.end(), found->second.begin(), found->second.end());
  }
  return segue::IdSet::from_ids(songs);
}

bool by_any(const Song& song, const Artists& artists) {
  return std::any_of(song.artists.begin(), song.artists.end(),
                     [&](const auto& name) { return artists.contains(name); });
}

}  // namespace playlists
