#include "hnsw/regions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <numeric>
#include <vector>

#include "ivf/train_centroids.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Fewer items are scored one by one about as fast.
constexpr std::size_t kFrom = 4096;
constexpr std::size_t kGrowth = 4;
constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
// Centres only have to lie where rows do: after three rounds over 32 rows a region, searches at equal recall look at a
// tenth more than after ten over 64.
constexpr std::size_t kRounds = 3;
constexpr std::size_t kRowsARegion = 32;
constexpr std::size_t kPutAtOnce = 4096;

std::size_t regions_for(std::size_t items) {
  return std::min(kMost, static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(items))));
}

// Large, and in the way of an update now and then: not from the heap, which would keep it for each thread that ever did this.
Buffer<float> read_rows(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) {
  Buffer<float> read(slots.size() * rows.dim());
  parallel_for(slots.size(), threads, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) rows.read(slots[i], read.data() + i * rows.dim());
  });
  return read;
}

}  // namespace

void Regions::start(const VectorStore& rows, std::size_t n, std::uint64_t seed, int threads) {
  try {
    of_.resize(n);
    if (n < kFrom) return;
    std::vector<std::uint32_t> slots(n);
    std::iota(slots.begin(), slots.end(), 0u);
    draw(rows, slots, seed, threads);
  } catch (const std::bad_alloc&) {
    clear();
  }
}

void Regions::permute(std::span<const std::uint32_t> from) {
  Buffer<std::uint16_t> moved(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) moved[i] = of_[from[i]];
  of_ = std::move(moved);
}

bool Regions::take(const VectorStore& rows, const IdMap& ids, std::span<const std::uint32_t> fresh, std::uint64_t seed,
                   int threads, const Publisher& publish) {
  const std::size_t items = ids.size() + fresh.size();
  try {
    // Regions are drawn of four times the items that they were drawn of: there are twice as many then.
    if (items < kFrom || size() > regions_for(items / kGrowth)) {
      if (size() != 0) put(rows, fresh, threads);
      return false;
    }
    std::vector<std::uint32_t> slots;
    slots.reserve(items);
    for (std::uint32_t slot = 0; slot < ids.slots(); ++slot) {
      if (ids.id(slot) != kMissingId) slots.push_back(slot);
    }
    Regions drawn = *this;
    drawn.draw(rows, slots, seed, threads);
    publish([&] { std::swap(*this, drawn); });
  } catch (const std::bad_alloc&) {
    Regions none;
    publish([&] { std::swap(*this, none); });
  }
  return true;
}

void Regions::draw(const VectorStore& rows, std::span<const std::uint32_t> slots, std::uint64_t seed, int threads) {
  const std::size_t count = regions_for(slots.size());
  std::vector<std::uint32_t> some(std::min(slots.size(), kRowsARegion * count));
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = slots[i * slots.size() / some.size()];
  const Buffer<float> sample = read_rows(rows, some, threads);
  KMeansOptions options;
  options.lists = count;
  options.seed = seed;
  options.threads = threads;
  options.rounds = kRounds;
  const MatrixView view(sample.data(), some.size(), rows.dim());
  const Result<std::vector<float>> centres = train_centroids(rows.table(), view, options);
  // Sums of rows near the end of float have none.
  if (!centres.ok() || rows.table().first_not_finite(centres->data(), count, rows.dim()) != count) return clear();
  centres_ = std::make_shared<const Centroids>(rows.table(), MatrixView(centres->data(), count, rows.dim()));
  put(rows, slots, threads);
}

void Regions::put(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) {
  std::vector<std::uint32_t> nearest(std::min(slots.size(), kPutAtOnce));
  for (std::size_t first = 0; first < slots.size(); first += kPutAtOnce) {
    const auto some = slots.subspan(first, std::min(kPutAtOnce, slots.size() - first));
    const Buffer<float> read = read_rows(rows, some, threads);
    centres_->assign(MatrixView(read.data(), some.size(), rows.dim()), nearest.data(), threads, Assignment::kRough);
    for (std::size_t i = 0; i < some.size(); ++i) of_[some[i]] = static_cast<std::uint16_t>(nearest[i]);
  }
}

void Regions::clear() noexcept {
  centres_.reset();
  of_ = {};
}

std::vector<float> Regions::centre_rows() const {
  std::vector<float> rows(size() == 0 ? 0 : size() * centres_->dim());
  for (std::size_t i = 0; i < size(); ++i) centres_->rows().read(i, rows.data() + i * centres_->dim());
  return rows;
}

bool Regions::adopt(const VectorStore& rows, Buffer<std::uint16_t> slots, std::span<const float> centres) {
  if (centres.empty()) return slots.empty();
  if (centres.size() % rows.dim() != 0 || centres.size() / rows.dim() > kMost || slots.size() != rows.size()) return false;
  const MatrixView view(centres.data(), centres.size() / rows.dim(), rows.dim());
  if (rows.table().first_not_finite(view.data(), view.rows(), view.cols()) != view.rows()) return false;
  centres_ = std::make_shared<const Centroids>(rows.table(), view);
  of_ = std::move(slots);
  return true;
}

}  // namespace segue
