#pragma once
// What is known of the songs, as sparse matrices. Eigen in a header: for embed_tracks.cpp only.

#include <Eigen/SparseCore>
#include <vector>

#include "hold_back.hpp"
#include "read_playlists.hpp"

namespace playlists {

using SparseMatrix = Eigen::SparseMatrix<float, Eigen::RowMajor>;

// songs x playlists: 1 / length^(1/4) * log(songs / length) where the playlist (its seen part) holds the song. A list
// of thousands says less about each of its songs than a list of fifty.
SparseMatrix gather_playlists(const PlaylistLog& log, const Split& split);

// One way in which songs resemble others: by an artist, by the album, by a word of the title.
struct Feature {
  float weight = 0;
  // songs x values: the mean over what the song has of it. The rows of songs that share nothing are empty.
  SparseMatrix mean;
  // values x songs: the mean over the songs that have it, as if one more had it and were in no playlist; so what few
  // songs share counts less.
  SparseMatrix pool;
};

std::vector<Feature> gather_features(const PlaylistLog& log);

// Letters and digits in lower case (of ASCII; other letters count as they stand), split at everything else.
std::vector<std::string> title_words(const std::string& title);

}  // namespace playlists
