#include "ivf/ivf_index.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "ivf/train_centroids.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/isa.hpp"

namespace segue {
namespace {

constexpr std::size_t kMaxLists = std::size_t{1} << 20;
constexpr std::size_t kListsARoot = 4;
// An index that chose its lists by itself does so again when it has grown by that factor.
constexpr std::size_t kOutgrown = 4;
// So few lists are some thousand items, which take no longer than finding out which of them to leave out.
constexpr std::size_t kFewLists = 256;
constexpr std::size_t kLeastProbes = 8;
constexpr std::size_t kListsAProbe = 64;
// What the best of a list's some hundred rows is above its centre's product, as a part of |q| times the spread and the
// square root of 1 / dim: 1.6 standard deviations, as if rows lay around the centre alike in all directions. Between 1 and
// 2 nothing moves much; 0 takes 1.6 to 5 times the rows for 0.99 on factors of tracks and books.
constexpr double kDeviations = 1.6;

}  // namespace

Result<std::unique_ptr<IvfIndex>> IvfIndex::create(std::size_t dim, Metric metric, const IvfOptions& options) {
  SEGUE_RETURN_IF_ERROR(isa::environment_status());
  SEGUE_RETURN_IF_ERROR(IvfIndexBody::check_options(dim, metric, options));
  return std::unique_ptr<IvfIndex>(std::make_unique<IvfIndexBody>(dim, metric, options));
}

Status IvfIndexBody::check_options(std::size_t dim, Metric metric, const IvfOptions& options) {
  SEGUE_RETURN_IF_ERROR(CodedIndex::check_options(dim, metric, options.storage));
  if (options.nlist <= kMaxLists) return {};
  return invalid_argument("nlist is " + std::to_string(options.nlist) + "; it must be at most " +
                          std::to_string(kMaxLists) + ", or 0 for a number that fits the items");
}

IvfIndexBody::IvfIndexBody(std::size_t dim, Metric metric, const IvfOptions& options)
    : CodedIndex(dim, metric, options.storage),
      options_(options),
      layout_(kernels::active_kernels(), dim, score_metric(metric)) {}

std::size_t IvfIndexBody::nlist() const {
  const std::shared_lock lock(mutex_);
  return layout_.centroids.size();
}

std::size_t IvfIndexBody::default_nprobe() const {
  const std::shared_lock lock(mutex_);
  return probes({});
}

std::size_t IvfIndexBody::probes(const SearchOptions& options) const noexcept {
  const std::size_t lists = layout_.centroids.size();
  std::size_t wanted = options.nprobe;
  if (wanted == 0) wanted = lists <= kFewLists ? lists : std::max(kLeastProbes, (lists + kListsAProbe - 1) / kListsAProbe);
  return std::min(wanted, std::max<std::size_t>(1, lists));
}

std::size_t IvfIndexBody::lists_for(std::size_t items) const noexcept {
  if (options_.nlist != 0) return options_.nlist;
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(items)));
  return std::clamp<std::size_t>(kListsARoot * root, 1, std::clamp<std::size_t>(items, 1, kMaxLists));
}

bool IvfIndexBody::outgrown(std::size_t items) const noexcept {
  if (!layout_.trained()) return true;
  return options_.nlist == 0 && layout_.trained_on != 0 && items >= kOutgrown * layout_.trained_on;
}

// Empty lists, by a sample that is normalised where the metric wants it. `total`: what progress counts.
Result<IvfLayout> IvfIndexBody::lay_out(MatrixView sample, std::size_t lists, const AddOptions& options,
                                        std::size_t total) const {
  const kernels::KernelTable& table = store_.table();
  KMeansOptions training{.lists = lists, .centred = centred(), .seed = options_.seed, .threads = options.threads};
  // Passes over the sample are the first half of the work.
  if (options.progress) {
    training.progress = [&](std::size_t done, std::size_t passes) {
      return options.progress(total * done / (2 * passes), total);
    };
  }
  const Result<std::vector<float>> centres = train_centroids(table, sample, training);
  if (!centres.ok()) return centres.status();
  IvfLayout layout(table, dim_, score_metric(metric_));
  layout.centroids = Centroids(table, MatrixView(*centres, dim_), centred());
  std::vector<std::uint32_t> lists_of_sample(sample.rows());
  layout.centroids.assign(sample, lists_of_sample.data(), options.threads);
  layout.blocks.start(layout.centroids, sample, lists_of_sample, options.threads);
  return layout;
}

