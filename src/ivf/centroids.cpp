#include "ivf/centroids.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "codes/code_query.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/core/scorer.hpp"

namespace segue {
namespace {

// Rows a tile: enough that packing the centres for it is a small part, and their products with some thousand centres stay
// in the second-level cache.
constexpr std::size_t kAtOnce = 48;
constexpr std::size_t kAssignedAtOnce = 5 * kAtOnce;

constexpr std::size_t kPiece = 128;

// Codes that are wrong by at most half a step, evenly, are wrong by 1 / sqrt(12) of one; and five times that is not seen.
constexpr float kDoubt = 5 / 3.4641016f;

// Nearly all: but one of so many.
constexpr std::size_t kFarOnes = 10;

float largest_sum(const float* a, const float* b, std::size_t n) {
  constexpr std::size_t kLanes = 16;
  float best[kLanes];
  std::fill(best, best + kLanes, -std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) {
      const float sum = a[i + j] + b[i + j];
      best[j] = best[j] < sum ? sum : best[j];
    }
  }
  for (; i < n; ++i) best[0] = std::max(best[0], a[i] + b[i]);
  return *std::max_element(best, best + kLanes);
}

}  // namespace

Centroids::Centroids(const kernels::KernelTable& table, MatrixView centres) : Centroids(table, centres.cols()) {
  const std::size_t dim = centres.cols();
  const std::size_t n = centres.rows();
  std::vector<double> sums(dim, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < dim; ++j) sums[j] += centres.row(i)[j];
  }
  mean_.resize(dim);
  for (std::size_t j = 0; j < dim; ++j) mean_[j] = static_cast<float>(sums[j] / static_cast<double>(n));
  std::size_t nearer = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float* x = centres.row(i);
    nearer += squared_distance(x, mean_.data(), dim) < squared_distance(x, nullptr, dim);
  }
  if (nearer < n - n / kFarOnes) std::fill(mean_.data(), mean_.data() + dim, 0.0f);
  rows_.resize(n);
  codes_.resize(n);
  grains_.resize(n);
  std::vector<float> moved(n * dim);
  for (std::size_t i = 0; i < n; ++i) {
    rows_.write(i, centres.row(i));
    float* const to = moved.data() + i * dim;
    for (std::size_t j = 0; j < dim; ++j) to[j] = centres.row(i)[j] - mean_[j];
    codes_.write(i, to);
    grains_[i] = grain_of(to, dim);
  }
  blocks_.assign(MatrixView(moved, dim));
  nearness_.resize(blocks_.places());
  std::fill_n(nearness_.data(), nearness_.size(), 0.0f);
  exact_nearness_.resize(n);
  const auto nearness = [dim](const float* x) { return static_cast<float>(-squared_distance(x, nullptr, dim) / 2); };
  for (std::size_t i = 0; i < n; ++i) {
    nearness_[i] = nearness(moved.data() + i * dim);
    exact_nearness_[i] = nearness(centres.row(i));
  }
}

struct Centroids::AssignMemory {
  Buffer<float> moved;
  Buffer<unsigned char> queries;
  Buffer<unsigned char> scratch;
  Buffer<float> scores;
  std::vector<float> pieces;
  std::vector<std::uint32_t> near;
  std::vector<float> costs;
  PreparedQuery prepared;
};

Centroids::Grain Centroids::grain_of(const float* x, std::size_t dim) noexcept {
  float largest = 0;
  for (std::size_t j = 0; j < dim; ++j) largest = std::max(largest, std::fabs(x[j]));
  return {static_cast<float>(std::sqrt(squared_distance(x, nullptr, dim))), largest / kernels::kSq8MaxCode};
}

// Of at most kAtOnce rows, less the mean, with all centres.
const float* Centroids::products(MatrixView rows, AssignMemory& memory) const {
  const kernels::FamilyKernels& sq8 = codes_.kernels();
  const std::size_t bytes = sq8.query_bytes(dim());
  memory.moved.resize(dim());
  memory.queries.resize(kAtOnce * bytes);
  memory.scratch.resize(sq8.tile_scratch_bytes(dim()));
  memory.scores.resize(kAtOnce * size());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < dim(); ++j) memory.moved[j] = rows.row(i)[j] - mean_[j];
    sq8.prepare_query(memory.moved.data(), dim(), memory.queries.data() + i * bytes);
  }
  sq8.score_tile[kernels::kDot](memory.queries.data(), bytes, rows.rows(), codes_.rows(), codes_.stride(), size(), dim(),
                                memory.scores.data(), size(), memory.scratch.data());
  return memory.scores.data();
}

