#pragma once
// Which directions codes keep, and how many of them.

#include <cstddef>

#include "codes/choose_head.hpp"
#include "segue/core/projection.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// Shorter rows are scanned whole in no time, and keep their coordinates.
inline constexpr std::size_t kLeastTrainedDim = 24;
// Heads beyond this many directions save little of a row and cost most of the training.
inline constexpr std::size_t kLargestHead = 256;

// The directions of the most energy of a sample, as many as choose_head says; the identity where a sample is too small or
// short to tell, or where too much lies beyond kLargestHead. The same sample gives the same bits on any number of threads.
Projection choose_projection(const kernels::KernelTable& table, RowMetric metric, MatrixView sample, const HeadScan& scan,
                             bool centered, int threads);

}  // namespace segue
