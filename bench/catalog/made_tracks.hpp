#pragma once
// A million made tracks: few genres, many artists, wide markets that few sets make up, tags of which hardly two rows
// have the same.

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "segue/catalog.hpp"

namespace segue::bench {

inline constexpr std::size_t kTracks = 1'000'000;

inline std::vector<ColumnData> made_tracks(std::size_t rows = kTracks) {
  std::mt19937_64 random(11);
  // Small numbers are frequent.
  const auto skewed = [&](std::size_t n) {
    const double u = static_cast<double>(random() >> 11) / 9007199254740992.0;
    return static_cast<std::int64_t>(u * u * u * u * static_cast<double>(n));
  };
  const auto words = [](const char* head, std::size_t n) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < n; ++i) all.push_back(head + std::to_string(i));
    return all;
  };
  const auto category = [&](const char* name, std::size_t n) {
    ColumnData data{name, ColumnType::kCategory, {}, {}, {}, words(name, n), {}};
    for (std::size_t i = 0; i < rows; ++i) data.numbers.push_back(skewed(n));
    return data;
  };
  // Two thousand licences, each for about 100 of 180 markets.
  std::vector<std::vector<std::int64_t>> licences(2000);
  for (auto& licence : licences) {
    for (std::int64_t market = 0; market < 180; ++market) {
      if (random() % 9 < 5) licence.push_back(market);
    }
  }
  ColumnData market{"market", ColumnType::kSet, {}, {}, {0}, words("m", 180), {}};
  ColumnData tags{"tags", ColumnType::kSet, {}, {}, {0}, words("t", 500), {}};
  std::vector<std::int64_t> duration, released;
  std::vector<double> popularity;
  std::vector<bool> explicit_words;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto& licence = licences[static_cast<std::size_t>(skewed(licences.size()))];
    market.numbers.insert(market.numbers.end(), licence.begin(), licence.end());
    market.offsets.push_back(market.numbers.size());
    for (int t = 0; t < 5; ++t) tags.numbers.push_back(skewed(500));
    tags.offsets.push_back(tags.numbers.size());
    duration.push_back(static_cast<std::int64_t>(60 + random() % 600));
    released.push_back(static_cast<std::int64_t>(86'400 * (random() % 19'000)));
    popularity.push_back(static_cast<float>(std::exp(-static_cast<double>(random() % 1000) / 100)));
    explicit_words.push_back(random() % 8 == 0);
  }
  return {category("genre", 200),
          category("artist", 100'000),
          std::move(market),
          std::move(tags),
          ColumnData::integers("duration", std::move(duration)),
          ColumnData::dates("released", std::move(released)),
          ColumnData::floats("popularity", std::move(popularity)),
          ColumnData::booleans("explicit", explicit_words)};
}

}  // namespace segue::bench
