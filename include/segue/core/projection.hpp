#pragma once
// Projection: a few orthonormal directions that hold most of what vectors are made of, and a centre they start from.
//
// Codes of the leading coordinates alone are a fraction of a row, and what they leave out is known by its length: with
// h the head coordinates of x and t the length of the rest, the squared distance of x and y lies within
// |h_x - h_y|^2 + (t_x -+ t_y)^2, their inner product (no centre) within h_x . h_y -+ t_x t_y.
//
//   const Projection p = Projection::train(table, rows, {.head = 96, .centered = true});
//   p.apply(x, head, memory);        // p.head() numbers; returns t
//
// The directions are those of the largest energy of a sample of at most kSample rows, in falling order, found by
// subspace iteration: O(sample * dim^2 + iterations * head * dim * (dim + head)), some tenths of a second at 784
// dimensions. The same rows give the same bits on any number of threads (of one instruction set). Immutable once made;
// reading is safe from any number of threads.

#include <cstddef>
#include <span>

#include "segue/core/buffer.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

namespace kernels {
struct KernelTable;
}  // namespace kernels

struct ProjectionOptions {
  std::size_t head = 64;  // directions; more than there are dimensions means all of them
  bool centered = false;  // around the mean of the sample, else around zero
  int threads = 0;
};

// What apply() works in; kept between calls so that they allocate nothing.
struct ProjectionMemory {
  Buffer<float> moved;
  Buffer<unsigned char> queries;
};

class Projection {
 public:
  static constexpr std::size_t kSample = 8192;
  // Beyond that the matrix of second moments is no longer small; train() gives the identity.
  static constexpr std::size_t kMaxTrainedDim = 4096;

  Projection() = default;
  // Head coordinates are the coordinates: no rotation, no centre, no tail.
  static Projection identity(const kernels::KernelTable& table, std::size_t dim);
  // rows: at least one, finite.
  static Projection train(const kernels::KernelTable& table, MatrixView rows, const ProjectionOptions& options);
  // From a file: head * dim numbers (or none: the identity), dim (or none) of the centre, head energies (or none).
  static Projection adopt(const kernels::KernelTable& table, std::size_t dim, Buffer<float> basis, Buffer<float> centre,
                          Buffer<double> energies, double total_energy);

  // The first `head` of the directions alone; no more than there are.
  Projection shortened(std::size_t head) const;

  std::size_t dim() const noexcept { return dim_; }
  std::size_t head() const noexcept { return rotates() ? basis_.size() / dim_ : dim_; }
  bool rotates() const noexcept { return !basis_.empty(); }
  bool centered() const noexcept { return !centre_.empty(); }

  // The head coordinates of x - centre into `head`; returns the length of what they leave out. Each coordinate is off
  // by at most (dim + 16) * 2^-24 * |x - centre|, besides defect(), and is the same whatever else is projected with it.
  float apply(const float* x, float* head, ProjectionMemory& memory) const;
  // The head coordinates of x itself: (x . y) = (x . centre) + V x . V (y - centre) + what the tails share.
  void apply_direction(const float* x, float* head, ProjectionMemory& memory) const;
  // The same for many rows, as a matrix product: heads is rows * head(), tails one a row or null.
  void apply(MatrixView rows, float* heads, float* tails, ProjectionMemory& memory) const;
  void apply(std::span<const float* const> rows, float* heads, ProjectionMemory& memory) const;
  void apply_direction(std::span<const float* const> rows, float* heads, ProjectionMemory& memory) const;

  // Mean squared coordinate a direction, falling; and of all of x - centre. Of the sample; empty for the identity.
  std::span<const double> energies() const noexcept { return energies_.span(); }
  double total_energy() const noexcept { return total_energy_; }
  // At least ||V V^T - I||_F of the basis as stored, so | |V x| - |P x| | <= defect * |x|. O(head^2 * dim): keep it.
  double defect() const noexcept;

  const Buffer<float>& basis() const noexcept { return basis_; }    // head x dim, row-major
  const Buffer<float>& centre() const noexcept { return centre_; }  // dim, or empty: zero
  // The basis transposed, dim x head: V^T h is a product with it. Empty for the identity.
  Buffer<float> columns() const;
  std::size_t memory_usage() const noexcept {
    return basis_.memory_usage() + panels_.memory_usage() + centre_.memory_usage() + energies_.memory_usage();
  }

 private:
  void lay_out();
  void project_tile(std::span<const float* const> rows, bool move, float* heads, float* tails,
                    ProjectionMemory& memory) const;
  const float* move_to_centre(const float* x, ProjectionMemory& memory) const;

  const kernels::KernelTable* table_ = nullptr;
  std::size_t dim_ = 0;
  double total_energy_ = 0;
  Buffer<float> basis_;
  Buffer<unsigned char> panels_;  // of the basis, for products
  Buffer<float> centre_;
  Buffer<double> energies_;
};

}  // namespace segue
