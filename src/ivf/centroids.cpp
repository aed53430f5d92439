#include "ivf/centroids.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "codes/code_query.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Rows a tile: enough that packing the centres for it is a small part, and their products with some thousand centres stay
// in the second-level cache.
constexpr std::size_t kAtOnce = 48;
constexpr std::size_t kAssignedAtOnce = 5 * kAtOnce;

constexpr std::size_t kPiece = 128;

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
  std::vector<float> moved(n * dim);
  for (std::size_t i = 0; i < n; ++i) {
    rows_.write(i, centres.row(i));
    float* const to = moved.data() + i * dim;
    for (std::size_t j = 0; j < dim; ++j) to[j] = centres.row(i)[j] - mean_[j];
    codes_.write(i, to);
  }
  blocks_.assign(MatrixView(moved, dim));
  nearness_.resize(blocks_.places());
  std::fill_n(nearness_.data(), nearness_.size(), 0.0f);
  for (std::size_t i = 0; i < n; ++i) nearness_[i] = static_cast<float>(-squared_distance(moved.data() + i * dim, nullptr, dim) / 2);
}

struct Centroids::AssignMemory {
  Buffer<float> moved;
  Buffer<unsigned char> queries;
  Buffer<unsigned char> scratch;
  Buffer<float> scores;
};

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

void Centroids::assign(MatrixView rows, std::uint32_t* lists, int threads) const {
  std::vector<AssignMemory> workers(worker_count(rows.rows(), threads, kAssignedAtOnce));
  parallel_for(rows.rows(), threads, kAssignedAtOnce, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t first = begin; first < end; first += kAtOnce) {
      const std::size_t n = std::min(kAtOnce, end - first);
      const float* scores = products(rows.slice(first, n), workers[worker]);
      for (std::size_t i = 0; i < n; ++i, scores += size()) {
        // The best piece first, then the place in it: a maximum goes in vectors, a place does not.
        float most = -std::numeric_limits<float>::infinity();
        std::size_t piece = 0;
        for (std::size_t c = 0; c < size(); c += kPiece) {
          const float here = largest_sum(scores + c, nearness_.data() + c, std::min(kPiece, size() - c));
          if (here > most) {
            most = here;
            piece = c;
          }
        }
        std::size_t nearest = piece;
        while (nearest + 1 < std::min(size(), piece + kPiece) && !(scores[nearest] + nearness_[nearest] >= most)) ++nearest;
        lists[first + i] = static_cast<std::uint32_t>(nearest);
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
