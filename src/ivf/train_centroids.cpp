#include "ivf/train_centroids.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <span>
#include <tuple>

#include "segue/core/mix64.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

constexpr std::size_t kPowerSteps = 3;
// So many of ten lists come from k-means; fewer lists than this are not cut at all.
constexpr std::size_t kOfTen = 9;
constexpr std::size_t kLeastToCut = 16;
constexpr std::size_t kRoundsFromStart = 2;

// Rows by list: list l has rows[offsets[l] .. offsets[l + 1]), ascending.
struct Members {
  std::vector<std::size_t> offsets;
  std::vector<std::uint32_t> rows;

  Members(std::span<const std::uint32_t> lists, std::size_t count) : offsets(count + 1), rows(lists.size()) {
    for (const std::uint32_t l : lists) ++offsets[l + 1];
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    std::vector<std::size_t> next(offsets.begin(), offsets.end() - 1);
    for (std::size_t i = 0; i < lists.size(); ++i) rows[next[lists[i]]++] = static_cast<std::uint32_t>(i);
  }
  std::span<const std::uint32_t> of(std::size_t list) const {
    return std::span(rows).subspan(offsets[list], offsets[list + 1] - offsets[list]);
  }
};

void mean_of(MatrixView sample, std::span<const std::uint32_t> rows, float* out) {
  const std::size_t dim = sample.cols();
  std::vector<double> sum(dim, 0.0);
  for (const std::uint32_t r : rows) {
    for (std::size_t j = 0; j < dim; ++j) sum[j] += sample.row(r)[j];
  }
  for (std::size_t j = 0; j < dim; ++j) out[j] = static_cast<float>(sum[j] / static_cast<double>(rows.size()));
}

double squared(const float* x, const float* y, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - y[i];
    sum += d * d;
  }
  return sum;
}

// Halves a list across the direction in which it is longest, at the median. False where all rows are equal.
//
// The k-means of two lists would do less: of many rows near zero and a few far out, as factors have them, it splits off
// the few. A direction from the mean to the furthest row, turned by some steps of the power method, is near enough.
bool cut(MatrixView sample, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& left,
         std::vector<std::uint32_t>& right) {
  const std::size_t dim = sample.cols();
  std::vector<float> mean(dim), direction(dim);
  mean_of(sample, rows, mean.data());
  double most = 0;
  for (const std::uint32_t r : rows) {
    const double d = squared(sample.row(r), mean.data(), dim);
    if (!(d > most)) continue;
    most = d;
    for (std::size_t j = 0; j < dim; ++j) direction[j] = sample.row(r)[j] - mean[j];
  }
  if (!(most > 0)) return false;
  std::vector<double> sum(dim);
  std::vector<std::pair<double, std::uint32_t>> along(rows.size());
  for (std::size_t step = 0; step <= kPowerSteps; ++step) {
    std::fill(sum.begin(), sum.end(), 0.0);
    double length = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const float* x = sample.row(rows[i]);
      double product = 0;
      for (std::size_t j = 0; j < dim; ++j) product += (static_cast<double>(x[j]) - mean[j]) * direction[j];
      along[i] = {product, rows[i]};
      for (std::size_t j = 0; j < dim; ++j) sum[j] += product * (static_cast<double>(x[j]) - mean[j]);
    }
    for (const double s : sum) length += s * s;
    if (step == kPowerSteps || !(length > 0)) break;
    for (std::size_t j = 0; j < dim; ++j) direction[j] = static_cast<float>(sum[j] / std::sqrt(length));
  }
  const auto half = along.begin() + static_cast<std::ptrdiff_t>(along.size() / 2);
  std::nth_element(along.begin(), half, along.end());
  left.clear();
  right.clear();
  for (auto i = along.begin(); i != along.end(); ++i) (i < half ? left : right).push_back(i->second);
  return true;
}

// Cuts the longest list until there are `lists`.
void cut_longest(MatrixView sample, const Members& members, std::size_t lists, std::vector<float>& centres) {
  const std::size_t dim = sample.cols();
  std::vector<std::vector<std::uint32_t>> rows;
  std::priority_queue<std::pair<std::size_t, std::size_t>> longest;  // length and, of equals, the last
  for (std::size_t l = 0; l + 1 < members.offsets.size(); ++l) {
    rows.emplace_back(members.of(l).begin(), members.of(l).end());
    longest.emplace(rows.back().size(), l);
  }
  std::vector<std::uint32_t> left, right;
  while (rows.size() < lists && !longest.empty()) {
    const std::size_t l = longest.top().second;
    longest.pop();
    if (rows[l].size() < 2 || !cut(sample, rows[l], left, right)) continue;
    mean_of(sample, left, centres.data() + l * dim);
    centres.resize(centres.size() + dim);
    mean_of(sample, right, centres.data() + centres.size() - dim);
    rows[l] = left;
    rows.push_back(right);
    longest.emplace(left.size(), l);
    longest.emplace(right.size(), rows.size() - 1);
  }
}

