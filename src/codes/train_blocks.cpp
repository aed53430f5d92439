// What a layout of codes chooses by looking at the rows: the centre, the directions, and how many of them.

#include <algorithm>
#include <cmath>
#include <vector>

#include "codes/code_blocks.hpp"
#include "codes/train_blocks.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Fewer rows say little about directions, and are scanned whole in no time.
constexpr std::size_t kLeastToTrain = 1024;

Projection leading_directions(const kernels::KernelTable& table, const Projection& whole, std::size_t head) {
  Buffer<float> basis;
  basis.assign({whole.basis().data(), head * whole.dim()});
  Buffer<double> energies;
  energies.assign(whole.energies().first(head));
  return Projection::adopt(table, whole.dim(), std::move(basis), whole.centre(), std::move(energies),
                           whole.total_energy());
}

}  // namespace

Projection choose_projection(const kernels::KernelTable& table, RowMetric metric, MatrixView sample, const HeadScan& scan,
                             bool centered, int threads) {
  const std::size_t dim = sample.cols();
  const Projection none = Projection::identity(table, dim);
  if (sample.rows() < std::max(kLeastToTrain, dim) || dim < kLeastTrainedDim || dim > Projection::kMaxTrainedDim) return none;
  // Numbers beyond what codes can bound would only spoil the moments.
  for (std::size_t i = 0; i < sample.rows(); ++i) {
    if (!std::all_of(sample.row(i), sample.row(i) + dim, [](float x) { return std::fabs(x) <= 1e15f; })) return none;
  }
  const std::size_t most = std::min(dim, kLargestHead);
  Projection whole = Projection::train(table, sample, {.head = most, .centered = centered, .threads = threads});
  if (!whole.rotates()) return none;
  const std::size_t head = choose_head(table, whole, metric, sample, scan, threads);
  if (head == 0) return none;
  return head < most ? leading_directions(table, whole, head) : whole;
}

void CodeBlocks::choose_projection(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) {
  const std::size_t sampled = std::min(slots.size(), Projection::kSample);
  std::vector<float> sample(sampled * dim_);
  for (std::size_t i = 0; i < sampled; ++i) {
    rows.read(slots[i * slots.size() / sampled], sample.data() + i * dim_);
  }
  Projection chosen = segue::choose_projection(*table_, metric_, MatrixView(sample, dim_),
                                               {.rows = slots.size()}, true, threads);
  if (!chosen.rotates()) return;
  const double defect = chosen.defect();
  take_projection(std::make_shared<const Projection>(std::move(chosen)), defect);
}

}  // namespace segue
