#pragma once
// One row as codes of a block (kernels/kernel_table.hpp).

#include <cmath>
#include <cstddef>
#include <limits>

namespace segue {

struct CodedRow {
  float scale;   // a code u stands for scale * (u - 128)
  double error;  // the length of what the codes get wrong
};

// Codes `n` numbers into the row of a block whose first four codes lie at `to`; codes behind them, up to whole groups of
// four, stand for zero.
CodedRow code_row(const float* numbers, std::size_t n, unsigned char* to) noexcept;

// At least as large, as a float.
inline float round_up(double x) noexcept {
  const auto nearest = static_cast<float>(x);
  return static_cast<double>(nearest) >= x ? nearest : std::nextafter(nearest, std::numeric_limits<float>::infinity());
}

}  // namespace segue