// Rows from[i] become slots to[i] of the lists that they are nearest to.
void IvfIndexBody::deal(IvfLayout& layout, const VectorStore& rows, std::span<const std::uint32_t> from,
                        std::span<const std::uint32_t> to, int threads) const {
  constexpr std::size_t kPiece = 4096;
  std::vector<std::uint32_t> lists(from.size());
  std::vector<float> piece(std::min(kPiece, from.size()) * dim_);
  for (std::size_t first = 0; first < from.size(); first += kPiece) {
    const std::size_t n = std::min(kPiece, from.size() - first);
    for (std::size_t i = 0; i < n; ++i) rows.read(from[first + i], piece.data() + i * dim_);
    layout.centroids.assign(MatrixView(piece.data(), n, dim_), lists.data() + first, threads);
  }
  layout.blocks.put(layout.centroids, rows, from, to, lists, threads);
}

void IvfIndexBody::weigh(IvfLayout& layout) const noexcept {
  if (metric_ != Metric::kInnerProduct) return;
  const auto part = static_cast<float>(kDeviations / std::sqrt(static_cast<double>(dim_)));
  for (std::size_t l = 0; l < layout.spread.size(); ++l) layout.spread[l] = part * layout.blocks.spread(l);
}

Lists IvfIndexBody::lists() const noexcept {
  const bool products = metric_ == Metric::kInnerProduct;
  return {layout_.centroids,
          layout_.blocks,
          {products ? std::span<const float>() : layout_.centroids.nearness(),
           products ? layout_.spread.span() : std::span<const float>()}};
}

// The new rows are made beside the old ones; where the lists are trained anew, so are they. What is left then is a few
// copies and swaps that cannot fail.
Status IvfIndexBody::change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  const std::size_t n = vectors.rows();
  if (options.progress && !options.progress(0, n)) return cancelled("the call was cancelled; the index is as it was");
  std::vector<std::uint32_t> from(n), to;
  std::iota(from.begin(), from.end(), 0u);
  const std::size_t before = ids_.slots();
  const std::size_t after = choose_slots(ids, to);
  const std::size_t lists = lists_for(after);
  if (!layout_.trained() && after < lists) {
    return invalid_argument("the first add trains nlist=" + std::to_string(lists) + " lists and came with " +
                            std::to_string(n) + " vectors; give at least " + std::to_string(lists) +
                            ", or call train() with a sample before, or leave nlist at auto");
  }
  ids_.reserve(after);
  store_.reserve(after);
  VectorStore rows(store_.table(), store_.storage(), dim_);
  rows.resize(n);
  write_rows(vectors, 0, options.threads, rows);
  if (outgrown(after)) {
    // A sample of what will be there: item by item, the old row or the new one.
    std::vector<std::uint32_t> fresh(after, kNoSlot);
    for (std::size_t i = 0; i < n; ++i) fresh[to[i]] = static_cast<std::uint32_t>(i);
    const std::size_t sampled = std::min(after, kRowsAList * lists);
    std::vector<float> sample(sampled * dim_);
    for (std::size_t i = 0; i < sampled; ++i) {
      const std::size_t slot = i * after / sampled;
      const bool is_new = fresh[slot] != kNoSlot;
      (is_new ? rows : store_).read(is_new ? fresh[slot] : slot, sample.data() + i * dim_);
    }
    Result<IvfLayout> layout = lay_out(MatrixView(sample, dim_), lists, options, n);
    if (!layout.ok()) return layout.status();
    layout->trained_on = after;
    layout->spread.resize(layout->centroids.size());
    sample = {};
    std::vector<std::uint32_t> kept;
    for (std::uint32_t slot = 0; slot < before; ++slot) {
      if (fresh[slot] == kNoSlot) kept.push_back(slot);
    }
    deal(*layout, store_, kept, kept, options.threads);
    deal(*layout, rows, from, to, options.threads);
    layout_ = std::move(layout).value();
  } else {
    deal(layout_, rows, from, to, options.threads);
  }
  take_rows(rows, ids, to, after);
  weigh(layout_);
  if (options.progress) options.progress(n, n);
  return {};
}

