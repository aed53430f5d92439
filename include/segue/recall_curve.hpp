#pragma once
// RecallCurve: what an approximate index finds for how much effort, as tune() measured it. An index keeps one for each
// k that it was tuned for, in memory and in its file, and search(recall=...) reads it.
//
//   for (const segue::RecallCurve& curve : index->recall_curves()) {
//     print(curve.k, curve.reachable(), curve.effort_for(0.95));
//   }
//
// Recall never falls along a curve. `recall` is what is to be expected; `recall_low` is lower by the error of a mean
// over so many queries: with 95 % confidence the true recall is at least that. Efforts are chosen by recall_low, so
// that the recall asked for holds and is not just met in every second case.

#include <cstddef>
#include <vector>

namespace segue {

struct CurvePoint {
  std::size_t effort = 0;  // HnswIndex: ef
  double recall = 0;
  double recall_low = 0;
  double distances = 0;  // scores computed a query
};

struct RecallCurve {
  std::size_t k = 0;
  std::size_t queries = 0;         // it was measured on
  std::size_t items = 0;           // that the index held then
  std::size_t changed = 0;         // items added, replaced or removed since
  std::vector<CurvePoint> points;  // by ascending effort; at least one

  // The largest recall that effort_for gives an effort for. Below 1: a sample cannot prove more.
  double reachable() const noexcept { return points.empty() ? 0 : points.back().recall_low; }
  // The smallest effort that holds the recall; 0 where none that was measured does. Between two points along the line
  // through them: curves bend downwards, so the line promises less than the index finds. O(log points).
  std::size_t effort_for(double recall) const noexcept;
  // What to expect of an effort; the ends of the curve beyond them.
  double recall_at(std::size_t effort) const noexcept;
};

}  // namespace segue
