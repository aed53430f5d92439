#include "tuning/fit_curve.hpp"

#include <algorithm>
#include <cmath>

namespace segue {
namespace {
constexpr double kOneSided95 = 1.645;
}

MeasuredRecall summarize_recalls(std::span<const double> recalls, std::size_t k) noexcept {
  const double one_missed = 1 - 1 / static_cast<double>(k);
  double sum = 0;
  for (const double r : recalls) sum += r;
  const double n = static_cast<double>(recalls.size()) + 1;
  const double mean = (sum + one_missed) / n;
  double squares = (one_missed - mean) * (one_missed - mean);
  for (const double r : recalls) squares += (r - mean) * (r - mean);
  const double error = std::sqrt(squares / (n * std::max(1.0, n - 1)));
  return {sum / static_cast<double>(recalls.size()), std::clamp(mean - kOneSided95 * error, 0.0, 1.0)};
}

void fit_curve(std::vector<CurvePoint>& points) {
  struct Pool {
    double sum;
    std::size_t size;
    double mean() const noexcept { return sum / static_cast<double>(size); }
  };
  std::vector<Pool> pools;
  std::vector<double> margins;
  for (const CurvePoint& p : points) {
    margins.push_back(p.recall - p.recall_low);
    pools.push_back({p.recall, 1});
    while (pools.size() > 1 && pools.back().mean() < pools[pools.size() - 2].mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().size += last.size;
    }
  }
  std::size_t at = 0;
  for (const Pool& pool : pools) {
    for (std::size_t i = 0; i < pool.size; ++i, ++at) {
      points[at].recall = std::min(1.0, pool.mean());
      points[at].recall_low = std::clamp(points[at].recall - margins[at], 0.0, points[at].recall);
    }
  }
  for (std::size_t i = points.size(); i > 1; --i) {
    points[i - 2].recall_low = std::min(points[i - 2].recall_low, points[i - 1].recall_low);
  }
}

}  // namespace segue
