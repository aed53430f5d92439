#pragma once
// HeadCoder: vectors as int8 codes of their leading principal coordinates, and what those leave over.
//
// A walk needs to know roughly how far a row is, hundreds of times a query, and waits for memory each time. The head
// codes are one to eight cache lines whatever the dimension: 64 bytes for 52 coordinates and the 12 of an Sq8Tail. The
// kernels are those of sq8; what is new is what they are given. The norm in a row's tail is that of its codes plus the
// squared length of all that the head leaves out, so an l2 score is
//
//   |w - h|^2 + t_q^2 + t_x^2      w, h: head coordinates of query and row; t: lengths of their rests
//
// which is the squared distance but for 2 t_q . t_x, whose mean is zero. Under cosine vectors have one length, and the
// order by distance is the order by cosine.
//
// The optional rest, another row of sq8 a vector, codes x - centre - V^T h in all dimensions. The head's own rounding is
// part of it, so both together are finer than f16 where the head holds most, at half the bytes. The norm in its tail is
// that of the sum, from the centre.
//
// Immutable once trained; safe from any number of threads. The same vector gets the same bytes in whatever batch.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "segue/core/projection.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// What coding and decoding work in; kept between calls.
struct HeadMemory {
  ProjectionMemory projection;
  PreparedQuery quick;
  Buffer<float> moved;
  Buffer<float> head;
  Buffer<float> whole;
  Buffer<unsigned char> query;
};

class HeadCoder {
 public:
  // The longest head: eight lines.
  static constexpr std::size_t kMaxHead = 8 * 64 - 12;

  // The shortest head whose codes rank the sample's own neighbours well enough, by trying. rows: at least one.
  static HeadCoder train(const kernels::KernelTable& table, MatrixView rows, int threads);
  explicit HeadCoder(const kernels::KernelTable& table, Projection projection);

  std::size_t dim() const noexcept { return projection_.dim(); }
  std::size_t head() const noexcept { return projection_.head(); }
  const Projection& projection() const noexcept { return projection_; }
  std::size_t memory_usage() const noexcept {
    return projection_.memory_usage() + columns_.memory_usage() + quick_basis_.memory_usage();
  }

  // Rows i of x into slots[i] of `codes` (kPca8, head()) and of `rest` (kSq8, dim(); may be null).
  void encode(MatrixView x, const std::uint32_t* slots, VectorStore& codes, VectorStore* rest, HeadMemory& memory) const;
  // The vectors that slots stand for, one after the other.
  void decode(const VectorStore& codes, const VectorStore* rest, std::span<const std::uint32_t> slots, float* out,
              HeadMemory& memory) const;
  // A query for the codes' l2 scores. Its head comes from an int8 copy of the directions: at 784 dimensions 0.7 us
  // instead of 3, and what it is off by is below the step of the codes.
  void prepare(const float* query, const VectorStore& codes, PreparedQuery& out, HeadMemory& memory) const;

 private:
  // V^T h of n heads, which lie one after the other in memory.head.
  void expand(const kernels::KernelTable& table, std::size_t n, float* out, HeadMemory& memory) const;

  Projection projection_;
  VectorStore quick_basis_;        // sq8 rows, one a direction
  Buffer<unsigned char> columns_;  // the basis transposed, laid out for products
};

// A query against decoded vectors, in float32: what decides. Costs as of RowScorer.
class HeadDecider {
 public:
  // Dot scores are of the vectors themselves, not around the centre.
  HeadDecider(const HeadCoder& coder, const VectorStore& codes, const VectorStore* rest, RowMetric metric,
              const float* query, HeadMemory& memory);
  float cost(std::uint32_t slot) const noexcept;
  // The rows that cost() will read; those of the codes are in cache after a walk.
  void prefetch(std::uint32_t slot) const noexcept {
    if (rest_ != nullptr) rest_->prefetch(slot);
  }

 private:
  const VectorStore& codes_;
  const VectorStore* rest_;
  const kernels::KernelTable& table_;
  RowMetric metric_;
  HeadMemory& memory_;
  std::size_t whole_at_;  // where the prepared query of all dimensions lies in memory_.query; before it that of the head
  float offset_ = 0;  // what the query brings to every cost
};

}  // namespace segue
