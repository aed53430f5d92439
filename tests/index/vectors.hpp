#pragma once
// Vectors by seed, the same on every machine with the same libm.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "support/file_mutations.hpp"

namespace segue::test {

using Vectors = std::vector<float>;

inline double uniform(Random& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

inline float gaussian(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(random)));
  return static_cast<float>(radius * std::cos(2 * std::numbers::pi * uniform(random)));
}

inline Vectors gaussian_vectors(Random& random, std::size_t n, std::size_t dim) {
  Vectors x(n * dim);
  for (float& value : x) value = gaussian(random);
  return x;
}

// `centres` far apart, items around them; cluster after cluster, as a catalogue sorted by genre arrives.
inline Vectors clustered_vectors(Random& random, std::size_t n, std::size_t dim, std::size_t centres, float spread) {
  const Vectors centre = gaussian_vectors(random, centres, dim);
  Vectors x(n * dim);
  for (std::size_t i = 0; i < n; ++i) {
    const float* c = centre.data() + i * centres / n * dim;
    for (std::size_t j = 0; j < dim; ++j) x[i * dim + j] = c[j] + spread * gaussian(random);
  }
  return x;
}

// Directions at random, norms 10^u with u uniform in [-decades / 2, decades / 2].
inline Vectors wide_norm_vectors(Random& random, std::size_t n, std::size_t dim, double decades) {
  Vectors x = gaussian_vectors(random, n, dim);
  for (std::size_t i = 0; i < n; ++i) {
    double norm2 = 0;
    for (std::size_t j = 0; j < dim; ++j) norm2 += static_cast<double>(x[i * dim + j]) * x[i * dim + j];
    const double scale = std::pow(10.0, decades * (uniform(random) - 0.5)) / std::sqrt(norm2);
    for (std::size_t j = 0; j < dim; ++j) x[i * dim + j] = static_cast<float>(x[i * dim + j] * scale);
  }
  return x;
}

}  // namespace segue::test
