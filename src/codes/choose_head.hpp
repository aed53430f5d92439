#pragma once
// How many leading directions codes keep.

#include <cstddef>
#include <functional>

#include "segue/core/projection.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// Rows that head choices look at, of a sample.
inline constexpr std::size_t kHeadSample = 2048;

// Who scans what.
struct HeadScan {
  std::size_t rows;  // so many like the sample a query
  // The vector that asks as row i of the sample does, where that is not the row itself but a difference to something.
  std::function<void(std::size_t i, float* out)> query = {};
  // Whether all coordinates may be kept where fewer directions are the cheapest; of a projection that has fewer, as they are.
  bool whole = true;
};

// The directions whose scan costs least, by a model: some queries ask all other rows of the sample, with the bounds that a
// scan has; what a code costs, and a row that the codes cannot rule out. All of them where that costs a quarter more at most:
// users may be unlike rows and lie where few directions were kept, and leave thousands of rows to be scored then
// (lastfm-tracks under cosine: 56 directions of 64 cost 3 % less than all by the model, and 474 us a query where all take 52).
// 0: where the projection has fewer than all, and all coordinates as they are cost less than any.
//
// The same count on any number of threads. O(dim) for each of kHeadSample rows, and 128 times as many steps.
std::size_t choose_head(const kernels::KernelTable& table, const Projection& projection, RowMetric metric, MatrixView sample,
                        const HeadScan& scan, int threads);

}  // namespace segue
