#pragma once
// Vectors that follow from a number: clusters of unequal sizes, as bench/index/clustered_set.hpp has them, without anybody
// keeping them. 128 numbers take a third of a microsecond, so whoever wants to know what an index holds makes it again.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "segue/core/mix64.hpp"

namespace segue::bench {

class MadeVectors {
 public:
  explicit MadeVectors(std::size_t dim) : dim_(dim), centres_(kClusters * dim) {
    Draw draw{mix64(7)};
    for (float& x : centres_) x = draw.normal();
  }
  std::size_t dim() const noexcept { return dim_; }

  void write(std::uint64_t number, float* row) const noexcept {
    Draw draw{mix64(number)};
    const double u = draw.uniform();
    // Cubing a uniform number makes early clusters large.
    const float* centre = &centres_[static_cast<std::size_t>(u * u * u * kClusters) * dim_];
    for (std::size_t j = 0; j < dim_; ++j) row[j] = centre[j] + 0.5F * draw.normal();
  }

 private:
  static constexpr std::size_t kClusters = 200;

  struct Draw {
    std::uint64_t state;
    std::uint64_t next() noexcept { return mix64(state += 0x9E3779B97F4A7C15U); }
    double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
    // The sum of four of 16 bits each, centred and scaled to a variance of 1: as normal as a cluster needs.
    float normal() noexcept {
      const std::uint64_t bits = next();
      const auto sum = static_cast<float>((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
      return (sum - 131'070.0F) * (1.7320508F / 65'536.0F);
    }
  };

  std::size_t dim_;
  std::vector<float> centres_;
};

}  // namespace segue::bench
