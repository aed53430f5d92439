#include "segue/core/projection.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/kernel_table.hpp"
#include "segue/core/mix64.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Of the energy that the best subspace holds, ten steps leave less than a thousandth unfound on every set measured.
constexpr std::size_t kIterations = 10;
constexpr std::size_t kTileRows = 64;

const kernels::FamilyKernels& f32_of(const kernels::KernelTable& table) noexcept {
  return table.families[kernels::kFamilyF32];
}

// out[i * m + j] = a_i . b_j, for n rows a and m rows b of `dim` floats. The pieces do not depend on the threads.
void multiply(const kernels::KernelTable& table, const float* a, std::size_t n, const float* b, std::size_t m,
              std::size_t dim, float* out, int threads) {
  const kernels::FamilyKernels& f32 = f32_of(table);
  const std::size_t query_bytes = f32.query_bytes(dim);
  struct Worker {
    Buffer<unsigned char> queries, scratch;
  };
  std::vector<Worker> workers(worker_count(n, threads, kTileRows));
  parallel_for(n, threads, kTileRows, [&](std::size_t begin, std::size_t end, std::size_t w) {
    Worker& worker = workers[w];
    worker.queries.resize(kTileRows * query_bytes);
    worker.scratch.resize(f32.tile_scratch_bytes(dim));
    for (std::size_t i = begin; i < end; ++i) {
      f32.prepare_query(a + i * dim, dim, worker.queries.data() + (i - begin) * query_bytes);
    }
    f32.score_tile[kernels::kDot](worker.queries.data(), query_bytes, end - begin,
                                  reinterpret_cast<const unsigned char*>(b), dim * sizeof(float), m, dim,
                                  out + begin * m, m, worker.scratch.data());
  });
}

// The rows that are looked at: all, or kSample of them at even distances.
std::vector<std::size_t> choose_sample(std::size_t rows) {
  std::vector<std::size_t> chosen(std::min(rows, Projection::kSample));
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i * rows / chosen.size();
  return chosen;
}

Buffer<float> mean_of(MatrixView rows, const std::vector<std::size_t>& sample) {
  std::vector<double> sums(rows.cols());
  for (const std::size_t i : sample) {
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += rows.row(i)[j];
  }
  Buffer<float> mean(rows.cols());
  for (std::size_t j = 0; j < sums.size(); ++j) {
    mean[j] = static_cast<float>(sums[j] / static_cast<double>(sample.size()));
  }
  return mean;
}

// The sample's second moments around the centre, dim x dim, over the square of `unit`: the largest coordinate, so that
// neither squares of huge numbers nor of tiny ones leave the range of a float.
Buffer<float> moments_of(const kernels::KernelTable& table, MatrixView rows, const std::vector<std::size_t>& sample,
                         const Buffer<float>& centre, int threads, double& unit) {
  const std::size_t dim = rows.cols();
  const std::size_t n = sample.size();
  Buffer<float> columns(dim * n);
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float* x = rows.row(sample[i]);
    for (std::size_t j = 0; j < dim; ++j) {
      const float moved = centre.empty() ? x[j] : x[j] - centre[j];
      columns[j * n + i] = moved;
      largest = std::max(largest, std::fabs(moved));
    }
  }
  unit = largest > 0 ? largest : 1;
  const double scale = 1 / (unit * std::sqrt(static_cast<double>(n)));
  for (std::size_t i = 0; i < dim * n; ++i) columns[i] = static_cast<float>(columns[i] * scale);
  Buffer<float> moments(dim * dim);
  multiply(table, columns.data(), dim, columns.data(), dim, n, moments.data(), threads);
  return moments;
}

double dot(const float* a, const float* b, std::size_t n) noexcept {
  double sums[4] = {0, 0, 0, 0};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(a[i + j]) * b[i + j];
  }
  for (; i < n; ++i) sums[0] += static_cast<double>(a[i]) * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void fill_at_random(float* direction, std::size_t dim, std::uint64_t seed) noexcept {
  for (std::size_t j = 0; j < dim; ++j) {
    // Three uniform numbers summed: round enough for a start.
    const std::uint64_t bits = mix64((seed + 1) * kGoldenGamma + j);
    direction[j] = static_cast<float>(
        static_cast<double>((bits & 0x1fffff) + ((bits >> 21) & 0x1fffff) + ((bits >> 42) & 0x1fffff)) * 0x1p-20 - 3.0);
  }
}

