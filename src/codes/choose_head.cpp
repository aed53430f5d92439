#include "codes/choose_head.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "codes/code_query.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Costs in cycles, good to a factor of two, which moves the best head by a step: a group of four codes of 16 rows is one
// product; a row that the codes cannot rule out is looked up, and mostly scored exactly from memory.
constexpr double kCyclesAGroup = 1.0 / 16;
// Of rows that keep more codes than a projection has directions: from memory, 12 bytes a cycle.
constexpr double kCyclesAFarGroup = 4.0 / 12;
constexpr double kCyclesARow = 0.5;
constexpr double kCyclesASurvivor = 150;
constexpr double kCyclesAFloat = 0.5;
// Of the matrix that a query is projected by.
constexpr double kCyclesANumber = 1.0 / 16;

// What being sure of queries that are unlike rows may cost.
constexpr double kWorthAll = 1.25;

// Few rows that lie apart from the rest leave thousands of others each: 32 queries missed them (of 45,000 tracks 70
// survivors a query where 256 say 175), 128 meet some.
constexpr std::size_t kQueries = 128;
constexpr std::size_t kAnswers = 10;
constexpr std::size_t kStep = 8;  // directions

// What eight bits get wrong of the leading numbers, about.
float rounded_off(float largest, std::size_t head) { return largest / 127 * std::sqrt(static_cast<float>(head) / 12); }

// Vectors in the directions of a projection, and for every count of them: how long their head and tail are, and what codes
// get wrong of it.
class Asking {
 public:
  // read(i, x): vector i.
  template <class Read>
  Asking(const Projection& projection, bool as_direction, const float* centre, std::size_t n, const Read& read)
      : n_(n), most_(projection.head()), numbers_(n * most_), squared_(n), heads_(counts() * n), tails_(counts() * n),
        errors_(counts() * n) {
    ProjectionMemory memory;
    std::vector<float> x(projection.dim()), y(most_);
    for (std::size_t i = 0; i < n; ++i) {
      read(i, x.data());
      if (as_direction) {
        projection.apply_direction(x.data(), y.data(), memory);
      } else {
        projection.apply(x.data(), y.data(), memory);
      }
      const double whole = squared_distance(x.data(), centre, x.size());
      squared_[i] = static_cast<float>(whole);
      double head = 0;
      float largest = 0;
      for (std::size_t j = 0, c = 0; j < most_; ++j) {
        numbers_[j * n + i] = y[j];
        head += static_cast<double>(y[j]) * y[j];
        largest = std::max(largest, std::fabs(y[j]));
        if (j + 1 != directions(c)) continue;
        heads_[c * n + i] = static_cast<float>(std::sqrt(head));
        tails_[c * n + i] = static_cast<float>(std::sqrt(std::max(0.0, whole - head)));
        errors_[c * n + i] = rounded_off(largest, j + 1);
        ++c;
      }
    }
  }

  std::size_t size() const noexcept { return n_; }
  // Heads of 8, 16, 24, ... directions, and of all.
  std::size_t counts() const noexcept { return (most_ + kStep - 1) / kStep; }
  std::size_t directions(std::size_t count) const noexcept { return std::min(most_, kStep * (count + 1)); }
  // By vector.
  const float* numbers(std::size_t direction) const noexcept { return numbers_.data() + direction * n_; }
  const float* squared() const noexcept { return squared_.data(); }
  const float* heads(std::size_t count) const noexcept { return heads_.data() + count * n_; }
  const float* tails(std::size_t count) const noexcept { return tails_.data() + count * n_; }
  const float* errors(std::size_t count) const noexcept { return errors_.data() + count * n_; }

 private:
  std::size_t n_;
  std::size_t most_;
  std::vector<float> numbers_, squared_, heads_, tails_, errors_;
};

// Numbers are multiplied, and what bounds them goes by who really asks: under l2 lists ask by differences to their centre,
// but project whole queries.
struct Queries {
  const Asking& numbers;
  const Asking& bounds;
};

// How many rows all queries together look at and cannot rule out, by count of directions.
struct Scans {
  std::vector<std::size_t> scanned, survivors;
};

