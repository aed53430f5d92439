#pragma once
// Splits each playlist into what the embedding and the query may see, and what the proposals are judged by.
//
// A fifth of the songs of a playlist is held back, at most 100, so that 100 proposals could name them all. Which ones
// is a matter of chance: those with the smallest hash of (seed, playlist, song), the same in C++ and in Python. Not the
// latest ones, though that would be closer to life: the archive begins in 2019 and knows no earlier date, and half of
// what came last was nowhere else yet, so that no way of continuing could tell itself from another.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "read_playlists.hpp"

namespace playlists {

struct Split {
  std::vector<std::vector<segue::Id>> seen;  // a playlist each
  std::vector<std::vector<segue::Id>> held_back;
};

struct HoldBackOptions {
  std::size_t one_in = 5;
  std::size_t at_most = 100;
  std::uint64_t seed = 0;
};

Split hold_back(const PlaylistLog& log, const HoldBackOptions& options = {});

}  // namespace playlists
