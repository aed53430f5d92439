#pragma once
// One playlist for people to judge: what was seen of it, what is proposed, and which proposals were held back.

#include <cstddef>
#include <ostream>
#include <span>

#include "hold_back.hpp"
#include "read_playlists.hpp"

namespace playlists {

// `proposals` are the ids for this playlist, best first; those that were held back carry a ✓.
void print_continuation(std::ostream& out, const PlaylistLog& log, const Split& split, std::size_t list,
                        std::span<const segue::Id> proposals);

// The playlist of that name; names.size() where there is none.
std::size_t find_playlist(const PlaylistLog& log, const std::string& name);

}  // namespace playlists
