#include "gather_features.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <utility>

namespace playlists {
namespace {

using Triplet = Eigen::Triplet<float>;
using Values = std::function<std::vector<std::string>(const Song&)>;

Feature gather(const PlaylistLog& log, float weight, const Values& values_of) {
  std::unordered_map<std::string, int> numbers;
  std::vector<std::vector<int>> songs_of;  // of a value
  for (std::size_t song = 0; song < log.songs.size(); ++song) {
    for (const std::string& value : values_of(log.songs[song])) {
      const auto [place, is_new] = numbers.emplace(value, static_cast<int>(songs_of.size()));
      if (is_new) songs_of.emplace_back();
      std::vector<int>& songs = songs_of[static_cast<std::size_t>(place->second)];
      // A word that a title repeats counts once.
      if (songs.empty() || songs.back() != static_cast<int>(song)) songs.push_back(static_cast<int>(song));
    }
  }
  // What only one song has tells nothing about others.
  std::erase_if(songs_of, [](const std::vector<int>& songs) { return songs.size() < 2; });

  std::vector<float> values_in(log.songs.size(), 0);
  for (const auto& songs : songs_of) {
    for (int song : songs) ++values_in[static_cast<std::size_t>(song)];
  }
  std::vector<Triplet> mean, pool;
  for (int value = 0; value < static_cast<int>(songs_of.size()); ++value) {
    const auto& songs = songs_of[static_cast<std::size_t>(value)];
    for (int song : songs) {
      mean.emplace_back(song, value, 1 / values_in[static_cast<std::size_t>(song)]);
      pool.emplace_back(value, song, 1 / static_cast<float>(songs.size() + 1));
    }
  }
  const auto songs = static_cast<Eigen::Index>(log.songs.size());
  const auto values = static_cast<Eigen::Index>(songs_of.size());
  Feature feature{weight, SparseMatrix(songs, values), SparseMatrix(values, songs)};
  feature.mean.setFromTriplets(mean.begin(), mean.end());
  feature.pool.setFromTriplets(pool.begin(), pool.end());
  return feature;
}

}  // namespace

std::vector<std::string> title_words(const std::string& title) {
  std::vector<std::string> words(1);
  for (char c : title) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    const bool part = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || !ascii;
    if (part) {
      words.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

SparseMatrix gather_playlists(const PlaylistLog& log, const Split& split) {
  std::vector<Triplet> cells;
  for (std::size_t list = 0; list < split.seen.size(); ++list) {
    const auto length = static_cast<float>(split.seen[list].size());
    const float weight = std::log(static_cast<float>(log.songs.size()) / length) / std::pow(length, 0.25F);
    for (segue::Id song : split.seen[list]) cells.emplace_back(static_cast<int>(song), static_cast<int>(list), weight);
  }
  SparseMatrix matrix(static_cast<Eigen::Index>(log.songs.size()), static_cast<Eigen::Index>(split.seen.size()));
  matrix.setFromTriplets(cells.begin(), cells.end());
  return matrix;
}

std::vector<Feature> gather_features(const PlaylistLog& log) {
  std::vector<Feature> features;
  features.push_back(gather(log, 1.0F, [](const Song& song) { return song.artists; }));
  // Albums of the same name by different artists ("Greatest Hits") are different albums.
  features.push_back(gather(log, 0.5F, [](const Song& song) {
    return std::vector{song.album + '\n' + (song.artists.empty() ? "" : song.artists.front())};
  }));
  features.push_back(gather(log, 0.2F, [](const Song& song) { return title_words(song.title); }));
  return features;
}

}  // namespace playlists
