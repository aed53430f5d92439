#include "segue/recall_curve.hpp"

#include <algorithm>
#include <cmath>

namespace segue {

std::size_t RecallCurve::effort_for(double recall) const noexcept {
  const auto above = std::lower_bound(points.begin(), points.end(), recall,
                                      [](const CurvePoint& p, double wanted) { return p.recall_low < wanted; });
  if (above == points.end()) return 0;
  if (above == points.begin()) return above->effort;
  const CurvePoint& below = above[-1];
  const double share = (recall - below.recall_low) / (above->recall_low - below.recall_low);
  const double steps = std::ceil(share * static_cast<double>(above->effort - below.effort));
  return std::min(above->effort, below.effort + static_cast<std::size_t>(steps));
}

double RecallCurve::recall_at(std::size_t effort) const noexcept {
  if (points.empty()) return 0;
  const auto above = std::lower_bound(points.begin(), points.end(), effort,
                                      [](const CurvePoint& p, std::size_t wanted) { return p.effort < wanted; });
  if (above == points.end()) return points.back().recall;
  if (above == points.begin()) return above->recall;
  const CurvePoint& below = above[-1];
  const double share = static_cast<double>(effort - below.effort) / static_cast<double>(above->effort - below.effort);
  return below.recall + share * (above->recall - below.recall);
}

}  // namespace segue
