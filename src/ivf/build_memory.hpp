#pragma once
// How a build in bounded memory divides what it has: what its steps take, and how much each does at once.

#include <cstddef>

#include "segue/ivf.hpp"

namespace segue {

class BuildMemory {
 public:
  struct Shape {
    std::size_t rows = 0;
    std::size_t dim = 0;
    std::size_t lists = 0;
    std::size_t sampled = 0;  // rows that lists are trained on
    std::size_t workers = 1;
    bool own_ids = false;
  };

  BuildMemory(const Shape& shape, std::size_t limit) noexcept : shape_(shape), limit_(limit) {}

  // The least that will do.
  std::size_t least() const noexcept;
  std::size_t limit() const noexcept { return limit_; }

  // Rows of the source that are in memory at a time while they are looked at, and while they are coded.
  std::size_t rows_to_read() const noexcept;
  std::size_t rows_to_code(std::size_t head) const noexcept;
  // Blocks of so many bytes that are laid out at a time.
  std::size_t blocks_to_lay_out(std::size_t block_bytes) const noexcept;
  // Ranges of lists that rows are put aside by, each through a buffer of kSpillBuffer bytes.
  static constexpr std::size_t kSpillBuffer = std::size_t{32} << 10;
  std::size_t spill_ranges(std::size_t block_bytes) const noexcept;

 private:
  std::size_t lists_and_workers() const noexcept;
  std::size_t training() const noexcept;
  std::size_t row_to_code(std::size_t head) const noexcept;
  std::size_t left(std::size_t taken) const noexcept { return limit_ > taken ? limit_ - taken : 0; }

  Shape shape_;
  std::size_t limit_;
};

}  // namespace segue
