#include "candidates/combine_vectors.hpp"

#include <cmath>

namespace segue {

bool combine_sum(MatrixView vectors, std::span<const float> weights, Metric metric, bool average, Combined& out) {
  const std::size_t dim = vectors.cols();
  std::vector<double> sum(dim, 0.0);
  double all = 0;
  double squares = 0;
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[i]);
    const float* q = vectors.row(i);
    double squared = 0;
    for (std::size_t j = 0; j < dim; ++j) squared += static_cast<double>(q[j]) * q[j];
    const double scale = metric == Metric::kCosine ? (squared > 0 ? weight / std::sqrt(squared) : 0.0) : weight;
    for (std::size_t j = 0; j < dim; ++j) sum[j] += scale * static_cast<double>(q[j]);
    all += weight;
    squares += weight * squared;
  }
  out.factor = average ? 1 / all : 1;
  out.offset = 0;
  double divisor = 1;
  if (metric != Metric::kInnerProduct) {
    double squared = 0;
    for (const double x : sum) squared += x * x;
    if (metric == Metric::kL2) {
      divisor = all;
      out.offset = (squares - squared / all) * out.factor;
      out.factor *= all;
    } else {
      // Rounded to float32 the vectors of an index are off by so much.
      if (!(std::sqrt(squared) > 1e-6 * all)) return false;
      out.factor *= std::sqrt(squared);
    }
  }
  out.vector.resize(dim);
  for (std::size_t j = 0; j < dim; ++j) out.vector[j] = static_cast<float>(sum[j] / divisor);
  return true;
}

}  // namespace segue
