#pragma once
// VectorSource: rows of floats that need not be in memory. What build_file() reads.
//
//   auto source = segue::open_vectors("tracks.npy");       // or "tracks.fbin"
//   segue::build_file(**source, {}, "tracks.segue", {.max_memory = std::size_t{2} << 30});
//
// Derive from it for whatever else holds vectors. One thread at a time reads.

#include <cstddef>
#include <memory>
#include <string>

#include "segue/matrix_view.hpp"
#include "segue/status.hpp"

namespace segue {

class VectorSource {
 public:
  virtual ~VectorSource() = default;
  virtual std::size_t rows() const noexcept = 0;
  virtual std::size_t dim() const noexcept = 0;
  // Rows [first, first + count), row by row, into `out`. Whoever reads goes through the rows in order, and may begin anew
  // at 0. Whatever fails ends the call that reads; numbers are checked by it.
  virtual Status read(std::size_t first, std::size_t count, float* out) = 0;
};

// A file whose suffix says how it is to be read: .npy (two dimensions in C order, float16, float32 or float64) or .fbin (two
// uint32, rows and dimension, then float32). Reads what is asked for and keeps nothing.
// kNotFound, kIoError: as load(). kCorruptFile: not what the suffix says, or cut off. kInvalidArgument: another suffix, or
// numbers that are no floats.
Result<std::unique_ptr<VectorSource>> open_vectors(const std::string& path);

// A matrix in memory, or in a file that somebody mapped. Copies nothing; the view outlives the source.
std::unique_ptr<VectorSource> source_of(MatrixView vectors);

}  // namespace segue
