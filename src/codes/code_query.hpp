#pragma once
// A query in the form of coded rows: eight-bit codes of its leading coordinates, and what they get wrong.

#include <cstddef>
#include <cstdint>
#include <span>

#include "segue/core/buffer.hpp"
#include "segue/core/projection.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {

class CodePlanes;

// A query as the blocks see it. Values and bounds are in units of its scale: value * scale is an inner product with z,
// for l2 less |z|^2 / 2. Factors and slack are rounded up, so that bounds can be formed in float. Memory is kept between
// queries.
struct CodedQuery {
  Buffer<signed char> codes;
  Buffer<float> head;
  std::int32_t code_sum = 0;
  bool paired = false;
  double scale = 1;            // t; what follows is divided by it
  double offset = 0;           // dot: query . centre; l2: -|w|^2 / 2. Not divided
  float bias_factor = 1;       // 1 / t
  float norm_factor = 0;       // |w|
  float error_factor = 0;      // |td|
  float head_factor = 0;       // |f|
  float tail_factor = 0;       // |tail of w|
  float slack = 0;             // what rounding may move any score by, the exact ones of the store included

  // Of what costs at most `cost`, exactly scored: the least value it can have, rounding aside. And the way back.
  double value_of_cost(RowMetric metric, double cost) const noexcept {
    return ((metric == RowMetric::kDot ? -cost : -cost / 2) - offset) / scale;
  }
};

// In double; a null centre is zero.
double squared_distance(const float* x, const float* centre, std::size_t n) noexcept;
double dot(const float* a, const float* b, std::size_t n) noexcept;

// Whether the scores of a query of that norm can be bounded in float: of rows that are at most `longest`, under l2 counted
// from a centre at most `centre` away. If not (norms beyond 1e15, or all of them below 1e-12) rows want scoring one by one.
bool can_bound(RowMetric metric, double query_norm, double longest, double centre) noexcept;

// What a query has to know of the rows that it will meet.
struct RowLimits {
  float longest;      // no row is longer; under l2 counted from the projection's centre
  float centre_norm;  // what products with a centre may add to that
  double rounding;    // what projecting may get wrong, a unit of a row's length
  const CodePlanes* planes = nullptr;  // where codes have fewer than eight bits
};

// What coding queries works in; kept between calls.
struct CodeQueryMemory {
  ProjectionMemory projecting;
  Buffer<float> heads;
  Buffer<float> scaled;
  Buffer<signed char> codes;
};

// Numbers as a sum of codes of falling scales, each of what those before it get wrong: three are as good as float. One alone
// is for speed: paired, where the kernels are faster then.
struct CodeLevels {
  static constexpr std::size_t kMost = 3;
  struct Level {
    Buffer<signed char> codes;
    std::int32_t code_sum = 0;
    float scale = 0;
    bool paired = false;
  };
  Level levels[kMost];
  std::size_t count = 0;
  Buffer<float> left;  // what code_levels works in
};
void code_levels(const kernels::KernelTable& table, const float* numbers, std::size_t n, std::size_t count,
                 CodeLevels& out);

// The projection's centre is subtracted under l2; a product takes the query's direction. A query gets the same codes in
// whatever company.
void code_queries(const kernels::KernelTable& table, const Projection& projection, RowMetric metric,
                  const RowLimits& limits, std::span<const float* const> queries, std::span<CodedQuery> out,
                  CodeQueryMemory& memory);

// What projecting a vector may get wrong, a unit of its length.
double projection_error(const Projection& projection, double defect) noexcept;

}  // namespace segue
