// Rows on their way into lists that are larger than memory: coded one by one, and counted.

#include <algorithm>
#include <vector>

#include "codes/code_row.hpp"
#include "ivf/list_blocks.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {

using kernels::kBlockRows;

void ListBlocks::stage(const Centroids& centroids, const Arrivals& arrivals, std::span<const std::uint32_t> lists,
                       int threads) {
  const std::size_t n = arrivals.from.size();
  resize_positions(0);
  resize_positions(n * kBlockRows);
  std::vector<Lengths> lengths(n);
  std::vector<Worker> workers(worker_count(n, threads, kAtOnce));
  for (Worker& worker : workers) worker = make_worker();
  parallel_for(n, threads, kAtOnce, [&](std::size_t begin, std::size_t end, std::size_t w) {
    take_residuals(centroids, arrivals.rows, arrivals.from.subspan(begin, end - begin),
                   lists.subspan(begin, end - begin), workers[w]);
    for (std::size_t i = begin; i < end; ++i) {
      const Residual& residual = workers[w].out[i - begin];
      lengths[i] = {residual.row.squared, residual.row_length};
      code_residual(centroids, lists[i], *this, i * kBlockRows, i - begin, workers[w], arrivals.rests,
                    arrivals.rests == nullptr ? 0 : arrivals.rests_to[i]);
    }
  });
  for (std::size_t i = 0; i < n; ++i) {
    slots_[i * kBlockRows] = arrivals.to[i];
    ++runs_[lists[i]].rows;
    count_row(lists[i], lengths[i]);
  }
  size_ += n;
}

std::size_t ListBlocks::end_staging() {
  BlockArrays::adopt({});  // frees what was staged
  std::size_t next = 0;
  for (std::size_t l = 0; l < lists(); ++l) {
    runs_[l].first = static_cast<std::uint32_t>(next);
    runs_[l].blocks = static_cast<std::uint32_t>(blocks_for(runs_[l].rows));
    next += runs_[l].blocks;
  }
  return next;
}

}  // namespace segue
