#pragma once
// Splits the log on a day: what the playlists held before it is known, what came after is what lists are judged by.
//
// Nothing of the future is known of anybody, unlike in hold_back.hpp, which knows the other four fifths of everything:
// this is what a service knows on that day (docs/evaluation.md has more on what leaks).

#include <cstdint>
#include <string>
#include <vector>

#include "hold_back.hpp"
#include "read_playlists.hpp"

namespace playlists {

// Playlists as listeners: those that held anything before the day, in the order of the log.
struct Listeners {
  std::vector<std::string> names;
  // seen: distinct songs of each, oldest first (within a day as in the file). held_back: what came on the day or later
  // and is new to the listener.
  Split split;
};

Listeners split_by_time(const PlaylistLog& log, std::int64_t day);

}  // namespace playlists
