#pragma once
// ListBlocks: the rows of inverted lists as eight-bit codes of what they differ by from their list's centre.
//
// With c the centre of its list, a row x is kept as r = x - c: the leading coordinates y of a projection coded by a scale
// a row and eight bits each, and the lengths that bound the rest, as in codes/code_blocks.hpp. A query q is coded once, for
// all lists:
//
//   q . x         = q . c  +  q . r
//   -|q - x|^2 / 2 = -|q - c|^2 / 2  +  V(q - m) . y  -  (|r|^2 / 2 + V(c - m) . y)  +  tails
//
// where V are the directions and m is the mean of the centres: what depends on the row alone is its bias, what depends on
// query and list is one number (and under l2 the length of the tail of q - c).
//
// Each list has a run of whole blocks with room to grow; a list that outgrows its run moves behind the others, into half
// as much again. A row that goes is replaced by the last of its list, so there is nothing dead to scan.
//
// The rows themselves may be kept elsewhere, or not at all: then a row is its centre and its code (ivf/list_rows.hpp), and
// what both leave over, where that is kept.
//
// Knows rows of a VectorStore by their slots. Not thread-safe for changes; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "codes/block_arrays.hpp"
#include "codes/code_query.hpp"
#include "ivf/centroids.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/projection.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/status.hpp"

namespace segue {

class ListBlocks : public BlockArrays {
 public:
  // Where a list lies.
  struct Run {
    std::uint32_t first;   // block
    std::uint32_t blocks;  // room
    std::uint32_t rows;
  };
  // What a file keeps besides the arrays.
  struct Fixed {
    double defect = 0;
    float longest = 0;  // of any row, and of any centre; under l2 counted from the mean of the centres
    float longest_centre = 0;
  };

  // `codes_are_rows`: nothing else is kept of a row. `bits`: of a coordinate, on average (codes/code_planes.hpp); 0: eight of
  // as many leading directions as pay.
  ListBlocks(const kernels::KernelTable& table, std::size_t dim, RowMetric metric, bool codes_are_rows, unsigned bits = 0);

  std::size_t lists() const noexcept { return runs_.size(); }
  std::size_t size() const noexcept { return size_; }
  std::size_t head() const noexcept { return projection_->head(); }
  // Whether codes leave no direction out.
  bool whole() const noexcept { return head() == dim_; }
  const Run& run(std::size_t list) const noexcept { return runs_[list]; }
  std::size_t run_end(std::size_t list) const noexcept { return runs_[list].first + blocks_for(runs_[list].rows); }

  // Empty lists around these centres. `sample` rows say which directions are worth keeping. Returns their mean |r|^2; -1
  // where there are none.
  double start(const Centroids& centroids, MatrixView sample, std::span<const std::uint32_t> lists_of_sample, int threads);
  // Rows on their way into lists.
  struct Arrivals {
    const VectorStore& rows;  // may be another store than the one that will be searched
    std::span<const std::uint32_t> from;
    std::span<const std::uint32_t> to;  // slots
    VectorStore* rests = nullptr;       // kSq8: where to write what codes leave over,
    std::span<const std::uint32_t> rests_to = {};  // and which of its rows
  };
  // Row from[i] joins list lists[i] as slot to[i]; what was held of that slot goes. If memory runs out, nothing has
  // changed but `rests`. In bulk, while nobody reads.
  void put(const Centroids& centroids, const Arrivals& arrivals, std::span<const std::uint32_t> lists, int threads);
  // The same in three steps, while others read: codes of all arrivals, aside; room for them, and for `slots`; and row i into
  // its list, which cannot fail.
  struct Coded;
  Coded code(const Centroids& centroids, const Arrivals& arrivals, std::span<const std::uint32_t> lists, int threads) const;
  void make_room(std::span<const std::uint32_t> lists, std::size_t slots, const Publisher& publish);
  void take(const Coded& coded, std::size_t i);
  // For files that are larger than memory (ivf/build_file.cpp): the row of from[i], of list lists[i] and slot to[i], is
  // coded and comes to lie at position i * kBlockRows, in a block of its own, until the next call; no list holds it, but
  // each counts its rows and their energy. Not together with put().
  void stage(const Centroids& centroids, const Arrivals& arrivals, std::span<const std::uint32_t> lists, int threads);
  using BlockArrays::pack_row;
  using BlockArrays::packed_bytes;
  // Every list gets the run that put() would have given it for all rows that were staged. How many blocks that takes.
  std::size_t end_staging();
  void remove(std::uint32_t slot) noexcept;
  // The row of slot `from` is now that of slot `to`, which is not held.
  void rename(std::uint32_t from, std::uint32_t to) noexcept { rename_slot(from, to); }
  void resize_slots(std::size_t slots) { positions_.resize(slots); }

  // As CodeBlocks: whether codes can bound the scores of that query, and the query in their form.
  bool covers(const float* query) const noexcept;
  void prepare(std::span<const float* const> queries, std::span<CodedQuery> out,
               CodeQueryMemory& memory) const;
  // What ranks the lists by the heads of queries alone (CodedQuery::head), where centres differ in those directions and a query
  // is not weighed by its length; null: all of their coordinates are wanted.
  const CentreBlocks* head_ranking() const noexcept { return ranking_.get(); }
  // V(c - m) of a list's centre, as many numbers as head(); under l2, or with planes.
  const VectorStore& centre_heads() const noexcept { return centre_heads_; }
  bool has_tails() const noexcept { return has_tails_; }

