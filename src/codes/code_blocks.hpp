#pragma once
// CodeBlocks: eight-bit codes of rows, laid out for scanning, and bounds that say how far a code's score can be off.
//
// A row x is kept as z = x - centre, of which the leading `head` coordinates of a projection are coded by a scale a row
// and eight bits each. With y the head of z and e what the code gets wrong, and w, f the same of a query, coded as td:
//
//   w . z  =  td . code  +  td . e  +  f . y  +  tails,      |...| <= |td| |e| + |f| |y| + tail_w tail_z
//
// So a scan of codes bounds every score from both sides, and who keeps each row whose upper bound reaches the k-th best
// lower bound has all of the answers. That is tight: of 60,000 images with 784 dimensions, 96 coordinates and these
// bounds leave about a hundred rows to be scored exactly; 64 or 128 coordinates of real factors leave 13 (measured).
//
// Rows lie in blocks of 16 (kernels/kernel_table.hpp), by falling |z|: under inner product a scan may stop where
// |w| |z| cannot reach the k-th best any more, and the largest values of a block stand for all of its rows. Rows that
// come later lie behind the sorted ones in the order in which they came, and a row that goes leaves a hole, until
// `wants_rebuild` says that laying all out anew pays; so adding costs O(head * dim) a row, amortised.
//
// Knows rows of a VectorStore by their slots. Not thread-safe for changes; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <span>

#include "codes/block_arrays.hpp"
#include "codes/code_query.hpp"
#include "segue/core/projection.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/status.hpp"

namespace segue {

class CodeBlocks : public BlockArrays {
 public:
  // What a file keeps besides the arrays.
  struct Fixed {
    std::uint64_t size = 0;    // rows
    std::uint64_t sorted = 0;  // positions
    double total_energy = 0;
    double defect = 0;
    float max_norm = 0;        // of any row that was ever held
    float centre_norm = 0;
  };

  CodeBlocks(const kernels::KernelTable& table, std::size_t dim, RowMetric metric);

  std::size_t size() const noexcept { return fixed_.size; }
  std::size_t head() const noexcept { return projection_.head(); }
  // Blocks whose rows fall by norm from the first to the last. Whole ones alone: the rest of the last may be rows that
  // came later, of any norm.
  std::size_t sorted_blocks() const noexcept { return fixed_.sorted / kernels::kBlockRows; }
  // Whether going by falling norm can end a scan early. Rows of about one length, as under cosine, are better sampled.
  bool norms_fall() const noexcept {
    const std::size_t sorted = sorted_blocks();
    return metric_ == RowMetric::kDot && sorted != 0 && bound(sorted - 1).norm < 0.5f * bound(0).norm;
  }

  // Chooses centre, directions and how many of them by what the rows are like, and codes them all. Same rows, same
  // bytes, for any number of threads.
  void rebuild(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads);
  // Row from[i] of `rows`, which may be another store than the one that will be searched, becomes the row of slot to[i];
  // what was held of it goes. If memory runs out, nothing has changed.
  void put(const VectorStore& rows, std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
           int threads);
  void remove(std::uint32_t slot) noexcept;
  // The row of slot `from` is now that of slot `to`, which is not held.
  void rename(std::uint32_t from, std::uint32_t to) noexcept { rename_slot(from, to); }
  // There are that many slots now; those beyond are not held.
  void resize_slots(std::size_t slots) { positions_.resize(slots); }
  // Whether holes or rows out of order make a new layout worth while.
  bool wants_rebuild() const noexcept;

  // Whether numbers of that size can be bounded in float; if not (norms beyond 1e15, or all of them below 1e-12) the
  // rows want scoring one by one.
  bool covers(const float* query) const noexcept;
  void prepare(std::span<const float* const> queries, std::span<CodedQuery> out, CodeQueryMemory& memory) const;

  // For files. `adopt` wants sections of any contents but of sizes that fit; kCorruptFile if not.
  const Fixed& fixed() const noexcept { return fixed_; }
  const Projection& projection() const noexcept { return projection_; }
  Status adopt(const Fixed& fixed, Projection projection, Sections sections);

  std::size_t memory_usage() const noexcept;
  // That every slot of `rows` that `held` names has one position, and that no bound is exceeded. O(size * head * dim).
  Status validate(const VectorStore& rows, std::size_t held) const;

 private:
  struct Encoded;

  Status validate_codes(const VectorStore& rows) const;
  Status validate_codes(const VectorStore& rows, std::size_t begin, std::size_t end) const;
  void choose_projection(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads);
  void take_projection(Projection projection, double defect);
  float encode(const VectorStore& rows, std::span<const std::uint32_t> slots, std::size_t first, int threads);
  void place(std::span<const std::uint32_t> slots, std::size_t first) noexcept;
  // What projecting x may get wrong, a unit of |z|.
  double projection_error() const noexcept;

  std::size_t dim_;
  Fixed fixed_;
  Projection projection_;
};

}  // namespace segue