// Query `self` asks all other rows. Of products the part in the projection's directions is all that is known: where it has
// few, the last answer is taken for less than it is, and a row more may seem to reach it.
void ask(const Asking& rows, const Queries& queries, std::size_t self, bool l2, std::size_t rank, std::vector<float>& memory,
         Scans& scans) {
  const std::size_t n = rows.size();
  const std::size_t counts = rows.counts();
  memory.resize((counts + 1) * n);
  // By count of directions, the products so far.
  for (std::size_t c = 0, j = 0; c < counts; ++c) {
    float* dots = memory.data() + c * n;
    if (c == 0) {
      std::fill_n(dots, n, 0.0f);
    } else {
      std::copy_n(dots - n, n, dots);
    }
    for (; j < rows.directions(c); ++j) {
      const float number = queries.numbers.numbers(j)[self];
      const float* column = rows.numbers(j);
      for (std::size_t i = 0; i < n; ++i) dots[i] += number * column[i];
    }
  }
  const float half = l2 ? 0.5f : 0.0f;
  const float* squared = rows.squared();
  const float* whole = memory.data() + (counts - 1) * n;
  float* exact = memory.data() + counts * n;
  for (std::size_t i = 0; i < n; ++i) exact[i] = whole[i] - half * squared[i];
  exact[self] = -std::numeric_limits<float>::infinity();
  std::nth_element(exact, exact + (rank - 1), exact + n, std::greater<>());
  const float last = exact[rank - 1];
  const float length = std::sqrt(queries.bounds.squared()[self]);
  for (std::size_t c = 0; c < counts; ++c) {
    const float* dots = memory.data() + c * n;
    const float *heads = rows.heads(c), *tails = rows.tails(c), *errors = rows.errors(c);
    const float head = queries.bounds.heads(c)[self], tail = queries.bounds.tails(c)[self];
    const float error = queries.bounds.errors(c)[self];
    unsigned scanned = 0, survivors = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const float upper = dots[i] - half * squared[i] + head * errors[i] + error * heads[i] + tail * tails[i];
      const unsigned looked_at = l2 || length * std::sqrt(squared[i]) >= last;
      scanned += looked_at;
      survivors += looked_at & static_cast<unsigned>(upper >= last);
    }
    scans.scanned[c] += scanned;
    scans.survivors[c] += survivors;
  }
}

struct Cost {
  std::size_t head;
  double cycles;
};

// By count of directions.
std::vector<Cost> costs_of(const Projection& projection, RowMetric metric, MatrixView sample, const HeadScan& scan, int threads) {
  const bool l2 = metric == RowMetric::kSquaredL2;
  const std::size_t n = std::min(sample.rows(), kHeadSample);
  const std::size_t asked = std::min(n, kQueries);
  const float* centre = projection.centered() ? projection.centre().data() : nullptr;
  const std::size_t step = sample.rows() / n;
  const auto row = [&](std::size_t i, float* out) { std::copy_n(sample.row(i * step), sample.cols(), out); };
  const auto query = [&](std::size_t i, float* out) { scan.query ? scan.query(i * step, out) : row(i, out); };
  const Asking rows(projection, false, centre, n, row);
  // Under l2 a query moves with the rows; a product takes its direction alone.
  std::optional<Asking> others;
  if (!l2 || scan.query) others.emplace(projection, !l2, l2 ? centre : nullptr, n, query);
  const Asking& bounds = others ? *others : rows;
  const Queries queries{l2 ? rows : bounds, bounds};
  // That the last answer has in the sample.
  const std::size_t rank = std::min(n - 1, kAnswers * n / scan.rows + 1);
  const std::size_t counts = rows.counts();
  std::vector<Scans> workers(worker_count(asked, threads, 1),
                             {std::vector<std::size_t>(counts), std::vector<std::size_t>(counts)});
  parallel_for(asked, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t w) {
    std::vector<float> memory;
    for (std::size_t q = begin; q < end; ++q) ask(rows, queries, q * n / asked, l2, rank, memory, workers[w]);
  });
  const double scale = static_cast<double>(scan.rows) / static_cast<double>(n) / static_cast<double>(asked);
  const auto dim = static_cast<double>(sample.cols());
  const double group = projection.rotates() ? kCyclesAGroup : kCyclesAFarGroup;
  std::vector<Cost> costs(counts);
  for (std::size_t c = 0; c < counts; ++c) {
    costs[c].head = rows.directions(c);
    const auto head = static_cast<double>(costs[c].head);
    std::size_t scanned = 0, survivors = 0;
    for (const Scans& worker : workers) {
      scanned += worker.scanned[c];
      survivors += worker.survivors[c];
    }
    costs[c].cycles = scale * (static_cast<double>(scanned) * (kCyclesARow + group * head / 4) +
                               static_cast<double>(survivors) * (kCyclesASurvivor + kCyclesAFloat * dim)) +
                      (projection.rotates() ? kCyclesANumber * head * dim : 0.0);
  }
  return costs;
}

}  // namespace

std::size_t choose_head(const kernels::KernelTable& table, const Projection& projection, RowMetric metric, MatrixView sample,
                        const HeadScan& scan, int threads) {
  const std::vector<Cost> costs = costs_of(projection, metric, sample, scan, threads);
  const auto cheaper = [](Cost a, Cost b) { return a.cycles < b.cycles; };
  const Cost best = *std::min_element(costs.begin(), costs.end(), cheaper);
  if (!scan.whole) return best.head;
  if (projection.head() == sample.cols()) return costs.back().cycles <= kWorthAll * best.cycles ? costs.back().head : best.head;
  const Projection none = Projection::identity(table, sample.cols());
  return costs_of(none, metric, sample, scan, threads).back().cycles < best.cycles ? 0 : best.head;
}

}  // namespace segue
