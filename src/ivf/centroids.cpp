#include "ivf/centroids.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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
// Of groups, that a row visits. Of 4,096 centres of clusters 987 of 1,000 rows find their nearest, in 5 microseconds for 17.
constexpr std::size_t kNearGroups = 16;
// Rows that are shared out among threads.
constexpr std::size_t kLeastTogether = 256;

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
  std::vector<float> moved(n * dim);
  for (std::size_t i = 0; i < n; ++i) {
    rows_.write(i, centres.row(i));
    move(centres.row(i), moved.data() + i * dim);
  }
  blocks_.assign(MatrixView(moved, dim));
  // Nothing joins a place that no centre has.
  const std::size_t places = groups() == nullptr ? n : blocks_.places();
  codes_.resize(places);
  grains_.resize(places);
  if (places != n) {
    const std::vector<float> none(dim, 0.0f);
    for (std::size_t p = 0; p < places; ++p) codes_.write(p, none.data());
    std::fill_n(grains_.data(), places, Grain{});
  }
  nearness_.resize(blocks_.places());
  std::fill_n(nearness_.data(), nearness_.size(), groups() == nullptr ? 0.0f : -std::numeric_limits<float>::infinity());
  exact_nearness_.resize(n);
  const auto nearness = [dim](const float* x) { return static_cast<float>(-squared_distance(x, nullptr, dim) / 2); };
  for (std::size_t i = 0; i < n; ++i) {
    const float* const x = moved.data() + i * dim;
    const std::size_t place = blocks_.place_of(i);
    codes_.write(place, x);
    grains_[place] = grain_of(x, dim);
    nearness_[place] = nearness(x);
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

struct Centroids::GroupedMemory {
  AssignMemory top, own;
  std::vector<float> moved;
  std::vector<std::uint32_t> groups;  // kNearGroups a row
  std::vector<std::uint32_t> begins;  // of what follows, by group
  std::vector<std::uint32_t> visits;  // row * kNearGroups + how near the group is
  std::vector<std::uint32_t> places;  // the best, and what it is worth, by visit
  std::vector<float> worths;
  Buffer<unsigned char> some;
};

Centroids::Grain Centroids::grain_of(const float* x, std::size_t dim) noexcept {
  float largest = 0;
  for (std::size_t j = 0; j < dim; ++j) largest = std::max(largest, std::fabs(x[j]));
  return {static_cast<float>(std::sqrt(squared_distance(x, nullptr, dim))), largest / kernels::kSq8MaxCode};
}

// From the mean.
void Centroids::move(const float* x, float* to) const noexcept {
  for (std::size_t j = 0; j < dim(); ++j) to[j] = x[j] - mean_[j];
}

// Into memory.queries.
void Centroids::prepare(MatrixView rows, AssignMemory& memory) const {
  const kernels::FamilyKernels& sq8 = codes_.kernels();
  const std::size_t bytes = sq8.query_bytes(dim());
  if (memory.moved.size() < dim()) memory.moved.resize(dim());
  if (memory.queries.size() < rows.rows() * bytes) memory.queries.resize(rows.rows() * bytes);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    move(rows.row(i), memory.moved.data());
    sq8.prepare_query(memory.moved.data(), dim(), memory.queries.data() + i * bytes);
  }
}

// Of at most kAtOnce queries with what lies in so many places.
const float* Centroids::products(const unsigned char* queries, std::size_t n, std::size_t place, std::size_t places,
                                 AssignMemory& memory) const {
  const kernels::FamilyKernels& sq8 = codes_.kernels();
  const std::size_t scratch = sq8.tile_scratch_bytes(dim());
  if (memory.scratch.size() < scratch) memory.scratch.resize(scratch);
  if (memory.scores.size() < kAtOnce * places) memory.scores.resize(kAtOnce * places);
  sq8.score_tile[kernels::kDot](queries, sq8.query_bytes(dim()), n, codes_.rows() + place * codes_.stride(), codes_.stride(),
                                places, dim(), memory.scores.data(), places, memory.scratch.data());
  return memory.scores.data();
}

// The best of each piece first, then its place in the best of them: a maximum goes in vectors, a place does not. Scores begin
// at `place`.
std::size_t Centroids::nearest_by_codes(const float* scores, std::size_t place, std::size_t places,
                                        AssignMemory& memory) const {
  const float* const nearness = nearness_.data() + place;
  memory.pieces.clear();
  for (std::size_t c = 0; c < places; c += kPiece) {
    memory.pieces.push_back(largest_sum(scores + c, nearness + c, std::min(kPiece, places - c)));
  }
  const auto piece = std::max_element(memory.pieces.begin(), memory.pieces.end());
  std::size_t best = static_cast<std::size_t>(piece - memory.pieces.begin()) * kPiece;
  const std::size_t end = std::min(places, best + kPiece);
  while (best + 1 < end && !(scores[best] + nearness[best] >= *piece)) ++best;
  // Numbers that overflow are nearest to nothing: to the first, as behind the last of a group there is none.
  return place + (blocks_.centre_at(place + best) == CentreGroups::kNoCentre ? 0 : best);
}

