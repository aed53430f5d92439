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
// |w| |z| cannot reach the k-th best any more, and the largest values of a block stand for all of its rows. A row that goes
// leaves a hole; one that comes takes a hole among rows that are no shorter, or lies behind the sorted ones, until
// `wants_rebuild` says that laying all out anew pays; so adding costs O(head * dim) a row, amortised.
//
// Knows rows of a VectorStore by their slots. Not thread-safe for changes; reading is safe from any number of threads.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

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
  std::size_t head() const noexcept { return projection_->head(); }
  // Blocks whose rows fall by norm from the first to the last. Whole ones alone: the rest of the last may be rows that
  // came later, of any norm.
  std::size_t sorted_blocks() const noexcept { return fixed_.sorted / kernels::kBlockRows; }
  // Whether the longest rows are much longer than the shortest.
  bool norms_fall() const noexcept {
    const std::size_t sorted = sorted_blocks();
    return metric_ == RowMetric::kDot && sorted != 0 && bound(sorted - 1).norm < 0.5f * bound(0).norm;
  }
  // Whether going by falling norm ends a scan of all rows early: most rows are short next to some. Where rows are of about
  // one length, as under cosine, those seen first are better a sample of all.
  bool norms_end_scans() const noexcept {
    const std::size_t sorted = sorted_blocks();
    return metric_ == RowMetric::kDot && sorted != 0 && bound(sorted / 2).norm < bound(sorted / 100).norm / 3;
  }

  // The rows of these slots instead: centre, directions and how many of them chosen by what the rows are like, and all of
  // them coded. Same rows, same bytes, for any number of threads. Reads nothing of what is there but its shape.
  CodeBlocks laid_out(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) const;
  // More rows come in two steps, while others read. Codes of the rows of `slots`, row i at positions[i], where nobody is yet:
  // in holes that their norms allow, or behind all others. And what puts a slot there, which cannot fail. grown() is called in
  // each moment in which there are more positions.
  void stage(const VectorStore& rows, std::span<const std::uint32_t> slots, std::span<std::uint32_t> positions, int threads,
             const Publisher& publish, const std::function<void()>& grown = {});
  void place(std::uint32_t slot, std::size_t position) noexcept;
  // Whether rows behind the sorted ones are many and holes for them have come since; and what moves them there. `rows` has
  // all that are held; fewer() is called in the moment in which there are fewer positions.
  bool wants_tidying() const noexcept;
  void tidy(const VectorStore& rows, int threads, const Publisher& publish, const std::function<void()>& fewer = {});
  void remove(std::uint32_t slot) noexcept;
  // The row of slot `from` is now that of slot `to`, which is not held.
  void rename(std::uint32_t from, std::uint32_t to) noexcept { rename_slot(from, to); }
  // There are that many slots now; those beyond are not held.
  void resize_slots(std::size_t slots) { positions_.resize(slots); }
  void reserve_slots(std::size_t slots, const Publisher& publish) { positions_.reserve(slots, publish); }
  // Whether holes or rows out of order make a new layout worth while.
  bool wants_rebuild() const noexcept;

  // Whether numbers of that size can be bounded in float; if not (norms beyond 1e15, or all of them below 1e-12) the
  // rows want scoring one by one.
  bool covers(const float* query) const noexcept;
  void prepare(std::span<const float* const> queries, std::span<CodedQuery> out, CodeQueryMemory& memory) const;

  // For files. `adopt` wants sections of any contents but of sizes that fit; kCorruptFile if not.
  const Fixed& fixed() const noexcept { return fixed_; }
  const Projection& projection() const noexcept { return *projection_; }
  Status adopt(const Fixed& fixed, Projection projection, Sections sections);

  std::size_t memory_usage() const noexcept;
  // That every slot of `rows` that `held` names has one position, and that no bound is exceeded. O(size * head * dim).
  Status validate(const VectorStore& rows, std::size_t held) const;

 protected:
  void take_projection(std::shared_ptr<const Projection> projection, double defect);
  // Of rows that are copies of the other's: none yet.
  void take_shape_of(const CodeBlocks& other);
  std::vector<std::uint32_t> by_falling_norm(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads) const;
  float encode(const VectorStore& rows, std::span<const std::uint32_t> slots, std::size_t first, int threads);

  Fixed fixed_;

 private:
  struct Encoded;

  Status validate_codes(const VectorStore& rows) const;
  Status validate_codes(const VectorStore& rows, std::size_t begin, std::size_t end) const;
  void choose_projection(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads);
  // What projecting x may get wrong, a unit of |z|.
  double projection_error() const noexcept;

  // Numbers of rows to come: the leading coordinates of each, and |z|^2.
  struct Projected {
    std::vector<float> heads;
    std::vector<double> squared;
  };
  void project(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads, Projected& out) const;
  enum class Hole { kAmongSorted, kAnywhere };
  void stage_in(Hole where, const VectorStore& rows, std::span<const std::uint32_t> slots, std::span<std::uint32_t> positions,
                int threads, const Publisher& publish, const std::function<void()>& grown);
  std::size_t choose_hole(double length, Hole where) noexcept;
  std::size_t behind() const noexcept { return slots_.size() - std::min<std::size_t>(slots_.size(), fixed_.sorted); }
  void mark_hole(std::size_t position);

  std::size_t dim_;
  std::shared_ptr<const Projection> projection_;
  Buffer<std::uint64_t> holes_;  // by position: a bit where nobody is
  std::size_t refilled_ = 0;     // holes, since all were laid out
  std::size_t left_behind_ = 0;  // positions behind the sorted ones after the last tidy()
};

}  // namespace segue
