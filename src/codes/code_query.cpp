// A query in the form of the blocks, and whether it can be brought into it.

#include <algorithm>
#include <cmath>

#include "codes/code_blocks.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

// Squares of norms in this range, and their products with a rounding error of 2^-24, are normal floats.
constexpr double kLeastNorm = 1e-12;
constexpr double kLargestNorm = 1e15;

// No less than x, which is not negative.
float up(double x) { return static_cast<float>(x * (1 + 0x1p-22)); }

double dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace

bool CodeBlocks::covers(const float* query) const noexcept {
  const double longest = fixed_.max_norm;
  const double norm = std::sqrt(squared_distance(query, nullptr, dim_));
  if (!(longest + fixed_.centre_norm <= kLargestNorm) || !(norm <= kLargestNorm)) return false;
  if (metric_ == RowMetric::kSquaredL2) return norm + longest >= kLeastNorm;
  return longest >= kLeastNorm && (norm == 0 || norm >= kLeastNorm);
}

void CodeBlocks::prepare(const float* query, CodedQuery& out) const {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  const std::size_t head = projection_.head();
  const float* centre = projection_.centered() ? projection_.centre().data() : nullptr;
  out.codes.resize(std::max(out.codes.size(), 4 * groups_));
  out.head.resize(std::max(out.head.size(), 4 * groups_));

  // Under l2 a query moves with the rows; a product needs its direction alone.
  const double squared = squared_distance(query, l2 ? centre : nullptr, dim_);
  const double norm = std::sqrt(squared);
  if (l2) {
    projection_.apply(query, out.head.data(), out.projecting);
  } else {
    projection_.apply_direction(query, out.head.data(), out.projecting);
  }
  const float* w = out.head.data();

  float largest = 0;
  for (std::size_t i = 0; i < head; ++i) largest = std::max(largest, std::fabs(w[i]));
  // Far shorter than the rows, a query is a point: a scale of its own size would make biases overflow.
  const double least = l2 ? 1e-6 * fixed_.max_norm : 0;
  const auto scale = static_cast<float>(std::max<double>(largest, least) / table_->max_block_code);
  out.scale = scale > 0 ? scale : 1;
  const auto inverse = static_cast<float>(1 / out.scale);
  double coded = 0;
  double wrong = 0;
  double head_squared = 0;
  out.code_sum = 0;
  for (std::size_t i = 0; i < 4 * groups_; ++i) {
    const float number = i < head ? w[i] : 0.0f;
    const int code = std::clamp(static_cast<int>(std::lrintf(number * inverse)), -table_->max_block_code,
                                table_->max_block_code);
    out.codes[i] = static_cast<signed char>(code);
    out.code_sum += code;
    coded += code * code;
    const double error = number - out.scale * code;
    wrong += error * error;
    head_squared += static_cast<double>(number) * number;
  }
  const double rounding = projection_error();
  const double tail = std::max(0.0, squared - head_squared) + 2 * (rounding + 1e-6) * squared;
  const double per = 1 / static_cast<double>(out.scale);
  out.bias_factor = static_cast<float>(per);
  out.norm_factor = up(norm * per);
  out.error_factor = up(std::sqrt(coded));
  out.head_factor = up((std::sqrt(wrong) + rounding * norm) * per);
  out.tail_factor = projection_.rotates() ? up(std::sqrt(tail) * per) : 0;

  // The exact kernels sum dim / 2 products at most in one chain; the rest is what value and bias are rounded by.
  const double unit = (static_cast<double>(dim_) / 2 + 96) * 0x1p-24;
  const double longest = static_cast<double>(fixed_.max_norm);
  if (l2) {
    out.offset = -squared / 2;
    out.slack = up(unit * (norm + longest) * (norm + longest) * per);
  } else {
    out.offset = centre == nullptr ? 0 : dot(query, centre, dim_);
    out.slack = up(unit * norm * (longest + fixed_.centre_norm) * per);
  }
}

}  // namespace segue
