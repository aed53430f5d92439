// What a layout of codes chooses by looking at the rows: the centre, the directions, and how many of them.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "codes/code_blocks.hpp"
#include "codes/train_blocks.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Fewer rows say little about directions, and are scanned whole in no time.
constexpr std::size_t kLeastToTrain = 1024;

// Costs in cycles, good to a factor of two, which moves the best head by a step: a group of four codes of 16 rows is one
// product; a row that the codes cannot rule out is looked up, and mostly scored exactly from memory.
constexpr double kCyclesAGroup = 1.0 / 16;
constexpr double kCyclesARow = 0.5;
constexpr double kCyclesASurvivor = 150;
constexpr double kCyclesAFloat = 0.5;
// Of the matrix that a query is projected by.
constexpr double kCyclesANumber = 1.0 / 16;

constexpr std::size_t kQueries = 32;
constexpr std::size_t kSampled = 2048;
constexpr std::size_t kAnswers = 10;

Projection leading_directions(const kernels::KernelTable& table, const Projection& whole, std::size_t head) {
  Buffer<float> basis;
  basis.assign({whole.basis().data(), head * whole.dim()});
  Buffer<double> energies;
  energies.assign(whole.energies().first(head));
  return Projection::adopt(table, whole.dim(), std::move(basis), whole.centre(), std::move(energies),
                           whole.total_energy());
}

// Some rows of the sample ask the others, with the bounds that a scan would have, for every count of directions: how
// many rows would be left, and what would all of that cost.
std::size_t choose_head(const Projection& projection, RowMetric metric, MatrixView sample, std::size_t rows) {
  const std::size_t dim = sample.cols();
  const std::size_t most = projection.head();
  const bool l2 = metric == RowMetric::kSquaredL2;
  const std::size_t n = std::min(sample.rows(), kSampled);
  const std::size_t step = sample.rows() / n;
  ProjectionMemory memory;
  std::vector<float> z(n * most), w(kQueries * most);
  std::vector<double> z_squared(n), w_squared(kQueries);
  const float* centre = projection.centered() ? projection.centre().data() : nullptr;
  for (std::size_t i = 0; i < n; ++i) {
    projection.apply(sample.row(i * step), z.data() + i * most, memory);
    z_squared[i] = squared_distance(sample.row(i * step), centre, dim);
  }
  for (std::size_t q = 0; q < kQueries; ++q) {
    const float* x = sample.row((q * n / kQueries) * step);
    if (l2) {
      projection.apply(x, w.data() + q * most, memory);
    } else {
      projection.apply_direction(x, w.data() + q * most, memory);
    }
    w_squared[q] = squared_distance(x, l2 ? centre : nullptr, dim);
  }
  // Rank in the sample that the last answer has among all.
  const std::size_t rank = std::min(n - 1, kAnswers * n / rows + 1);
  const auto quantisation = [](const float* x, std::size_t head) {
    float largest = 0;
    for (std::size_t i = 0; i < head; ++i) largest = std::max(largest, std::fabs(x[i]));
    return static_cast<double>(largest) / 127 * std::sqrt(static_cast<double>(head) / 12);
  };

  std::vector<double> survivors(most + 1), scanned(most + 1);
  std::vector<double> value(n), exact(n), reach(n);
  for (std::size_t q = 0; q < kQueries; ++q) {
    const float* query = w.data() + q * most;
    const std::size_t self = q * n / kQueries;
    for (std::size_t i = 0; i < n; ++i) {
      double whole = 0;
      for (std::size_t j = 0; j < most; ++j) whole += static_cast<double>(query[j]) * z[i * most + j];
      exact[i] = whole - (l2 ? z_squared[i] / 2 : 0);
    }
    exact[self] = -std::numeric_limits<double>::infinity();
    std::vector<double> sorted = exact;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank - 1), sorted.end(),
                     std::greater<>());
    const double last = sorted[rank - 1];
    std::vector<double> dots(n, 0.0), heads(n, 0.0);
    double query_head = 0;
    for (std::size_t head = 0; head < most;) {
      const std::size_t end = std::min(most, head + 8);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = head; j < end; ++j) {
          dots[i] += static_cast<double>(query[j]) * z[i * most + j];
          heads[i] += static_cast<double>(z[i * most + j]) * z[i * most + j];
        }
      }
      for (std::size_t j = head; j < end; ++j) query_head += static_cast<double>(query[j]) * query[j];
      head = end;
      const double query_tail = std::sqrt(std::max(0.0, w_squared[q] - query_head));
      const double query_error = quantisation(query, head);
      for (std::size_t i = 0; i < n; ++i) {
        if (i == self) continue;
        const double norm_bound = std::sqrt(w_squared[q] * z_squared[i]);
        if (!l2 && norm_bound < last) continue;
        scanned[head] += 1;
        const double tail = std::sqrt(std::max(0.0, z_squared[i] - heads[i]));
        const double upper = dots[i] - (l2 ? z_squared[i] / 2 : 0) + std::sqrt(query_head) * quantisation(&z[i * most], head) +
                             query_error * std::sqrt(heads[i]) + query_tail * tail;
        survivors[head] += upper >= last;
      }
    }
  }
  std::size_t best = most;
  double least = std::numeric_limits<double>::infinity();
  const double scale = static_cast<double>(rows) / static_cast<double>(n) / kQueries;
  for (std::size_t head = std::min<std::size_t>(8, most);; head = std::min(most, head + 8)) {
    const double cost =
        scale * (scanned[head] * (kCyclesARow + kCyclesAGroup * static_cast<double>(head) / 4) +
                 survivors[head] * (kCyclesASurvivor + kCyclesAFloat * static_cast<double>(dim))) +
        kCyclesANumber * static_cast<double>(head * dim);
    if (cost < least) {
      least = cost;
      best = head;
    }
    if (head == most) break;
  }
  return best;
}

}  // namespace

Projection choose_projection(const kernels::KernelTable& table, RowMetric metric, MatrixView sample, std::size_t rows,
                             bool centered, int threads) {
  const std::size_t dim = sample.cols();
  const Projection none = Projection::identity(table, dim);
  if (sample.rows() < std::max(kLeastToTrain, dim) || dim < kLeastTrainedDim || dim > Projection::kMaxTrainedDim) return none;
  // Numbers beyond what codes can bound would only spoil the moments.
  for (std::size_t i = 0; i < sample.rows(); ++i) {
    if (!std::all_of(sample.row(i), sample.row(i) + dim, [](float x) { return std::fabs(x) <= 1e15f; })) return none;
  }
  const std::size_t most = std::min(dim, kLargestHead);
  Projection whole = Projection::train(table, sample, {.head = most, .centered = centered, .threads = threads});
  if (!whole.rotates()) return none;
  const std::size_t head = choose_head(whole, metric, sample, rows);
  return head < most ? leading_directions(table, whole, head) : whole;
}

void CodeBlocks::choose_projection(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) {
  const std::size_t sampled = std::min(slots.size(), Projection::kSample);
  std::vector<float> sample(sampled * dim_);
  for (std::size_t i = 0; i < sampled; ++i) {
    rows.read(slots[i * slots.size() / sampled], sample.data() + i * dim_);
  }
  Projection chosen =
      segue::choose_projection(*table_, metric_, MatrixView(sample, dim_), slots.size(), true, threads);
  if (!chosen.rotates()) return;
  const double defect = chosen.defect();
  take_projection(std::move(chosen), defect);
}

}  // namespace segue
