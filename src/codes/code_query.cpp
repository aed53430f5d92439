// A query in the form of the blocks, and whether it can be brought into it.

#include <algorithm>
#include <cmath>
#include <limits>

#include "codes/code_blocks.hpp"
#include "codes/code_planes.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

// Squares of norms in this range, and their products with a rounding error of 2^-24, are normal floats.
constexpr double kLeastNorm = 1e-12;
constexpr double kLargestNorm = 1e15;

constexpr int kMostCode = 127;
// Rounding four codes may add two to the sum of their magnitudes.
constexpr int kMostPaired = kernels::kPairedCodes - 2;

// Whether the kernels are faster for paired codes.
bool wants_pairs(const kernels::KernelTable& table) noexcept { return table.max_block_code < kMostCode; }

// The largest sum of magnitudes that codes have to be paired for; n numbers, zeros after them.
float largest_pair(const float* numbers, std::size_t n) noexcept {
  float largest = 0;
  for (std::size_t i = 0; i < n; i += 8) {
    float sums[2] = {0, 0};
    for (std::size_t j = i; j < std::min(n, i + 8); ++j) sums[(j / 2) % 2] += std::fabs(numbers[j]);
    largest = std::max({largest, sums[0], sums[1]});
  }
  return largest;
}

float largest_of(const float* numbers, std::size_t n) noexcept {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float magnitude = std::fabs(numbers[i]);
    largest = largest < magnitude ? magnitude : largest;
  }
  return largest;
}

// No less than x, which is not negative.
float up(double x) { return static_cast<float>(x * (1 + 0x1p-22)); }

}  // namespace

double dot(const float* a, const float* b, std::size_t n) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

bool can_bound(RowMetric metric, double query_norm, double longest, double centre) noexcept {
  if (!(longest + centre <= kLargestNorm) || !(query_norm <= kLargestNorm)) return false;
  if (metric == RowMetric::kSquaredL2) return query_norm + longest >= kLeastNorm;
  return longest >= kLeastNorm && (query_norm == 0 || query_norm >= kLeastNorm);
}

double squared_distance(const float* x, const float* centre, std::size_t n) noexcept {
  double sums[4] = {0, 0, 0, 0};
  const auto add = [&](std::size_t lane, std::size_t i) {
    const double z = centre == nullptr ? x[i] : static_cast<double>(x[i]) - centre[i];
    sums[lane] += z * z;
  };
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) add(j, i + j);
  }
  for (; i < n; ++i) add(0, i);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double projection_error(const Projection& projection, double defect) noexcept {
  if (!projection.rotates()) return projection.centered() ? 0x1p-23 : 0;
  const auto dim = static_cast<double>(projection.dim());
  return std::sqrt(static_cast<double>(projection.head())) * (dim + 16) * 0x1p-24 + defect;
}

bool CodeBlocks::covers(const float* query) const noexcept {
  return can_bound(metric_, std::sqrt(squared_distance(query, nullptr, dim_)), fixed_.max_norm, fixed_.centre_norm);
}

void CodeBlocks::prepare(std::span<const float* const> queries, std::span<CodedQuery> out,
                         CodeQueryMemory& memory) const {
  code_queries(*table_, *projection_, metric_, {fixed_.max_norm, fixed_.centre_norm, projection_error()}, queries,
               out, memory);
}