// The best of each piece first, then its place in the best of them: a maximum goes in vectors, a place does not.
std::size_t Centroids::nearest_by_codes(const float* scores, AssignMemory& memory) const {
  memory.pieces.clear();
  for (std::size_t c = 0; c < size(); c += kPiece) {
    memory.pieces.push_back(largest_sum(scores + c, nearness_.data() + c, std::min(kPiece, size() - c)));
  }
  const auto piece = std::max_element(memory.pieces.begin(), memory.pieces.end());
  std::size_t best = static_cast<std::size_t>(piece - memory.pieces.begin()) * kPiece;
  const std::size_t end = std::min(size(), best + kPiece);
  while (best + 1 < end && !(scores[best] + nearness_[best] >= *piece)) ++best;
  return best;
}

// Among those that codes cannot tell from the best.
std::uint32_t Centroids::nearest(const float* row, std::size_t by_codes, const float* scores, AssignMemory& memory) const {
  const auto worth = [&](std::size_t c) { return scores[c] + nearness_[c]; };
  for (std::size_t j = 0; j < dim(); ++j) memory.moved[j] = row[j] - mean_[j];
  const Grain grain = grain_of(memory.moved.data(), dim());
  const Grain& other = grains_[by_codes];
  const float least =
      worth(by_codes) - kDoubt * std::hypot(grain.step * other.length, grain.length * other.step);
  memory.near.clear();
  for (std::size_t p = 0; p < memory.pieces.size(); ++p) {
    if (memory.pieces[p] < least) continue;
    for (std::size_t c = p * kPiece; c < std::min(size(), (p + 1) * kPiece); ++c) {
      if (worth(c) >= least) memory.near.push_back(static_cast<std::uint32_t>(c));
    }
  }
  if (memory.near.size() < 2) return static_cast<std::uint32_t>(by_codes);
  memory.prepared.prepare(rows_, row);
  const RowScorer scorer(rows_, RowMetric::kSquaredL2, memory.prepared.data());
  memory.costs.resize(memory.near.size());
  for (std::size_t i = 0; i < memory.near.size(); i += kMaxScoreList) {
    scorer.score(memory.near.data() + i, std::min(kMaxScoreList, memory.near.size() - i), memory.costs.data() + i);
  }
  return memory.near[static_cast<std::size_t>(std::min_element(memory.costs.begin(), memory.costs.end()) -
                                              memory.costs.begin())];
}

void Centroids::assign(MatrixView rows, std::uint32_t* lists, int threads, bool roughly) const {
  std::vector<AssignMemory> workers(worker_count(rows.rows(), threads, kAssignedAtOnce));
  parallel_for(rows.rows(), threads, kAssignedAtOnce, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    AssignMemory& memory = workers[worker];
    for (std::size_t first = begin; first < end; first += kAtOnce) {
      const std::size_t n = std::min(kAtOnce, end - first);
      const float* scores = products(rows.slice(first, n), memory);
      for (std::size_t i = 0; i < n; ++i, scores += size()) {
        const std::size_t by_codes = nearest_by_codes(scores, memory);
        lists[first + i] = roughly ? static_cast<std::uint32_t>(by_codes)
                                   : nearest(rows.row(first + i), by_codes, scores, memory);
      }
    }
  });
}

void Centroids::rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count, RankMemory& memory,
                     std::uint32_t* lists) const {
  const bool move = worth.bonus.data() == nearness_.data();
  if (memory.moved.size() < kQueriesAPiece * dim()) memory.moved.resize(kQueriesAPiece * dim());
  for (std::size_t first = 0; first < queries.size(); first += kQueriesAPiece) {
    const std::size_t n = std::min(kQueriesAPiece, queries.size() - first);
    const float* some[kQueriesAPiece];
    for (std::size_t i = 0; i < n; ++i) {
      some[i] = queries[first + i];
      if (!move) continue;
      float* const to = memory.moved.data() + i * dim();
      for (std::size_t j = 0; j < dim(); ++j) to[j] = some[i][j] - mean_[j];
      some[i] = to;
    }
    blocks_.rank({some, n}, worth, count, memory, lists + first * count);
  }
}

}  // namespace segue