// Gram and Schmidt in double, `passes` times; twice is enough (Giraud et al. 2005). A direction that vanishes, where
// the rows span fewer, starts anew at random.
void orthonormalise(Buffer<float>& basis, std::size_t dim, int passes) {
  const std::size_t head = basis.size() / dim;
  std::vector<double> direction(dim);
  for (std::size_t i = 0; i < head; ++i) {
    float* own = basis.data() + i * dim;
    for (std::size_t attempt = 0;; ++attempt) {
      const double before = std::sqrt(dot(own, own, dim));
      for (std::size_t j = 0; j < dim; ++j) direction[j] = before > 0 ? own[j] / before : 0;
      double length = 0;
      for (int pass = 0; pass < passes + (attempt > 0); ++pass) {
        for (std::size_t other = 0; other < i; ++other) {
          const float* v = basis.data() + other * dim;
          double along = 0;
          for (std::size_t j = 0; j < dim; ++j) along += direction[j] * v[j];
          for (std::size_t j = 0; j < dim; ++j) direction[j] -= along * v[j];
        }
        length = 0;
        for (std::size_t j = 0; j < dim; ++j) length += direction[j] * direction[j];
        length = std::sqrt(length);
        for (std::size_t j = 0; j < dim; ++j) direction[j] = length > 0 ? direction[j] / length : 0;
        // What is left after cancellation is noise, and not orthogonal to anything.
        if (length < 1e-5) break;
      }
      if (length >= 1e-5) break;
      fill_at_random(own, dim, i * 64 + attempt + 1);
    }
    for (std::size_t j = 0; j < dim; ++j) own[j] = static_cast<float>(direction[j]);
  }
}

// Puts the directions into the order of falling energy.
void sort_by_energy(Buffer<float>& basis, std::vector<double>& energies, std::size_t dim) {
  std::vector<std::size_t> order(energies.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return energies[a] > energies[b]; });
  const Buffer<float> unsorted = basis;
  const std::vector<double> old = energies;
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::memcpy(basis.data() + i * dim, unsorted.data() + order[i] * dim, dim * sizeof(float));
    energies[i] = old[order[i]];
  }
}

}  // namespace

Projection Projection::identity(const kernels::KernelTable& table, std::size_t dim) {
  Projection p;
  p.table_ = &table;
  p.dim_ = dim;
  return p;
}

Projection Projection::adopt(const kernels::KernelTable& table, std::size_t dim, Buffer<float> basis,
                             Buffer<float> centre, Buffer<double> energies, double total_energy) {
  Projection p = identity(table, dim);
  p.basis_ = std::move(basis);
  p.centre_ = std::move(centre);
  p.energies_ = std::move(energies);
  p.total_energy_ = total_energy;
  p.lay_out();
  return p;
}

Projection Projection::train(const kernels::KernelTable& table, MatrixView rows, const ProjectionOptions& options) {
  const std::size_t dim = rows.cols();
  const std::size_t head = std::min(options.head, dim);
  Projection p = identity(table, dim);
  if (dim > kMaxTrainedDim) return p;
  const std::vector<std::size_t> sample = choose_sample(rows.rows());
  if (options.centered) p.centre_ = mean_of(rows, sample);
  double unit = 1;
  const Buffer<float> moments = moments_of(table, rows, sample, p.centre_, options.threads, unit);
  for (std::size_t j = 0; j < dim; ++j) p.total_energy_ += moments[j * dim + j] * unit * unit;

  Buffer<float> basis(head * dim);
  Buffer<float> image(head * dim);
  for (std::size_t i = 0; i < head; ++i) fill_at_random(basis.data() + i * dim, dim, i * 64);
  orthonormalise(basis, dim, 1);
  for (std::size_t iteration = 0; iteration < kIterations; ++iteration) {
    multiply(table, basis.data(), head, moments.data(), dim, dim, image.data(), options.threads);
    basis.swap(image);
    orthonormalise(basis, dim, iteration + 1 == kIterations ? 2 : 1);
  }
  multiply(table, basis.data(), head, moments.data(), dim, dim, image.data(), options.threads);
  std::vector<double> energies(head);
  for (std::size_t i = 0; i < head; ++i) {
    energies[i] = std::max(0.0, dot(basis.data() + i * dim, image.data() + i * dim, dim)) * unit * unit;
  }
  sort_by_energy(basis, energies, dim);
  p.basis_ = std::move(basis);
  p.energies_.assign(energies);
  p.lay_out();
  return p;
}

Projection Projection::shortened(std::size_t head) const {
  Projection p = *this;
  p.basis_.resize(head * dim_);
  if (!energies_.empty()) p.energies_.resize(head);
  p.lay_out();
  return p;
}

