#pragma once
// Several vectors of one request as one search.

#include <span>
#include <vector>

#include "segue/matrix_view.hpp"
#include "segue/types.hpp"

namespace segue {

// One vector, and what its scores are to be multiplied by and moved by to be those of all.
struct Combined {
  std::vector<float> vector;
  double factor = 1;
  double offset = 0;
};

// sum_i w_i s(q_i, x), or that over sum_i w_i, for every x by the score of one vector:
//
//   ip      sum w_i q_i . x      = (sum w_i q_i) . x
//   cosine  the same of normalised vectors, and u . x = |u| cos(u, x)
//   l2      sum w_i |q_i - x|^2  = W |m - x|^2 + sum w_i |q_i|^2 - W |m|^2,  m = sum w_i q_i / W
//
// No weights: all 1. False where the vectors cancel out under cosine, so that there is no direction.
bool combine_sum(MatrixView vectors, std::span<const float> weights, Metric metric, bool average, Combined& out);

}  // namespace segue
