#pragma once
// Searches with growing effort and counts what of the truth was found.

#include <functional>
#include <span>
#include <vector>

#include "segue/index.hpp"

namespace segue {

struct Sample {
  MatrixView queries;
  // Rows of `columns` ids, k or more.
  std::span<const Id> truth;
  std::size_t columns = 0;
  std::size_t k = 0;
};

struct MeasuredCurve {
  std::vector<CurvePoint> points;
  std::vector<double> microseconds;  // one a point
};

// Efforts from k on, each 1.41 times the last, until what TuneOptions::recall says of the end of a curve. A pass costs
// one search of all queries; all passes together about 3.4 times the last one. progress(passes done, passes at most)
// is called often.
Result<MeasuredCurve> measure_curve(const Index& index, const Sample& sample, double recall, int threads,
                                    const std::function<bool(std::size_t, std::size_t)>& progress);

}  // namespace segue
