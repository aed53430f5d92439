#pragma once
// VectorStore: coded rows, one a slot, at a fixed stride; and how to score them. Knows no graph and no ids.
//
// The kernels of the instruction set in use are chosen when the store is made and called with whole lists. Rows start
// on a 64-byte line where that costs at most an eighth of the memory, else on 16 bytes.

#include <cstddef>
#include <cstdint>
#include <span>

#include "segue/core/buffer.hpp"
#include "segue/matrix_view.hpp"
#include "segue/types.hpp"

namespace segue {

namespace kernels {
struct FamilyKernels;
struct KernelTable;
}  // namespace kernels

// What a row is compared by. Cosine is kDot over normalised rows.
enum class RowMetric : unsigned { kDot = 0, kSquaredL2 = 1 };

class VectorStore {
 public:
  // `storage` is not kAuto. Under kPca8 `dim` is that of the head, and rows take whole cache lines.
  VectorStore(const kernels::KernelTable& table, Storage storage, std::size_t dim);

  std::size_t dim() const noexcept { return dim_; }
  Storage storage() const noexcept { return storage_; }
  std::size_t stride() const noexcept { return stride_; }
  std::size_t size() const noexcept { return rows_.size() / stride_; }
  const unsigned char* rows() const noexcept { return rows_.data(); }
  const unsigned char* row(std::size_t slot) const noexcept { return rows_.data() + slot * stride_; }
  const kernels::FamilyKernels& kernels() const noexcept { return *family_; }
  const kernels::KernelTable& table() const noexcept { return *table_; }

  void reserve(std::size_t slots) { rows_.reserve(slots * stride_); }
  // While others read; see Buffer.
  template <class Publish>
  void reserve(std::size_t slots, const Publish& publish) {
    rows_.reserve(slots * stride_, publish);
  }
  void resize(std::size_t slots) { rows_.resize(slots * stride_); }
  void write(std::size_t slot, const float* x) noexcept;
  void copy_row(std::size_t from, std::size_t to) noexcept;
  // Row i becomes what row from[i] was; `from` names each row once.
  void permute(std::span<const std::uint32_t> from);
  // From a store of the same storage and dimension.
  void copy_row_from(const VectorStore& other, std::size_t from, std::size_t to) noexcept;
  // The floats that the row stands for.
  void read(std::size_t slot, float* out) const noexcept;
  // Of several rows, one after the other.
  void read(std::span<const std::uint32_t> slots, float* out) const noexcept;
  void prefetch(std::size_t slot) const noexcept {
    const unsigned char* at = row(slot);
    for (std::size_t offset = 0; offset < stride_; offset += 64) __builtin_prefetch(at + offset);
  }
  // Of kSq8 and kPca8: the squared norm that l2 scores take for the row's. As encoded that of its codes; whoever knows
  // more than the codes say (head_coder.hpp) sets another.
  float norm2(std::size_t slot) const noexcept;
  void set_norm2(std::size_t slot, float norm2) noexcept;
  // Of kSq8 and kPca8: what a code of one stands for.
  float scale(std::size_t slot) const noexcept;
  bool equal_rows(std::size_t a, std::size_t b) const noexcept;

  const Buffer<unsigned char>& bytes() const noexcept { return rows_; }
  // Rows from a file; the size must be a multiple of stride().
  void adopt(Buffer<unsigned char> rows) noexcept { rows_ = std::move(rows); }
  std::size_t memory_usage() const noexcept { return rows_.memory_usage(); }

 private:
  const kernels::KernelTable* table_;
  const kernels::FamilyKernels* family_;
  Storage storage_;
  std::size_t dim_;
  std::size_t row_bytes_;
  std::size_t stride_;
  Buffer<unsigned char> rows_;
};

// A query in the form that a store's kernels want. Memory is kept between queries.
class PreparedQuery {
 public:
  void prepare(const VectorStore& store, const float* x);
  // For a store of kSq8 or kPca8: what l2 scores take for the query's squared norm.
  void set_norm2(float norm2) noexcept;
  float norm2() const noexcept;
  // A row of the store as the query; `decoded` has room for dim() floats. Under kPca8 with the row's own norm.
  void prepare_row(const VectorStore& store, std::size_t slot, float* decoded);
  // A row of kSq8 or kPca8 by its codes: no decoding, the same products.
  void prepare_codes(const VectorStore& store, std::size_t slot);
  const void* data() const noexcept { return memory_.data(); }

 private:
  Buffer<unsigned char> memory_;
};

// Scores lists of slots against one query, as costs: smaller is better (l2: the squared distance; dot: its negative).
// The model of the Scorer concept in core/scorer.hpp. A view; cheap to copy.
class RowScorer {
 public:
  RowScorer(const VectorStore& store, RowMetric metric, const void* prepared_query) noexcept;
  void score(const std::uint32_t* slots, std::size_t n, float* costs) const noexcept;
  const unsigned char* row(std::uint32_t slot) const noexcept { return rows_ + slot * stride_; }
  // Short rows alone: a burst of long ones would fill the buffers of the first-level cache (kernels/algorithms/score.hpp).
  void prefetch(std::uint32_t slot) const noexcept {
    const unsigned char* row = rows_ + slot * stride_;
    for (std::size_t offset = 0; offset < prefetched_; offset += 64) __builtin_prefetch(row + offset);
  }

 private:
  static constexpr std::size_t kShortRow = 192;
  using ScoreList = void (*)(const void*, const unsigned char*, std::size_t, const std::uint32_t*, std::size_t,
                             std::size_t, float*) noexcept;
  ScoreList score_list_;
  const void* query_;
  const unsigned char* rows_;
  std::size_t stride_;
  std::size_t dim_;
  std::size_t prefetched_;  // bytes of a row
  bool negate_;
};

}  // namespace segue