namespace {

// `w`: the head of the query.
void code_query(const kernels::KernelTable& table, const Projection& projection, RowMetric metric,
                const RowLimits& limits, const float* query, const float* w, CodedQuery& out, CodeQueryMemory& memory) {
  const bool l2 = metric == RowMetric::kSquaredL2;
  const std::size_t dim = projection.dim();
  const std::size_t head = projection.head();
  const std::size_t groups = (head + 3) / 4;
  const CodePlanes* planes = limits.planes;
  const float* centre = projection.centered() ? projection.centre().data() : nullptr;
  out.codes.resize(std::max(out.codes.size(), planes == nullptr ? 4 * groups : planes->query_codes()));
  out.head.resize(std::max(out.head.size(), 4 * groups));
  // What rows' codes are multiplied by, and where its codes go.
  const float* numbers = w;
  signed char* codes = out.codes.data();
  if (planes != nullptr) {
    if (memory.scaled.size() < 4 * groups) memory.scaled.resize(4 * groups);
    if (memory.codes.size() < 4 * groups) memory.codes.resize(4 * groups);
    planes->scale_query(w, memory.scaled.data());
    numbers = memory.scaled.data();
    codes = memory.codes.data();
  }

  // Under l2 a query moves with the rows; a product needs its direction alone.
  const double squared = squared_distance(query, l2 ? centre : nullptr, dim);
  const double norm = std::sqrt(squared);
  std::copy_n(w, head, out.head.data());

  out.paired = planes == nullptr && wants_pairs(table);
  const double largest = out.paired ? static_cast<double>(largest_pair(numbers, head)) / kMostPaired
                                    : static_cast<double>(largest_of(numbers, head)) / kMostCode;
  // Far shorter than the rows, a query is a point: a scale of its own size would make biases overflow.
  const double least = l2 ? 1e-6 / kMostCode * limits.longest : 0;
  const auto scale = static_cast<float>(std::max(largest, least));
  out.scale = scale > 0 ? scale : 1;
  const auto inverse = static_cast<float>(1 / out.scale);
  double coded = 0;
  double scaled = 0;
  double wrong = 0;
  double head_squared = 0;
  out.code_sum = 0;
  for (std::size_t i = 0; i < 4 * groups; ++i) {
    const float number = i < head ? numbers[i] : 0.0f;
    const int code = std::clamp(static_cast<int>(std::lrintf(number * inverse)), -kMostCode, kMostCode);
    codes[i] = static_cast<signed char>(code);
    out.code_sum += code;
    coded += code * code;
    scaled += static_cast<double>(number) * number;
    const double error = number - out.scale * code;
    wrong += error * error;
    head_squared += i < head ? static_cast<double>(w[i]) * w[i] : 0;
  }
  if (planes != nullptr) {
    out.code_sum = planes->spread_query(codes, out.codes.data());
    wrong = planes->reach_of_rounding(numbers, codes, out.scale);
  } else {
    wrong = std::sqrt(wrong);
  }
  const double rounding = limits.rounding;
  const double tail = std::max(0.0, squared - head_squared) + 2 * (rounding + 1e-6) * squared;
  const double per = 1 / static_cast<double>(out.scale);
  out.bias_factor = static_cast<float>(per);
  out.norm_factor = up(norm * per);
  // Rows of planes miss a part of the query itself; others of its codes.
  out.error_factor = up(planes == nullptr ? std::sqrt(coded) : std::sqrt(scaled) * per);
  out.head_factor = up((wrong + (planes == nullptr ? rounding * norm : 0.0)) * per);
  out.tail_factor = projection.rotates() ? up(std::sqrt(tail) * per) : 0;

  // The exact kernels sum dim / 2 products at most in one chain; the rest is what value and bias are rounded by.
  const double unit = (static_cast<double>(dim) / 2 + 96) * 0x1p-24;
  const double longest = static_cast<double>(limits.longest);
  if (l2) {
    out.offset = -squared / 2;
    out.slack = up(unit * (norm + longest) * (norm + longest) * per);
  } else {
    out.offset = centre == nullptr ? 0 : dot(query, centre, dim);
    out.slack = up(unit * norm * (longest + limits.centre_norm) * per);
  }
  // What rows of planes are bounded by is in steps, which projecting knows nothing of.
  if (planes != nullptr) out.slack += up(2 * rounding * norm * longest * per);
}

}  // namespace

void code_levels(const kernels::KernelTable& table, const float* numbers, std::size_t n, std::size_t count,
                 CodeLevels& out) {
  const std::size_t codes = (n + 3) / 4 * 4;
  const bool paired = count == 1 && wants_pairs(table);
  const auto most = static_cast<float>(paired ? kMostCode : table.max_block_code);
  out.count = count;
  if (out.left.size() < codes) out.left.resize(codes);
  float* left = out.left.data();
  std::copy_n(numbers, n, left);
  std::fill(left + n, left + codes, 0.0f);
  for (std::size_t l = 0; l < count; ++l) {
    CodeLevels::Level& level = out.levels[l];
    if (level.codes.size() < codes) level.codes.resize(codes);
    signed char* to = level.codes.data();
    level.paired = paired;
    level.scale = paired ? largest_pair(left, codes) / kMostPaired : largest_of(left, codes) / most;
    const float inverse = level.scale > 0 ? 1 / level.scale : 0;
    // Numbers too small to be divided by are zero.
    const bool any = inverse <= std::numeric_limits<float>::max();
    constexpr float kRound = 12582912;  // 1.5 * 2^23: a float this large has no fraction
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < codes; ++i) {
      const float scaled = any ? left[i] * inverse : 0;
      const float whole = (scaled + kRound) - kRound;
      // Of no number, as a damaged file may have led to, this makes -most.
      const float code = whole > most ? most : whole > -most ? whole : -most;
      to[i] = static_cast<signed char>(static_cast<std::int32_t>(code));
      sum += static_cast<std::int32_t>(code);
      left[i] -= level.scale * code;
    }
    level.code_sum = sum;
  }
}

void code_queries(const kernels::KernelTable& table, const Projection& projection, RowMetric metric,
                  const RowLimits& limits, std::span<const float* const> queries,
                  std::span<CodedQuery> out, CodeQueryMemory& memory) {
  const bool l2 = metric == RowMetric::kSquaredL2;
  const std::size_t head = projection.head();
  if (memory.heads.size() < queries.size() * head) memory.heads.resize(queries.size() * head);
  float* heads = memory.heads.data();
  if (l2) {
    projection.apply(queries, heads, memory.projecting);
  } else {
    projection.apply_direction(queries, heads, memory.projecting);
  }
  for (std::size_t i = 0; i < queries.size(); ++i) {
    code_query(table, projection, metric, limits, queries[i], heads + i * head, out[i], memory);
  }
}

}  // namespace segue
