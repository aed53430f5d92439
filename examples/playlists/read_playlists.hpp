#pragma once
// The log: which songs were in which public playlist (data/playlists/README.md).
//
// Releases of one song (the same title by the same artists, on the single, the album and the best-of) become one song:
// otherwise a list would be continued with what it already holds.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "segue/status.hpp"
#include "segue/types.hpp"

namespace playlists {

struct Song {
  std::string title;
  std::vector<std::string> artists;
  std::string album;  // of the first release in the file, as the next
  std::int64_t seconds = 0;
};

// A song came to a playlist.
struct Addition {
  segue::Id song = 0;
  std::int64_t day = 0;  // since 1970-01-01
};

struct PlaylistLog {
  std::vector<Song> songs;                       // the id of a song is its place here
  std::vector<std::string> names;                // of the playlists
  std::vector<std::vector<segue::Id>> contents;  // distinct songs of each, in the order of the file
  std::vector<std::vector<Addition>> additions;  // to each, in the order of the file; some songs come again
  std::size_t tracks = 0;                        // before releases were merged
  std::size_t entries = 0;                       // before repeats were merged
};

// Reads tracks.csv.gz, playlist_tracks.csv.gz and playlists.txt of a folder.
segue::Result<PlaylistLog> read_playlists(const std::string& folder);

// "Title — Artist, Artist". Within `width` cells of a terminal, where one is given: then further artists become "+1",
// and what is still too long is cut with "…", the title before the artist.
std::string describe(const Song& song);
std::string describe(const Song& song, std::size_t width);

}  // namespace playlists
