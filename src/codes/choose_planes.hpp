#pragma once
// How many bits each coordinate of a row is worth, and the rotation that makes coordinates.
//
// Where directions differ little, as those of factors do, all coordinates get the same bits, and a random rotation makes
// them alike, as in RaBitQ. Where few directions hold most of the energy, those take most of the bits: with l_i the mean
// square along the i-th principal direction and g(b) what b bits leave of it, the bits make
//
//   sum_i l_i^2 g(b_i)
//
// small, the mean square of what products miss where queries lie about their rows as rows lie about their lists' centres.
// Directions that get none are left out. Those of as many bits are rotated among themselves.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "codes/code_planes.hpp"
#include "segue/core/projection.hpp"

namespace segue {

struct PlaneChoice {
  Projection projection;
  std::shared_ptr<const CodePlanes> planes;
};

// For rows like those of the sample (of any number, as they are coded), in `bits` a coordinate on average: no row takes
// more than dim * bits, in whole words of 32. The same sample gives the same choice on any number of threads.
PlaneChoice choose_planes(const kernels::KernelTable& table, MatrixView sample, unsigned bits, int threads);

}  // namespace segue