// By how much codes may be wrong about a row and what lies in a place.
float Centroids::doubt(const float* row, std::size_t place, AssignMemory& memory) const {
  move(row, memory.moved.data());
  const Grain grain = grain_of(memory.moved.data(), dim());
  const Grain& other = grains_[place];
  return kDoubt * std::hypot(grain.step * other.length, grain.length * other.step);
}

// Among memory.near.
std::uint32_t Centroids::nearest_of_near(const float* row, AssignMemory& memory) const {
  memory.prepared.prepare(rows_, row);
  const RowScorer scorer(rows_, RowMetric::kSquaredL2, memory.prepared.data());
  memory.costs.resize(memory.near.size());
  for (std::size_t i = 0; i < memory.near.size(); i += kMaxScoreList) {
    scorer.score(memory.near.data() + i, std::min(kMaxScoreList, memory.near.size() - i), memory.costs.data() + i);
  }
  return memory.near[static_cast<std::size_t>(std::min_element(memory.costs.begin(), memory.costs.end()) -
                                              memory.costs.begin())];
}

// Among those that codes cannot tell from the best.
std::uint32_t Centroids::nearest(const float* row, std::size_t by_codes, const float* scores, AssignMemory& memory) const {
  const auto worth = [&](std::size_t p) { return scores[p] + nearness_[p]; };
  const float least = worth(by_codes) - doubt(row, by_codes, memory);
  memory.near.clear();
  for (std::size_t piece = 0; piece < memory.pieces.size(); ++piece) {
    if (memory.pieces[piece] < least) continue;
    for (std::size_t p = piece * kPiece; p < std::min(codes_.size(), (piece + 1) * kPiece); ++p) {
      if (!(worth(p) >= least) || blocks_.centre_at(p) == CentreGroups::kNoCentre) continue;
      memory.near.push_back(static_cast<std::uint32_t>(blocks_.centre_at(p)));
    }
  }
  if (memory.near.size() < 2) return static_cast<std::uint32_t>(blocks_.centre_at(by_codes));
  return nearest_of_near(row, memory);
}

void Centroids::assign(MatrixView rows, std::uint32_t* lists, int threads, Assignment how) const {
  if (groups() != nullptr && how != Assignment::kExact) {
    const std::size_t share = rows.rows() / worker_count(rows.rows(), threads, kLeastTogether);
    const std::size_t together = std::clamp(share, kLeastTogether, kGroupedAtOnce);
    std::vector<GroupedMemory> workers(worker_count(rows.rows(), threads, together));
    parallel_for(rows.rows(), threads, together, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t first = begin; first < end; first += together) {
        assign_in_groups(rows.slice(first, std::min(together, end - first)), lists + first, how, workers[worker]);
      }
    });
    return;
  }
  const std::size_t places = codes_.size();
  std::vector<AssignMemory> workers(worker_count(rows.rows(), threads, kAssignedAtOnce));
  parallel_for(rows.rows(), threads, kAssignedAtOnce, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    AssignMemory& memory = workers[worker];
    for (std::size_t first = begin; first < end; first += kAtOnce) {
      const std::size_t n = std::min(kAtOnce, end - first);
      prepare(rows.slice(first, n), memory);
      const float* scores = products(memory.queries.data(), n, 0, places, memory);
      for (std::size_t i = 0; i < n; ++i, scores += places) {
        const std::size_t by_codes = nearest_by_codes(scores, 0, places, memory);
        lists[first + i] = how == Assignment::kRough ? static_cast<std::uint32_t>(blocks_.centre_at(by_codes))
                                                     : nearest(rows.row(first + i), by_codes, scores, memory);
      }
    }
  });
}

// Of each row the `few` nearest by codes, best first; of equals the first.
void Centroids::nearest_few(MatrixView rows, std::size_t few, std::uint32_t* centres, AssignMemory& memory) const {
  std::vector<float> best(few);
  for (std::size_t first = 0; first < rows.rows(); first += kAtOnce) {
    const std::size_t n = std::min(kAtOnce, rows.rows() - first);
    prepare(rows.slice(first, n), memory);
    const float* scores = products(memory.queries.data(), n, 0, size(), memory);
    for (std::size_t i = 0; i < n; ++i, scores += size(), centres += few) {
      std::size_t found = 0;
      for (std::uint32_t c = 0; c < size(); ++c) {
        const float worth = scores[c] + nearness_[c];
        if (found == few && !(worth > best[few - 1])) continue;
        std::size_t at = found < few ? found++ : few - 1;
        for (; at > 0 && worth > best[at - 1]; --at) {
          best[at] = best[at - 1];
          centres[at] = centres[at - 1];
        }
        best[at] = worth;
        centres[at] = c;
      }
    }
  }
}

