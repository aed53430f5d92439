#pragma once
// A set to measure inner product on: directions in clusters and norms that spread over decades, as the factors of
// recommenders have, so that few items are the answers of all. The same numbers on every machine.

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "clustered_set.hpp"

namespace segue::bench {

struct FactorSet : ClusteredSet {
  FactorSet(std::size_t n, std::size_t query_count, std::size_t dimension) : ClusteredSet(n, query_count, dimension) {
    std::mt19937_64 random(8);
    // Half of the norms within a factor of two, the largest of 20,000 a hundred times the median.
    std::normal_distribution<float> normal(0.0f, 1.2f);
    for (std::size_t i = 0; i < n; ++i) {
      const float norm = std::exp(normal(random));
      for (std::size_t j = 0; j < dim; ++j) base[i * dim + j] *= norm;
    }
  }
};

}  // namespace segue::bench
