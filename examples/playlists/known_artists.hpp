#pragma once
// Whose songs a listener has.

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "read_service.hpp"

namespace playlists {

using Artists = std::unordered_set<std::string>;

// All artists of the songs that a listener has.
Artists known_artists(const Service& service, std::size_t listener);

// Whether one of them is an artist of the song.
bool by_any(const Song& song, const Artists& artists);

}  // namespace playlists
