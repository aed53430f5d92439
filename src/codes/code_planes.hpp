#pragma once
// CodePlanes: rows in one to eight bits a coordinate, as many as each is worth.
//
// A row y, rotated so that its coordinates are alike (codes/choose_planes.hpp), is coded as in RaBitQ (Gao and Long, SIGMOD
// 2024; with more than one bit: Gao et al., SIGMOD 2025, section 3): the odd numbers L of b bits, by the scale among some at
// which L is most parallel to y. A row stands for
//
//   y_i = scale * step_i * L_i,     L_i in {1 - 2^b_i, 3 - 2^b_i, ..., 2^b_i - 1}
//
// where steps are what a Gaussian number of a coordinate's spread wants (Max, IRE Transactions 1960, table II), which lets
// coordinates of different spread have different numbers of bits.
//
// The last scale makes products right where it matters. Under l2 what a code gets wrong is orthogonal to the row, as in
// RaBitQ: neighbours lie that way. For products it weighs eight times as much along the item as across, as ScaNN's loss does
// (Guo et al., ICML 2020, section 3), but for the item itself and not for what it differs by from its centre.
//
// What codes get wrong, of rows and of queries, has no direction among coordinates that were rotated: it moves a product as
// if by chance, with a standard deviation of the root of its mean square (Gao and Long, theorem 3.2). Bounds are four of
// them, which one row in 30,000 exceeds, where the lengths of both would be exceeded by none and rule out next to nothing.
//
// Immutable; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/kernel_table.hpp"

namespace segue {

class CodePlanes {
 public:
  static constexpr unsigned kMostBits = 8;

  // `bits`: of each coordinate, 1 to 8, falling; `steps`: above zero, as many. Coordinates of as many bits are taken for
  // rotated among themselves.
  CodePlanes(std::vector<unsigned char> bits, std::vector<float> steps);

  std::size_t size() const noexcept { return bits_.size(); }
  std::span<const unsigned char> bits() const noexcept { return bits_; }
  std::span<const float> steps() const noexcept { return steps_; }
  // Of 64 bytes, in a block: four bytes a row.
  std::size_t words() const noexcept { return words_; }
  static std::size_t words_for(std::span<const unsigned char> bits) noexcept;
  std::span<const kernels::BlockPlane> planes() const noexcept { return planes_; }

  struct Coded {
    float scale;
    double length;  // of the numbers scale * L
    double norm;    // of what they stand for
    double error;   // how far what the code gets wrong moves a product with a query that is one long once it is scaled
  };
  // size() numbers into the row of a block whose first four bytes lie at `to`. `row`: the coordinates of all of the item, for
  // products; null under l2. `memory`: room for 2 size(). O(size).
  Coded encode(const float* numbers, const float* row, float* memory, unsigned char* to) const noexcept;
  void decode(const unsigned char* from, float scale, float* out) const noexcept;

  // A query's numbers times the steps, as codes are compared with.
  void scale_query(const float* numbers, float* out) const noexcept;
  // Codes of those, size() of them, in the order of the planes; what a BlockQuery wants to know of them.
  std::size_t query_codes() const noexcept { return order_.size(); }
  std::int32_t spread_query(const signed char* codes, signed char* out) const noexcept;
  // How far what those get wrong of the numbers moves a product with levels L of length one.
  double reach_of_rounding(const float* numbers, const signed char* codes, double scale) const noexcept;

 private:
  // A few bits of a coordinate's code.
  struct Piece {
    std::uint32_t byte;    // of a block, for its first row
    unsigned char low;     // where in the byte
    unsigned char width;
    unsigned char place;   // and where in the code
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // Of numbers y, levels times steps c, and, for products, the item x: with `more` what errors along x weigh besides.
  struct Moments {
    double with = 0;        // y . c
    double squared = 0;     // c . c
    double numbers = 0;     // y . y
    double along = 0;       // y . x
    double code_along = 0;  // c . x
    double more = 0;
    // By which c is least wrong; without x, by which what is wrong is orthogonal to y.
    double scale() const noexcept {
      return more > 0 ? (with + more * along * code_along) / (squared + more * code_along * code_along) : numbers / with;
    }
    // What is wrong at the best scale, less what is the same for all levels; infinite where that would be below zero.
    double wrong() const noexcept {
      const double toward = with + more * along * code_along;
      return toward > 0 ? -toward * toward / (squared + more * code_along * code_along)
                        : std::numeric_limits<double>::infinity();
    }
  };
  void take_levels(const float* numbers, float scale, float* levels) const noexcept;
  Moments moments(const float* numbers, const float* row, const float* levels) const noexcept;
  void refine(const float* numbers, const float* row, float* levels) const noexcept;

  std::vector<unsigned char> bits_;
  std::vector<float> steps_;
  std::vector<float> half_inverse_;  // 1 / (2 step)
  std::vector<float> most_;          // 2^bits - 1
  std::vector<kernels::BlockPlane> planes_;
  std::vector<Piece> pieces_;              // coordinate by coordinate
  std::vector<std::uint32_t> piece_ends_;  // of each
  std::vector<std::uint32_t> order_;       // of a query's codes: coordinates, or kNone
  std::size_t words_ = 0;
  bool one_bit_ = true;
};

}  // namespace segue
