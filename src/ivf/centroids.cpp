#include "ivf/centroids.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "codes/code_query.hpp"
#include "items/check_input.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/candidate.hpp"
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

// A query may be as long as floats go; what overflows still has to be ordered.
void add_scaled(float* scores, float factor, std::span<const float> terms) {
  constexpr float kMost = std::numeric_limits<float>::max();
  for (std::size_t c = 0; c < terms.size(); ++c) {
    const float sum = scores[c] + factor * terms[c];
    const float capped = sum < kMost ? sum : kMost;
    scores[c] = capped > -kMost ? capped : -kMost;
  }
}

// The `count` largest of n scores into keys, best first; equal ones by number.
void select_best(const float* scores, std::size_t n, std::size_t count, RankMemory& memory) {
  // No more than count - 1 lanes can hold something above the count-th best of the lanes' maxima, so what is below it is
  // none of the best. Lanes run side by side, which the compiler turns into vectors.
  constexpr std::size_t kLane = 16;
  const std::size_t lanes = std::min(n, (4 * count + kLane - 1) / kLane * kLane);
  float least = -std::numeric_limits<float>::infinity();
  if (lanes < n / 2) {
    memory.lanes.assign(scores, scores + lanes);
    std::size_t i = lanes;
    for (; i + lanes <= n; i += lanes) {
      for (std::size_t j = 0; j < lanes; ++j) memory.lanes[j] = std::max(memory.lanes[j], scores[i + j]);
    }
    for (std::size_t j = 0; i + j < n; ++j) memory.lanes[j] = std::max(memory.lanes[j], scores[i + j]);
    std::nth_element(memory.lanes.begin(), memory.lanes.begin() + static_cast<std::ptrdiff_t>(count - 1),
                     memory.lanes.end(), std::greater<>());
    least = memory.lanes[count - 1];
  }
  std::vector<std::uint64_t>& keys = memory.keys;
  keys.clear();
  const auto keep = [&](std::size_t i) {
    if (scores[i] >= least) keys.push_back(std::uint64_t{ordered_bits(-scores[i])} << 32 | i);
  };
  // Most pieces hold none.
  std::size_t i = 0;
  for (; i + kLane <= n; i += kLane) {
    float most[4] = {scores[i], scores[i + 1], scores[i + 2], scores[i + 3]};
    for (std::size_t j = 4; j < kLane; j += 4) {
      for (std::size_t l = 0; l < 4; ++l) most[l] = most[l] < scores[i + j + l] ? scores[i + j + l] : most[l];
    }
    if (std::max(std::max(most[0], most[1]), std::max(most[2], most[3])) < least) continue;
    for (std::size_t j = i; j < i + kLane; ++j) keep(j);
  }
  for (; i < n; ++i) keep(i);
  if (keys.size() > count) {
    std::nth_element(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count), keys.end());
    keys.resize(count);
  }
  std::sort(keys.begin(), keys.end());
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
  nearness_.resize(n);
  std::vector<float> moved(dim);
  for (std::size_t i = 0; i < n; ++i) {
    rows_.write(i, centres.row(i));
    double squared = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      moved[j] = centres.row(i)[j] - mean_[j];
      squared += static_cast<double>(moved[j]) * moved[j];
    }
    codes_.write(i, moved.data());
    nearness_[i] = static_cast<float>(-squared / 2);
  }
}

const float* Centroids::products(std::span<const float* const> rows, bool move, RankMemory& memory) const {
  const kernels::FamilyKernels& sq8 = codes_.kernels();
  const std::size_t n = rows.size();
  const std::size_t bytes = sq8.query_bytes(dim());
  memory.moved.resize(std::max(memory.moved.size(), dim()));
  memory.queries.resize(std::max(memory.queries.size(), kAtOnce * bytes));
  memory.scratch.resize(std::max(memory.scratch.size(), sq8.tile_scratch_bytes(dim())));
  memory.scores.resize(std::max(memory.scores.size(), kAtOnce * size()));
  for (std::size_t i = 0; i < n; ++i) {
    const float* x = rows[i];
    if (move) {
      for (std::size_t j = 0; j < dim(); ++j) memory.moved[j] = x[j] - mean_[j];
      x = memory.moved.data();
    }
    sq8.prepare_query(x, dim(), memory.queries.data() + i * bytes);
  }
  sq8.score_tile[kernels::kDot](memory.queries.data(), bytes, n, codes_.rows(), codes_.stride(), size(), dim(),
                                memory.scores.data(), size(), memory.scratch.data());
  return memory.scores.data();
}

void Centroids::assign(MatrixView rows, std::uint32_t* lists, int threads) const {
  std::vector<RankMemory> workers(worker_count(rows.rows(), threads, kAssignedAtOnce));
  parallel_for(rows.rows(), threads, kAssignedAtOnce, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t first = begin; first < end; first += kAtOnce) {
      const std::size_t n = std::min(kAtOnce, end - first);
      const float* some[kAtOnce];
      for (std::size_t i = 0; i < n; ++i) some[i] = rows.row(first + i);
      const float* scores = products({some, n}, true, workers[worker]);
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

void Centroids::rank(std::span<const float* const> queries, const Worth& worth, std::size_t count, RankMemory& memory,
                     std::uint32_t* lists) const {
  for (std::size_t first = 0; first < queries.size(); first += kAtOnce) {
    const std::size_t n = std::min(kAtOnce, queries.size() - first);
    products(queries.subspan(first, n), !worth.bias.empty(), memory);
    for (std::size_t i = 0; i < n; ++i) {
      float* scores = memory.scores.data() + i * size();
      if (!worth.bias.empty()) add_scaled(scores, 1, worth.bias);
      if (!worth.spread.empty()) add_scaled(scores, norm(queries[first + i], dim()), worth.spread);
      select_best(scores, size(), count, memory);
      for (std::size_t c = 0; c < count; ++c) *lists++ = static_cast<std::uint32_t>(memory.keys[c]);
    }
  }
}

}  // namespace segue