// Rows that visit a group meet its centres together, in tiles.
void Centroids::assign_in_groups(MatrixView rows, std::uint32_t* lists, Assignment how, GroupedMemory& memory) const {
  const CentreGroups& tree = *groups();
  const std::size_t n = rows.rows();
  const std::size_t few = std::min(kNearGroups, tree.size());
  const std::size_t visits = n * few;
  memory.moved.resize(n * dim());
  for (std::size_t i = 0; i < n; ++i) move(rows.row(i), memory.moved.data() + i * dim());
  memory.groups.resize(visits);
  tree.top().nearest_few(MatrixView(memory.moved.data(), n, dim()), few, memory.groups.data(), memory.top);

  memory.begins.assign(tree.size() + 1, 0);
  for (const std::uint32_t g : memory.groups) ++memory.begins[g + 1];
  std::partial_sum(memory.begins.begin(), memory.begins.end(), memory.begins.begin());
  std::vector<std::uint32_t> next(memory.begins.begin(), memory.begins.end() - 1);
  memory.visits.resize(visits);
  for (std::size_t v = 0; v < visits; ++v) memory.visits[next[memory.groups[v]]++] = static_cast<std::uint32_t>(v);

  prepare(rows, memory.own);
  const std::size_t bytes = codes_.kernels().query_bytes(dim());
  if (memory.some.size() < kAtOnce * bytes) memory.some.resize(kAtOnce * bytes);
  memory.places.resize(visits);
  memory.worths.resize(visits);
  for (std::size_t g = 0; g < tree.size(); ++g) {
    const std::size_t place = tree.first_block(g) * kernels::kBlockRows;
    const std::size_t places = tree.blocks(g) * kernels::kBlockRows;
    for (std::size_t first = memory.begins[g]; first < memory.begins[g + 1]; first += kAtOnce) {
      const std::uint32_t* const visit = memory.visits.data() + first;
      const std::size_t count = std::min<std::size_t>(kAtOnce, memory.begins[g + 1] - first);
      if (places == 0) {
        for (std::size_t i = 0; i < count; ++i) {
          memory.places[visit[i]] = 0;
          memory.worths[visit[i]] = -std::numeric_limits<float>::infinity();
        }
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(memory.own.queries.data() + visit[i] / few * bytes, bytes, memory.some.data() + i * bytes);
      }
      const float* scores = products(memory.some.data(), count, place, places, memory.own);
      for (std::size_t i = 0; i < count; ++i, scores += places) {
        const std::size_t best = nearest_by_codes(scores, place, places, memory.own);
        memory.places[visit[i]] = static_cast<std::uint32_t>(best);
        memory.worths[visit[i]] = scores[best - place] + nearness_[best];
      }
    }
  }

  for (std::size_t i = 0; i < n; ++i) {
    const float* const worths = memory.worths.data() + i * few;
    const std::uint32_t* const places = memory.places.data() + i * few;
    const auto best = static_cast<std::size_t>(std::max_element(worths, worths + few) - worths);
    lists[i] = static_cast<std::uint32_t>(blocks_.centre_at(places[best]));
    if (how == Assignment::kRough) continue;
    const float least = worths[best] - doubt(rows.row(i), places[best], memory.own);
    memory.own.near.clear();
    for (std::size_t v = 0; v < few; ++v) {
      if (worths[v] >= least) memory.own.near.push_back(static_cast<std::uint32_t>(blocks_.centre_at(places[v])));
    }
    if (memory.own.near.size() > 1) lists[i] = nearest_of_near(rows.row(i), memory.own);
  }
}

void Centroids::rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count, RankMemory& memory,
                     std::uint32_t* lists) const {
  const bool moves = worth.bonus.data() == nearness_.data();
  if (memory.moved.size() < kQueriesAPiece * dim()) memory.moved.resize(kQueriesAPiece * dim());
  for (std::size_t first = 0; first < queries.size(); first += kQueriesAPiece) {
    const std::size_t n = std::min(kQueriesAPiece, queries.size() - first);
    const float* some[kQueriesAPiece];
    for (std::size_t i = 0; i < n; ++i) {
      some[i] = queries[first + i];
      if (!moves) continue;
      float* const to = memory.moved.data() + i * dim();
      move(some[i], to);
      some[i] = to;
    }
    blocks_.rank({some, n}, worth, count, memory, lists + first * count);
  }
}

}  // namespace segue
