#include "codes/code_row.hpp"

#include <algorithm>

#include "kernels/kernel_table.hpp"

namespace segue {

CodedRow code_row(const float* numbers, std::size_t n, unsigned char* to) noexcept {
  constexpr int kMaxRowCode = 127;
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(numbers[i]));
  float scale = largest / kMaxRowCode;
  if (!(scale >= 0x1p-100f)) scale = 0;
  const float inverse = scale > 0 ? 1 / scale : 0;
  double error = 0;
  for (std::size_t i = 0; i < (n + 3) / 4 * 4; ++i) {
    const float number = i < n ? numbers[i] : 0.0f;
    const int code = std::clamp(static_cast<int>(std::lrintf(number * inverse)), -kMaxRowCode, kMaxRowCode);
    to[i / 4 * kernels::kBlockGroupBytes + i % 4] = static_cast<unsigned char>(code + 128);
    const double wrong = static_cast<double>(number) - static_cast<double>(scale) * code;
    error += wrong * wrong;
  }
  return {scale, std::sqrt(error)};
}

}  // namespace segue
