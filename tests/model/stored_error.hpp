#pragma once
// How far what an index stores may be from what was given.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "segue/types.hpp"

namespace segue::test {

// Whether a change may code all rows anew.
inline bool codes_are_recoded(Storage storage) { return storage == Storage::kPca8 || rabitq_bits(storage) != 0; }

// By coordinate: half a unit in the last place of the storage, and for sq8 and sq4 half a step of the row's scale.
inline double stored_error(Storage storage, double value, double largest) {
  // The directions and the centre are those of whatever there was when they were found: head_coder_test.cpp, few_bits_test.cpp.
  if (codes_are_recoded(storage)) return std::numeric_limits<double>::infinity();
  switch (storage) {
    case Storage::kF16:
      return std::max(std::abs(value) * 0x1p-11, 0x1p-25);
    case Storage::kBf16:
      return std::abs(value) * 0x1p-8;
    case Storage::kSq8:
      return largest / 127 * 0.5001;
    case Storage::kSq4:
      return largest / 7 * 0.5001;
    default:
      return std::abs(value) * 0x1p-23;
  }
}

// What it should store: the vector, of length 1 under cosine.
inline std::vector<double> wanted_row(Metric metric, const float* given, std::size_t dim) {
  std::vector<double> row(given, given + dim);
  if (metric != Metric::kCosine) return row;
  double sum = 0;
  for (const double value : row) sum += value * value;
  for (double& value : row) value /= std::sqrt(sum);
  return row;
}

inline double largest_of(const std::vector<double>& row) {
  double largest = 0;
  for (const double value : row) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace segue::test