  std::size_t list_of(std::size_t position) const noexcept { return owners_[position / kernels::kBlockRows]; }
  // The numbers that a code stands for, head() of them, and for n of such the vectors that have them as leading coordinates,
  // each the same whatever others come with it.
  void decode_head(std::size_t position, float* out) const noexcept { decode_head(*this, position, out); }
  struct ExpandMemory {
    Buffer<unsigned char> queries;
  };
  void expand(const float* heads, std::size_t n, float* out, ExpandMemory& memory) const;

  // Mean of |r|^2 of all rows.
  double mean_energy() const noexcept;
  // A mean of |r| in which the longest count most: the eighth root of the mean eighth power.
  float spread(std::size_t list) const noexcept;

  // For files. `adopt` wants arrays of any contents but of sizes that fit; kCorruptFile if not.
  const Fixed& fixed() const noexcept { return fixed_; }
  const Projection& projection() const noexcept { return *projection_; }
  const std::shared_ptr<const Projection>& shared_projection() const noexcept { return projection_; }
  const Buffer<Run>& run_array() const noexcept { return runs_; }
  const Buffer<double>& energy_array() const noexcept { return energies_; }
  const Buffer<double>& eighth_power_array() const noexcept { return eighth_powers_; }
  struct ListSections {
    Buffer<Run> runs;
    Buffer<double> energies;
    Buffer<double> eighth_powers;  // empty, as in files before it: as if all rows of a list were as long
    Sections codes;
    Buffer<unsigned char> bits;  // of planes
    Buffer<float> steps;
  };
  Status adopt(const Fixed& fixed, Projection projection, const Centroids& centroids, ListSections sections);

  std::size_t memory_usage() const noexcept;
  // That each of the `held` rows has one place in one list and no bound is exceeded; `rows` null: that codes are numbers.
  // O(size * head * dim).
  Status validate(const Centroids& centroids, const VectorStore* rows, std::size_t held) const;

 private:
  // What a row less its centre is, before it is coded.
  struct Residual {
    double row_length;  // of the row itself; under l2 counted from the mean of the centres
    Row row;
  };
  struct Lengths {
    double residual_squared, row;
  };
  static constexpr std::size_t kAtOnce = 64;
  struct Worker {
    ProjectionMemory projecting;
    std::vector<float> residuals;
    std::vector<float> heads;
    std::vector<const float*> views;
    std::vector<std::uint32_t> lists;
    std::vector<Residual> out;
    std::vector<float> head, whole, rest;
    std::vector<float> levels;  // planes
    ExpandMemory expanding;
  };
  // Of rows of these lists, at most kAtOnce, in memory.out.
  void take_residuals(const Centroids& centroids, const VectorStore& rows, std::span<const std::uint32_t> from,
                      std::span<const std::uint32_t> lists, Worker& memory) const;
  // The row at memory.out[at] into a position of blocks of this shape; a row of its list, and what is left over where that
  // is kept.
  void code_residual(const Centroids& centroids, std::size_t list, ListBlocks& into, std::size_t position, std::size_t at,
                     Worker& memory, VectorStore* rests, std::size_t to) const;
  Worker make_worker() const;
  void write_rest(const Centroids& centroids, std::size_t list, const ListBlocks& from, std::size_t position,
                  std::size_t at, Worker& memory, VectorStore& rests, std::size_t to) const;
  void write_as_row(std::size_t list, ListBlocks& into, std::size_t position, std::size_t at, Worker& memory) const noexcept;
  void decode_head(const ListBlocks& from, std::size_t position, float* out) const noexcept;
  void make_room_for(std::span<const std::uint32_t> wanted, const Publisher& publish);
  void rebuild_runs(std::span<const std::uint32_t> wanted, std::size_t blocks, const Publisher& publish);
  void move_list(std::size_t list, std::uint32_t room);
  void take_places(std::size_t list) noexcept;
  void resize_blocks(std::size_t blocks);
  void remove_at(std::size_t position) noexcept;
  void count_row(std::size_t list, const Lengths& lengths) noexcept;
  void take_projection(Projection projection, std::shared_ptr<const CodePlanes> planes = nullptr);
  Status validate_codes(const Centroids& centroids, const VectorStore& rows, std::size_t list) const;
  Status validate_numbers(std::size_t list) const;
  void code_centres(const Centroids& centroids);
  void choose_ranking(const Centroids& centroids);
  double row_error() const noexcept;

  std::size_t dim_;
  bool codes_are_rows_;
  unsigned bits_;
  std::size_t size_ = 0;
  Fixed fixed_;
  std::shared_ptr<const Projection> projection_;  // its centre, under l2: the mean of the centres
  double mean_norm_ = 0;
  Buffer<unsigned char> columns_;  // dim x head: the directions, transposed; laid out for products
  VectorStore centre_heads_;
  std::shared_ptr<const CentreBlocks> ranking_;
  Buffer<Run> runs_;
  Buffer<double> energies_;       // the sum of |r|^2, list by list
  Buffer<double> eighth_powers_;  // the sum of |r|^8
  Buffer<std::uint32_t> owners_;  // by block: its list. Not in the file
};

// Rows that are coded, each with bounds of its own, and in no list yet.
struct ListBlocks::Coded {
  std::vector<unsigned char> packed;  // packed_bytes() each
  std::vector<Lengths> lengths;
  std::vector<std::uint32_t> lists;
};

}  // namespace segue
