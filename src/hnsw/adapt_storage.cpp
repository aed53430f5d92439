#include "hnsw/adapt_storage.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "hnsw/measure_codes.hpp"
#include "items/check_input.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// "auto" codes from here on; a walk over 4,096 rows of float32 stays in the caches of most machines anyway.
constexpr std::size_t kAutoFrom = 4096;
// "pca8" from here on, as asked.
constexpr std::size_t kPca8From = 256;
// Directions of that many items are good for all that come.
constexpr std::size_t kSettled = 16384;
constexpr std::size_t kGrowth = 4;
// Rows of 16 floats are one cache line as they are.
constexpr std::size_t kShortRow = 16;
// Multiplications for the exact head of a query, which deciding by head and rest needs: beyond this (some 1.5 us) an f16
// copy, which needs none, is faster though twice as long.
constexpr std::size_t kHeadWorthIt = 32768;
// Of the ten nearest items the share that codes must keep among the forty nearest, for "auto" to walk by codes. Images and
// clustered vectors keep all of them; the demo's songs, many of which differ by less than a code's step, keep 0.94, and
// walks by codes then stop at recall 0.87 where walks by float32 reach 0.995.
constexpr double kEnoughKept = 0.97;
// Half precision ends at 65,504.
constexpr float kHalfIsSafe = 8192;

// All that the index will hold: what is there, then what comes.
class AllRows {
 public:
  AllRows(const HnswState& state, MatrixView vectors) : state_(state), vectors_(vectors) {
    for (std::uint32_t slot = 0; slot < state.ids.slots(); ++slot) {
      if (state.ids.id(slot) >= 0) slots_.push_back(slot);
    }
  }
  std::size_t size() const noexcept { return slots_.size() + vectors_.rows(); }
  void read(std::size_t i, float* out) const {
    if (i < slots_.size()) {
      HeadMemory memory;
      state_.read(slots_[i], out, memory);
    } else if (state_.metric == Metric::kCosine) {
      normalize(vectors_.row(i - slots_.size()), state_.dim, out);
    } else {
      std::memcpy(out, vectors_.row(i - slots_.size()), state_.dim * sizeof(float));
    }
  }
  // Rows at even distances.
  std::vector<float> sample() const {
    const std::size_t n = std::min(size(), Projection::kSample);
    std::vector<float> rows(n * state_.dim);
    for (std::size_t i = 0; i < n; ++i) read(i * size() / n, rows.data() + i * state_.dim);
    return rows;
  }

 private:
  const HnswState& state_;
  MatrixView vectors_;
  std::vector<std::uint32_t> slots_;
};

// Codes do not tell these items apart: "auto" goes (back) to float32.
void keep_floats(HnswState& state, std::size_t items) {
  if (state.coder != nullptr) {
    VectorStore rows(state.rows.table(), Storage::kF32, state.dim);
    rows.resize(state.ids.slots());
    std::vector<float> row(state.dim);
    HeadMemory memory;
    for (std::uint32_t slot = 0; slot < state.ids.slots(); ++slot) {
      state.read(slot, row.data(), memory);
      rows.write(slot, row.data());
    }
    state.rows = std::move(rows);
    state.regions.clear();
    state.fine.reset();
    state.coder.reset();
  }
  state.trained_on = std::bit_floor(items);
}

Storage choose_fine(const HnswState& state, const HeadCoder& coder, const std::vector<float>& sample) {
  if (state.options.storage == Storage::kPca8) return state.options.rerank;
  if (coder.dim() * coder.head() <= kHeadWorthIt) return Storage::kSq8;
  float largest = 0;
  for (const float x : sample) largest = std::max(largest, std::fabs(x));
  return largest < kHalfIsSafe ? Storage::kF16 : Storage::kF32;
}

}  // namespace

void write_coded(const HeadCoder& coder, MatrixView vectors, const std::uint32_t* slots, VectorStore& rows,
                 std::optional<VectorStore>& fine, HeadMemory& memory) {
  const bool rest = fine && fine->storage() == Storage::kSq8;
  coder.encode(vectors, slots, rows, rest ? &*fine : nullptr, memory);
  if (!fine || rest) return;
  for (std::size_t i = 0; i < vectors.rows(); ++i) fine->write(slots[i], vectors.row(i));
}

bool is_storage_due(const HnswState& state, std::size_t items) {
  const Storage asked = state.options.storage;
  if (state.trained_on != 0) return state.trained_on < kSettled && items >= kGrowth * state.trained_on;
  if (asked == Storage::kPca8) return items >= kPca8From && state.dim <= Projection::kMaxTrainedDim;
  return asked == Storage::kAuto && state.metric != Metric::kInnerProduct && items >= kAutoFrom &&
         state.dim > kShortRow && state.dim <= Projection::kMaxTrainedDim;
}

void adapt_storage(HnswState& state, MatrixView vectors, int threads) {
  if (!is_storage_due(state, state.ids.size() + vectors.rows())) return;
  const kernels::KernelTable& table = state.rows.table();
  const AllRows all(state, vectors);
  const std::vector<float> sample = all.sample();
  const auto coder =
      std::make_shared<const HeadCoder>(HeadCoder::train(table, MatrixView(sample, state.dim), threads));
  const auto read = [&all](std::size_t i, float* out) { all.read(i, out); };
  if (state.options.storage == Storage::kAuto &&
      kept_by_codes(table, *coder, all.size(), read, threads) < kEnoughKept) {
    return keep_floats(state, all.size());
  }
  VectorStore rows(table, Storage::kPca8, coder->head());
  std::optional<VectorStore> fine;
  if (const Storage finer = choose_fine(state, *coder, sample); finer != Storage::kAuto) {
    fine.emplace(table, finer, state.dim);
  }
  const std::size_t slots = state.ids.slots();
  rows.resize(slots);
  if (fine) fine->resize(slots);
  constexpr std::size_t kPiece = 256;
  parallel_for(slots, threads, kPiece, [&](std::size_t begin, std::size_t end, std::size_t) {
    HeadMemory memory;
    std::vector<float> vectors_there((end - begin) * state.dim);
    std::vector<std::uint32_t> which;
    for (std::size_t slot = begin; slot < end; ++slot) {
      which.push_back(static_cast<std::uint32_t>(slot));
      state.read(which.back(), vectors_there.data() + (slot - begin) * state.dim, memory);
    }
    write_coded(*coder, MatrixView(vectors_there, state.dim), which.data(), rows, fine, memory);
  });
  state.rows = std::move(rows);
  state.regions.clear();
  state.fine = std::move(fine);
  state.coder = coder;
  state.trained_on = std::bit_floor(state.ids.size() + vectors.rows());  // as the file keeps it
}

}  // namespace segue
