#include "codes/choose_planes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <vector>

#include "segue/core/mix64.hpp"

namespace segue {
namespace {

// Of a Gaussian number of unit variance, coded in 0 to 8 bits by steps that are all alike: the best step, and the mean square
// of what is wrong (Max, IRE Transactions on Information Theory 6, 1960, table II).
constexpr std::array<double, 9> kBestStep = {0, 1.596, 0.9957, 0.5860, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308};
constexpr std::array<double, 9> kLeft = {1, 0.3634, 0.1188, 0.03744, 0.01154, 0.003495, 0.001041, 0.000304, 0.0000871};

// Directions that get their bits together.
constexpr std::size_t kTogether = 8;
// Fewer rows say little about directions.
constexpr std::size_t kLeastToTrain = 1024;
// Finding all of 1,536 directions takes twenty seconds; of many dimensions the leading ones are looked at alone.
constexpr std::size_t kAllUpTo = 1024;
constexpr std::size_t kLeading = 512;
// What bits that differ have to leave of what the same bits everywhere do. Factors of tracks and books leave 0.7 and more,
// and find less by them; images and clusters 0.01 to 0.4.
constexpr double kWorthIt = 0.5;

// n rows of `dim` numbers, rotated among themselves: signs by chance and a Walsh-Hadamard transform of the largest power of
// two of rows, of the first and of the last, three times.
void mix(float* out, std::size_t n, std::size_t dim, std::uint64_t seed) {
  constexpr int kRounds = 3;
  if (n == 0) return;
  const std::size_t some = std::bit_floor(n);
  // In double: what thirty steps round would be more than all else that projecting gets wrong.
  std::vector<double> mixed(out, out + n * dim);
  double* rows = mixed.data();
  const auto transform = [&](double* first) {
    for (std::size_t half = 1; half < some; half *= 2) {
      for (std::size_t i = 0; i < some / 2; ++i) {
        double* x = first + (i / half * 2 * half + i % half) * dim;
        double* y = x + half * dim;
        for (std::size_t j = 0; j < dim; ++j) {
          constexpr double kRoot = std::numbers::sqrt2 / 2;
          const double sum = (x[j] + y[j]) * kRoot, difference = (x[j] - y[j]) * kRoot;
          x[j] = sum;
          y[j] = difference;
        }
      }
    }
  };
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < n; ++i) {
      if ((mix64(kGoldenGamma * (seed + static_cast<std::uint64_t>(round) * n + i + 1)) & 1) == 0) continue;
      for (std::size_t j = 0; j < dim; ++j) rows[i * dim + j] = -rows[i * dim + j];
    }
    transform(rows);
    if (some != n) transform(rows + (n - some) * dim);
  }
  std::transform(mixed.begin(), mixed.end(), out, [](double x) { return static_cast<float>(x); });
}

// Of `all_bits`: those of each direction, falling; none of the last ones are zero. `energies` fall.
std::vector<unsigned char> deal_out(std::span<const double> energies, std::size_t all_bits) {
  const std::size_t dim = energies.size(), parts = (dim + kTogether - 1) / kTogether;
  std::vector<double> worth(parts);
  std::vector<std::size_t> sizes(parts);
  for (std::size_t i = 0; i < dim; ++i) {
    worth[i / kTogether] += energies[i] * energies[i];
    ++sizes[i / kTogether];
  }
  const std::size_t most_words = (all_bits + 31) / 32;
  for (std::size_t budget = all_bits;; budget -= std::min(budget, kTogether)) {
    std::vector<unsigned char> of_part(parts);
    for (std::size_t left = budget;;) {
      std::size_t best = parts;
      double most = 0;
      for (std::size_t p = 0; p < parts; ++p) {
        if (of_part[p] == CodePlanes::kMostBits || sizes[p] > left) continue;
        const double gain = worth[p] * (kLeft[of_part[p]] - kLeft[of_part[p] + 1u]) / static_cast<double>(sizes[p]);
        if (gain > most) {
          most = gain;
          best = p;
        }
      }
      if (best == parts) break;
      ++of_part[best];
      left -= sizes[best];
    }
    std::vector<unsigned char> out;
    for (std::size_t i = 0; i < dim; ++i) {
      if (of_part[i / kTogether] != 0) out.push_back(of_part[i / kTogether]);
    }
    std::sort(out.begin(), out.end(), std::greater<>());
    if (CodePlanes::words_for(out) <= most_words || budget == 0) return out;
  }
}

