#pragma once
// k-means (Lloyd 1957): centres such that the rows of a sample lie near the nearest, and no list is much longer than others.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ivf/centroids.hpp"
#include "segue/index.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

struct KMeansOptions {
  std::size_t lists = 0;  // at least 1, at most as many as there are rows
  std::uint64_t seed = 0;
  int threads = 0;
  std::size_t rounds = 10;
  // Centres to go on from, in two rounds. Fewer than nine tenths of `lists`: rows that the seed draws are what is begun with.
  MatrixView start = {};
  // done and total count passes over the sample.
  Progress progress = {};
};

// Most rows that training looks at for each list; more move the centres by less than their rounding.
inline constexpr std::size_t kRowsAList = 64;

// `lists` centres (lists x dim). Nine tenths come from k-means; the others go, one after the other, to the list that is
// the longest then, which is cut in two: under inner product thousands of short rows around zero would share one list.
// A list of equal rows is not cut. Of centres to go on from, those give way to the cuts that lie next to others, so that
// lists stay even however often that is done. kCancelled when progress says so. The same sample, start and seed give the
// same bits on any number of threads.
Result<std::vector<float>> train_centroids(const kernels::KernelTable& table, MatrixView sample,
                                           const KMeansOptions& options);

}  // namespace segue
