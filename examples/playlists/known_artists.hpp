#pragma once
// Whose songs a listener has, and which songs those artists have beside them.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "read_service.hpp"

namespace playlists {

using Artists = std::unordered_set<std::string>;

// All artists of the songs that a listener has.
Artists known_artists(const Service& service, std::size_t listener);

// The songs of each artist, ascending.
using SongsOf = std::unordered_map<std::string, std::vector<segue::Id>>;
SongsOf songs_by_artist(const Service& service);

// All songs by any of them.
segue::Result<segue::IdSet> songs_by_any(const SongsOf& songs_of, const Artists& artists);

// Whether one of them is an artist of the song.
bool by_any(const Song& song, const Artists& artists);

}  // namespace playlists