void IvfIndexBody::do_remove(std::span<const Id> ids) {
  remove_rows(ids);
  weigh(layout_);
}

void IvfIndexBody::scan(const CodeScan& wanted, ListScanMemory& memory, std::span<WalkStats> stats) const {
  scan_lists(lists(), wanted.queries,
             {.k = wanted.k, .nprobe = probes(wanted.options), .thresholds = wanted.thresholds}, wanted.accepts,
             wanted.deadline, memory, stats);
}

std::size_t IvfIndexBody::scanned_bytes(const SearchOptions& options) const noexcept {
  const std::size_t lists = std::max<std::size_t>(1, layout_.centroids.size());
  return dim_ * lists + layout_.blocks.head() * (ids_.slots() / lists * probes(options));
}

// Thousands share most lists with others; what each needs besides is some kilobytes.
std::size_t IvfIndexBody::group_size() const noexcept { return 1024; }

Status IvfIndexBody::train(MatrixView sample, const AddOptions& options) {
  return guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(check_vectors(sample, dim_, metric_));
    SEGUE_RETURN_IF_ERROR(check_threads(options.threads));
    SEGUE_RETURN_IF_ERROR(check_file_before_change());
    const std::unique_lock lock(mutex_);
    const std::size_t lists = lists_for(sample.rows());
    if (sample.rows() < std::max<std::size_t>(1, lists)) {
      return invalid_argument("train() came with " + std::to_string(sample.rows()) + " vectors for nlist=" +
                              std::to_string(lists) + " lists; give at least one a list, some tens are better");
    }
    const std::size_t sampled = std::min(sample.rows(), kRowsAList * lists);
    std::vector<float> rows(sampled * dim_);
    for (std::size_t i = 0; i < sampled; ++i) {
      const float* x = sample.row(i * sample.rows() / sampled);
      float* out = rows.data() + i * dim_;
      if (metric_ == Metric::kCosine) {
        normalize(x, dim_, out);
      } else {
        std::copy_n(x, dim_, out);
      }
    }
    Result<IvfLayout> layout = lay_out(MatrixView(rows, dim_), lists, options, sample.rows());
    if (!layout.ok()) return layout.status();
    layout->spread.resize(layout->centroids.size());
    layout->trained_on = sample.rows();
    std::vector<std::uint32_t> slots(ids_.slots());
    std::iota(slots.begin(), slots.end(), 0u);
    deal(*layout, store_, slots, slots, options.threads);
    weigh(*layout);
    layout_ = std::move(layout).value();
    curves_.count_changes(ids_.size());
    if (options.progress) options.progress(sample.rows(), sample.rows());
    return {};
  });
}

std::size_t IvfIndexBody::memory_usage() const {
  const std::shared_lock lock(mutex_);
  return ids_.memory_usage() + store_.memory_usage() + layout_.centroids.memory_usage() +
         layout_.blocks.memory_usage() + layout_.spread.memory_usage() + curves_.memory_usage();
}

IndexStats IvfIndexBody::stats() const {
  const std::shared_lock lock(mutex_);
  std::uint32_t longest = 0;
  std::size_t empty = 0;
  for (std::size_t l = 0; l < layout_.blocks.lists(); ++l) {
    longest = std::max(longest, layout_.blocks.run(l).rows);
    empty += layout_.blocks.run(l).rows == 0;
  }
  IndexStats figures = {{"items", static_cast<double>(ids_.size())},
                        {"lists", static_cast<double>(layout_.centroids.size())},
                        {"longest list", static_cast<double>(longest)},
                        {"empty lists", static_cast<double>(empty)},
                        {"coded directions", static_cast<double>(layout_.blocks.head())},
                        {"bytes a row", static_cast<double>(store_.stride())}};
  curves_.append_stats(figures);
  return figures;
}

Status IvfIndexBody::validate() const {
  const std::shared_lock lock(mutex_);
  SEGUE_RETURN_IF_ERROR(validate_rows());
  return layout_.blocks.validate(layout_.centroids, store_, ids_.size());
}

}  // namespace segue