// The first of the rows in an order of the seed.
std::vector<float> first_centres(MatrixView sample, std::size_t lists, std::uint64_t seed) {
  struct Place {
    std::uint64_t key;
    std::uint32_t row;
    bool operator<(const Place& other) const { return std::tie(key, row) < std::tie(other.key, other.row); }
  };
  Buffer<Place> order(sample.rows());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = {mix64(mix64(seed + kGoldenGamma) ^ (i + 1)), static_cast<std::uint32_t>(i)};
  }
  std::partial_sort(order.data(), order.data() + lists, order.data() + order.size());
  const std::size_t dim = sample.cols();
  std::vector<float> centres(lists * dim);
  for (std::size_t l = 0; l < lists; ++l) {
    std::copy_n(sample.row(order[l].row), dim, centres.begin() + static_cast<std::ptrdiff_t>(l * dim));
  }
  return centres;
}

// `lists` of the centres, in their order: without those whose rows lose least by going to the nearest other centre, of which
// that of a pair stays. Those with the fewest rows would be the wrong ones: under inner product they are the longest rows.
std::vector<float> keep_centres(const kernels::KernelTable& table, MatrixView sample, MatrixView start, std::size_t lists,
                                int threads) {
  const std::size_t dim = start.cols(), count = start.rows();
  const Centroids centroids(table, start);
  std::vector<std::uint32_t> list_of(sample.rows());
  centroids.assign(sample, list_of.data(), threads, Assignment::kRough);
  std::vector<double> loss(count, 0);
  for (const std::uint32_t l : list_of) ++loss[l];

  std::vector<std::uint32_t> other(count, 0);
  parallel_for(count > 1 ? count : 0, threads, 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    RankMemory memory;
    std::uint32_t two[2];
    for (std::size_t l = begin; l < end; ++l) {
      const float* const centre = start.row(l);
      const ListWorth nearest{.bonus = centroids.nearness(), .exact_bonus = centroids.exact_nearness()};
      centroids.rank({&centre, 1}, nearest, 2, memory, two);
      other[l] = two[0] == l ? two[1] : two[0];
      loss[l] *= squared(centre, start.row(other[l]), dim);
    }
  });

  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return loss[a] < loss[b]; });
  std::vector<bool> kept(count, true);
  std::size_t left = count;
  for (const bool pairs_stay : {true, false}) {
    for (const std::size_t l : order) {
      if (left == lists) break;
      if (!kept[l] || (pairs_stay && !kept[other[l]])) continue;
      kept[l] = false;
      --left;
    }
  }
  std::vector<float> centres;
  centres.reserve(lists * dim);
  for (std::size_t l = 0; l < count; ++l) {
    if (kept[l]) centres.insert(centres.end(), start.row(l), start.row(l) + dim);
  }
  return centres;
}

}  // namespace

Result<std::vector<float>> train_centroids(const kernels::KernelTable& table, MatrixView sample,
                                           const KMeansOptions& options) {
  const std::size_t dim = sample.cols();
  const std::size_t n = sample.rows();
  std::size_t lists = options.lists;
  if (lists >= kLeastToCut) lists = lists * kOfTen / 10;
  const bool goes_on = options.start.rows() >= lists;
  const std::size_t rounds = goes_on ? kRoundsFromStart : options.rounds;
  const std::size_t total = rounds + 1;

  std::vector<float> centres = goes_on ? keep_centres(table, sample, options.start, lists, options.threads)
                                       : first_centres(sample, lists, options.seed);
  centres.reserve(options.lists * dim);
  std::vector<std::uint32_t> list_of(n);
  for (std::size_t round = 0; round < rounds; ++round) {
    if (options.progress && !options.progress(round, total)) return cancelled("training was cancelled");
    Centroids(table, MatrixView(centres, dim)).assign(sample, list_of.data(), options.threads, Assignment::kRough);
    const Members members(list_of, lists);
    // A list that nothing is nearest to starts again at a row of the longest.
    std::vector<std::size_t> by_length(lists);
    std::iota(by_length.begin(), by_length.end(), std::size_t{0});
    std::stable_sort(by_length.begin(), by_length.end(),
                     [&](std::size_t a, std::size_t b) { return members.of(a).size() > members.of(b).size(); });
    parallel_for(lists, options.threads, 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t l = begin; l < end; ++l) {
        if (!members.of(l).empty()) mean_of(sample, members.of(l), centres.data() + l * dim);
      }
    });
    std::size_t donor = 0;
    for (std::size_t l = 0; l < lists; ++l) {
      if (!members.of(l).empty()) continue;
      const auto rows = members.of(by_length[donor++ % lists]);
      if (rows.size() < 2) continue;
      std::copy_n(sample.row(rows[mix64(options.seed ^ (round * lists + l)) % rows.size()]), dim,
                  centres.begin() + static_cast<std::ptrdiff_t>(l * dim));
    }
  }
  if (options.progress && !options.progress(rounds, total)) return cancelled("training was cancelled");
  if (lists < options.lists) {
    Centroids(table, MatrixView(centres, dim)).assign(sample, list_of.data(), options.threads, Assignment::kRough);
    cut_longest(sample, Members(list_of, lists), options.lists, centres);
  }
  return centres;
}

}  // namespace segue
