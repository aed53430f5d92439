#pragma once
// A set to measure on: rows of length 1 that are clusters of Zipf-like sizes in some 48 latent dimensions, mapped to more with
// a little noise, as embeddings of a trained model are. The same numbers on every machine. As clustered() of
// candidates/home.py, by other random numbers.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace segue::bench {

struct LatentSet {
  std::size_t dim;
  std::vector<float> base;
  std::vector<float> queries;

  LatentSet(std::size_t n, std::size_t query_count, std::size_t dimension) : dim(dimension) {
    std::mt19937_64 random(7);
    std::normal_distribution<float> normal;
    std::vector<float> centres(kClusters * kLatent), spread(kLatent * dim);
    for (float& x : centres) x = normal(random);
    for (float& x : spread) x = normal(random) / std::sqrt(static_cast<float>(kLatent));
    std::vector<double> until;  // how much is in this cluster and those before it
    for (std::size_t c = 0; c < kClusters; ++c) {
      until.push_back((until.empty() ? 0 : until.back()) + 1 / std::pow(static_cast<double>(c + 1), 0.8));
    }
    const auto draw = [&](std::vector<float>& rows, std::size_t count) {
      rows.assign(count * dim, 0.0f);
      for (std::size_t i = 0; i < count; ++i) {
        const double at = std::uniform_real_distribution<double>(0, until.back())(random);
        const auto cluster = static_cast<std::size_t>(std::lower_bound(until.begin(), until.end() - 1, at) - until.begin());
        float* row = rows.data() + i * dim;
        for (std::size_t l = 0; l < kLatent; ++l) {
          const float x = centres[cluster * kLatent + l] + 0.5f * normal(random);
          for (std::size_t j = 0; j < dim; ++j) row[j] += x * spread[l * dim + j];
        }
        float squared = 0;
        for (std::size_t j = 0; j < dim; ++j) {
          row[j] += 0.05f * normal(random);
          squared += row[j] * row[j];
        }
        for (std::size_t j = 0; j < dim; ++j) row[j] /= std::sqrt(squared);
      }
    };
    draw(base, n);
    draw(queries, query_count);
  }

 private:
  static constexpr std::size_t kClusters = 2000;
  static constexpr std::size_t kLatent = 48;
};

}  // namespace segue::bench
