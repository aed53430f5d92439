#include "items/recall_curves.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "items/check_input.hpp"

namespace segue {
namespace {

std::string text(double x) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.4g", x);
  return buffer;
}

std::string rounded_down(double recall) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.4f", static_cast<double>(static_cast<int>(recall * 10000)) / 10000);
  return buffer;
}

}  // namespace

Status check_curve(const RecallCurve& curve) {
  if (curve.k < 1 || curve.k > kMaxK) return invalid_argument("the curve's k is out of range");
  if (curve.points.empty()) return invalid_argument("the curve has no points");
  if (curve.points.size() > kMaxCurvePoints) {
    return invalid_argument("the curve has more than " + std::to_string(kMaxCurvePoints) + " points");
  }
  CurvePoint before;
  for (const CurvePoint& p : curve.points) {
    if (p.effort <= before.effort || p.effort > kMaxEffort) {
      return invalid_argument("the curve's efforts do not ascend from 1 to at most " + std::to_string(kMaxEffort));
    }
    // Written so that a NaN fails.
    const bool in_order = p.recall >= before.recall && p.recall_low >= before.recall_low && p.recall <= 1 &&
                          p.recall_low <= p.recall && p.distances >= 0;
    if (!in_order) return invalid_argument("the curve's recalls do not ascend from 0 to at most 1");
    before = p;
  }
  return {};
}

Status RecallCurves::keep(RecallCurve curve) {
  SEGUE_RETURN_IF_ERROR(check_curve(curve));
  curve.changed -= changes_.load(std::memory_order_relaxed);
  const auto at = std::lower_bound(curves_.begin(), curves_.end(), curve.k,
                                   [](const RecallCurve& c, std::size_t k) { return c.k < k; });
  if (at != curves_.end() && at->k == curve.k) {
    *at = std::move(curve);
    return {};
  }
  if (curves_.size() >= kMaxCurves) {
    return invalid_argument("the index was tuned for " + std::to_string(kMaxCurves) +
                            " different k already; a curve serves every smaller k too, so tune for the largest");
  }
  curves_.insert(at, std::move(curve));
  return {};
}

Result<std::size_t> RecallCurves::effort_for(std::size_t k, double recall) const {
  if (curves_.empty()) {
    return invalid_argument("recall " + text(recall) +
                            " was asked for, but the index was never tuned; call segue::tune "
                            "first (segue.tune(index, queries) in Python), or pass ef or nprobe");
  }
  const auto curve = std::lower_bound(curves_.begin(), curves_.end(), k,
                                      [](const RecallCurve& c, std::size_t wanted) { return c.k < wanted; });
  if (curve == curves_.end()) {
    return invalid_argument("recall " + text(recall) + " was asked for at k = " + std::to_string(k) +
                            ", but the index was tuned for k up to " + std::to_string(curves_.back().k) +
                            "; tune it with this k, or pass ef or nprobe");
  }
  const std::size_t effort = curve->effort_for(recall);
  if (effort != 0) return effort;
  return invalid_argument("recall " + text(recall) +
                          " is more than what was measured for k = " + std::to_string(curve->k) +
                          ": with 95 % confidence at least " + rounded_down(curve->reachable()) + " at an effort of " +
                          std::to_string(curve->points.back().effort) +
                          "; ask for at most that, tune with more queries or for a higher recall, pass ef or nprobe, or use a "
                          "FlatIndex, which finds all");
}

std::vector<RecallCurve> RecallCurves::all() const {
  std::vector<RecallCurve> all = curves_;
  const std::size_t changes = changes_.load(std::memory_order_relaxed);
  for (RecallCurve& curve : all) curve.changed += changes;
  return all;
}

void RecallCurves::append_stats(IndexStats& stats) const {
  for (const RecallCurve& curve : all()) {
    const std::string name = "tuned k=" + std::to_string(curve.k);
    stats.emplace_back(name + ": reachable recall", curve.reachable());
    stats.emplace_back(name + ": items then", static_cast<double>(curve.items));
    stats.emplace_back(name + ": changed since", static_cast<double>(curve.changed));
  }
}

std::size_t RecallCurves::memory_usage() const noexcept {
  std::size_t bytes = curves_.capacity() * sizeof(RecallCurve);
  for (const RecallCurve& curve : curves_) bytes += curve.points.capacity() * sizeof(CurvePoint);
  return bytes;
}

}  // namespace segue