const float* Projection::move_to_centre(const float* x, ProjectionMemory& memory) const {
  if (centre_.empty()) return x;
  if (memory.moved.size() < dim_) memory.moved.resize(dim_);
  for (std::size_t j = 0; j < dim_; ++j) memory.moved[j] = x[j] - centre_[j];
  return memory.moved.data();
}

void Projection::lay_out() {
  if (!rotates()) return;
  panels_.resize(table_->matrix.bytes(head(), dim_));
  table_->matrix.lay_out(basis_.data(), head(), dim_, panels_.data());
}

float Projection::apply(const float* x, float* head_out, ProjectionMemory& memory) const {
  float tail = 0;
  project_tile({&x, 1}, true, head_out, &tail, memory);
  return tail;
}

void Projection::apply_direction(const float* x, float* head_out, ProjectionMemory& memory) const {
  project_tile({&x, 1}, false, head_out, nullptr, memory);
}

void Projection::apply(MatrixView rows, float* heads, float* tails, ProjectionMemory& memory) const {
  const float* some[kTileRows];
  for (std::size_t first = 0; first < rows.rows(); first += kTileRows) {
    const std::size_t n = std::min(kTileRows, rows.rows() - first);
    for (std::size_t i = 0; i < n; ++i) some[i] = rows.row(first + i);
    project_tile({some, n}, true, heads + first * head(), tails == nullptr ? nullptr : tails + first, memory);
  }
}

void Projection::apply(std::span<const float* const> rows, float* heads, ProjectionMemory& memory) const {
  for (std::size_t first = 0; first < rows.size(); first += kTileRows) {
    const auto some = rows.subspan(first, std::min(kTileRows, rows.size() - first));
    project_tile(some, true, heads + first * head(), nullptr, memory);
  }
}

void Projection::apply_direction(std::span<const float* const> rows, float* heads, ProjectionMemory& memory) const {
  for (std::size_t first = 0; first < rows.size(); first += kTileRows) {
    const auto some = rows.subspan(first, std::min(kTileRows, rows.size() - first));
    project_tile(some, false, heads + first * head(), nullptr, memory);
  }
}

Buffer<float> Projection::columns() const {
  Buffer<float> transposed(basis_.size());
  const std::size_t n_head = dim_ == 0 ? 0 : basis_.size() / dim_;
  for (std::size_t i = 0; i < n_head; ++i) {
    for (std::size_t j = 0; j < dim_; ++j) transposed[j * n_head + i] = basis_[i * dim_ + j];
  }
  return transposed;
}

// At most kTileRows rows.
void Projection::project_tile(std::span<const float* const> rows, bool move, float* heads, float* tails,
                              ProjectionMemory& memory) const {
  const std::size_t n = rows.size();
  const std::size_t n_head = head();
  const auto moved = [&](std::size_t i) { return move ? move_to_centre(rows[i], memory) : rows[i]; };
  if (!rotates()) {
    for (std::size_t i = 0; i < n; ++i) {
      std::memcpy(heads + i * n_head, moved(i), dim_ * sizeof(float));
      if (tails != nullptr) tails[i] = 0;
    }
    return;
  }
  const kernels::FamilyKernels& f32 = f32_of(*table_);
  const std::size_t query_bytes = f32.query_bytes(dim_);
  if (memory.queries.size() < n * query_bytes) memory.queries.resize(n * query_bytes);
  double energy[kTileRows];
  for (std::size_t i = 0; i < n; ++i) {
    const float* x = moved(i);
    f32.prepare_query(x, dim_, memory.queries.data() + i * query_bytes);
    energy[i] = tails == nullptr ? 0 : dot(x, x, dim_);
  }
  table_->matrix.multiply(memory.queries.data(), query_bytes, n, panels_.data(), n_head, dim_, heads);
  if (tails == nullptr) return;
  for (std::size_t i = 0; i < n; ++i) {
    const double rest = energy[i] - dot(heads + i * n_head, heads + i * n_head, n_head);
    tails[i] = static_cast<float>(std::sqrt(std::max(0.0, rest)));
  }
}

double Projection::defect() const noexcept {
  double sum = 0;
  for (std::size_t i = 0; rotates() && i < head(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double off = dot(basis_.data() + i * dim_, basis_.data() + j * dim_, dim_) - (i == j ? 1 : 0);
      sum += off * off * (i == j ? 1 : 2);
    }
  }
  // The sums themselves round, at 2^-53 a term.
  return rotates() ? std::sqrt(sum) + 0x1p-50 * static_cast<double>(dim_) : 0;
}

}  // namespace segue
