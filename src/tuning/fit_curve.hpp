#pragma once
// From recalls as they were measured, with the noise of a sample, to a curve that never falls and does not promise more
// than the sample can hold.

#include <cstddef>
#include <span>
#include <vector>

#include "segue/recall_curve.hpp"

namespace segue {

// What the queries found at one effort.
struct MeasuredRecall {
  double mean = 0;
  double low = 0;  // one-sided bound at 95 % confidence
};

// `recalls` has one number a query, in [0, 1], each the share of k that was found.
//
// The bound is the mean less 1.645 standard errors, taken as if one more query had come that misses one answer: when
// all queries find all, that leaves 1 - 2.6 / (queries * k), close to what the rule of three allows, instead of 1.
MeasuredRecall summarize_recalls(std::span<const double> recalls, std::size_t k) noexcept;

// Makes the curve of points whose `recall` and `recall_low` are as measured, by ascending effort. Recalls become the
// nearest sequence that does not fall (pool adjacent violators); a bound becomes the smallest from it on, so that what
// a larger effort failed to hold no smaller one promises.
void fit_curve(std::vector<CurvePoint>& points);

}  // namespace segue
