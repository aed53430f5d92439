#pragma once
// What two listeners think of a list that was made for both.

#include <cstddef>
#include <unordered_set>
#include <vector>

#include "read_service.hpp"

namespace playlists {

struct Pair {
  std::size_t who[2] = {0, 0};             // listeners
  std::vector<float> tastes;               // a row each
  std::vector<segue::Id> heard;            // by either
  std::unordered_set<segue::Id> later[2];  // what each took later
};

Pair make_pair(const Service& service, std::size_t first, std::size_t second);

// A person's score of a song is its cosine to their taste.
struct Opinion {
  std::vector<double> scores[2];  // of each song
  double happiness[2] = {0, 0};   // the mean of each one's
  double mean = 0;                // of both
  double worse = 0;               // the mean over the songs of the smaller score
  std::size_t hits[2] = {0, 0};   // songs that each took later
};

segue::Result<Opinion> ask_both(const Service& service, const Pair& pair, const std::vector<segue::Id>& list);

}  // namespace playlists
