#pragma once
// A set to measure on: clusters of unequal sizes, as embeddings have. The same numbers on every machine.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace segue::bench {

struct ClusteredSet {
  std::size_t dim;
  std::vector<float> base;
  std::vector<float> queries;

  ClusteredSet(std::size_t n, std::size_t query_count, std::size_t dimension) : dim(dimension) {
    constexpr std::size_t kClusters = 200;
    std::mt19937_64 random(7);
    std::normal_distribution<float> normal;
    std::vector<float> centres(kClusters * dim);
    for (float& x : centres) x = normal(random);
    const auto draw = [&](std::vector<float>& rows, std::size_t count) {
      rows.resize(count * dim);
      for (std::size_t i = 0; i < count; ++i) {
        // Cubing a uniform number makes early clusters large.
        const double u = std::uniform_real_distribution<double>(0, 1)(random);
        const auto cluster = static_cast<std::size_t>(u * u * u * kClusters);
        for (std::size_t j = 0; j < dim; ++j) rows[i * dim + j] = centres[cluster * dim + j] + 0.5f * normal(random);
      }
    };
    draw(base, n);
    draw(queries, query_count);
  }
};

}  // namespace segue::bench
