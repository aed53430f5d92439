#include "tuning/make_queries.hpp"

#include <algorithm>
#include <cmath>

#include "segue/core/mix64.hpp"
#include "tuning/exact_answers.hpp"

namespace segue {
namespace {

// The item itself, the nearest other, and others for where that is its equal.
constexpr std::size_t kNeighbors = 4;

// Selection sampling (Knuth, volume 2, algorithm 3.4.2 S): the next id is taken with the probability of what is wanted
// among what is left.
std::vector<Id> sample(std::span<const Id> ids, std::size_t count, std::uint64_t seed) {
  std::vector<Id> chosen;
  std::size_t wanted = std::min(count, ids.size());
  chosen.reserve(wanted);
  const std::uint64_t start = mix64(seed + kGoldenGamma);
  for (std::size_t i = 0; wanted > 0; ++i) {
    const std::uint64_t left = ids.size() - i;
    if (mix64(start + i * kGoldenGamma) % left >= wanted) continue;
    chosen.push_back(ids[i]);
    --wanted;
  }
  return chosen;
}

// x moves to x + (x - y). False, and x as it was: the two are equal, or the place is beyond float.
bool move_away(std::span<float> x, std::span<const float> y, std::vector<float>& moved) {
  moved.resize(x.size());
  bool finite = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    moved[i] = x[i] + (x[i] - y[i]);
    finite &= std::isfinite(moved[i]);
  }
  if (!finite || std::equal(x.begin(), x.end(), y.begin())) return false;
  std::copy(moved.begin(), moved.end(), x.begin());
  return true;
}

}  // namespace

Result<std::vector<float>> make_queries(const Index& index, std::span<const Id> items, std::size_t count,
                                        std::uint64_t seed, int threads,
                                        const std::function<bool(std::size_t)>& progress) {
  const std::vector<Id> chosen = sample(items, count, seed);
  Result<std::vector<float>> rows = index.get(chosen);
  if (!rows.ok()) return rows;
  const std::size_t dim = index.dim();
  const Result<std::vector<Id>> nearest =
      exact_answers(index, items, Metric::kL2, MatrixView(*rows, dim), kNeighbors, threads, progress);
  if (!nearest.ok()) return nearest.status();
  std::vector<float> moved;
  for (std::size_t q = 0; q < chosen.size(); ++q) {
    for (std::size_t i = 0; i < kNeighbors; ++i) {
      const Id id = (*nearest)[q * kNeighbors + i];
      if (id == kMissingId) break;
      if (id == chosen[q]) continue;
      const Result<std::vector<float>> neighbor = index.get({&id, 1});
      if (!neighbor.ok()) return neighbor;
      if (move_away(std::span<float>(*rows).subspan(q * dim, dim), *neighbor, moved)) break;
    }
  }
  return rows;
}

}  // namespace segue