double left_of(std::span<const double> energies, std::span<const unsigned char> bits) {
  double sum = 0;
  for (std::size_t i = 0; i < energies.size(); ++i) sum += energies[i] * energies[i] * kLeft[i < bits.size() ? bits[i] : 0];
  return sum;
}

PlaneChoice make_choice(const kernels::KernelTable& table, std::size_t dim, std::vector<unsigned char> bits,
                        std::span<const double> energies, Buffer<float> basis) {
  const std::size_t head = bits.size();
  double coded = 0;
  for (std::size_t i = 0; i < head; ++i) coded += energies[i];
  std::vector<float> steps(head);
  for (std::size_t first = 0, end = 0; first < head; first = end) {
    while (end < head && bits[end] == bits[first]) ++end;
    const double mean = std::accumulate(energies.begin() + static_cast<std::ptrdiff_t>(first),
                                        energies.begin() + static_cast<std::ptrdiff_t>(end), 0.0) /
                        static_cast<double>(end - first);
    // Half of it, as codes are odd numbers.
    const double step = kBestStep[bits[first]] / 2 * std::sqrt(std::max(mean, 1e-9 * coded) / coded);
    std::fill(steps.begin() + static_cast<std::ptrdiff_t>(first), steps.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<float>(step));
    if (!basis.empty()) mix(basis.data() + first * dim, end - first, dim, first);
  }
  Projection projection = basis.empty() ? Projection::identity(table, dim)
                                        : Projection::adopt(table, dim, std::move(basis), {}, {}, 0);
  return {std::move(projection), std::make_shared<const CodePlanes>(std::move(bits), std::move(steps))};
}

}  // namespace

PlaneChoice choose_planes(const kernels::KernelTable& table, MatrixView sample, unsigned bits, int threads) {
  const std::size_t dim = sample.cols();
  if (dim <= Projection::kMaxTrainedDim && sample.rows() >= std::max(kLeastToTrain, 2 * dim)) {
    const bool bounded = std::all_of(sample.data(), sample.data() + sample.rows() * dim,
                                     [](float x) { return std::fabs(x) <= 1e15f; });
    const std::size_t looked_at = dim <= kAllUpTo ? dim : kLeading;
    const Projection found = bounded ? Projection::train(table, sample, {.head = looked_at, .threads = threads})
                                     : Projection::identity(table, dim);
    std::vector<double> energies(found.energies().begin(), found.energies().end());
    for (double& energy : energies) energy = std::max(0.0, energy);
    const double leading = std::accumulate(energies.begin(), energies.end(), 0.0);
    const double all = looked_at == dim ? leading : std::max(leading, found.total_energy());
    if (found.rotates() && found.head() == looked_at && all > 0) {
      std::vector<unsigned char> dealt = deal_out(energies, dim * bits);
      // The others get no bits, and are taken for alike.
      energies.resize(dim, (all - leading) / static_cast<double>(std::max<std::size_t>(1, dim - looked_at)));
      const double mean = all / static_cast<double>(dim);
      const double alike = static_cast<double>(dim) * mean * mean * kLeft[bits];
      if (!dealt.empty() && left_of(energies, dealt) < kWorthIt * alike) {
        Buffer<float> basis;
        basis.assign({found.basis().data(), dealt.size() * dim});
        return make_choice(table, dim, std::move(dealt), energies, std::move(basis));
      }
    }
  }
  Buffer<float> basis;
  // A matrix of more dimensions is no longer small.
  if (dim <= Projection::kMaxTrainedDim) {
    basis.resize(dim * dim);
    for (std::size_t i = 0; i < dim; ++i) basis[i * dim + i] = 1;
  }
  const std::vector<double> alike(dim, 1.0);
  return make_choice(table, dim, std::vector<unsigned char>(dim, static_cast<unsigned char>(bits)), alike, std::move(basis));
}

}  // namespace segue
