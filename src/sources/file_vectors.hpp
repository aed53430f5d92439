#pragma once
// Rows of one kind of float, one after the other, from some byte of a file on.

#include <cstdint>
#include <memory>
#include <vector>

#include "file/source.hpp"
#include "segue/vector_source.hpp"

namespace segue {

enum class FileFloat { kF16, kF32, kF64 };

struct FileMatrix {
  FileFloat element = FileFloat::kF32;
  std::uint64_t offset = 0;
  std::uint64_t rows = 0;
  std::uint64_t dim = 0;
};

// kCorruptFile where the file has not exactly the bytes that the matrix takes; `what` it is in messages: ".npy".
Result<std::unique_ptr<VectorSource>> open_matrix(FileSource file, const FileMatrix& matrix, const char* what);

// What the head of a .npy file says.
Result<FileMatrix> parse_npy(const ByteSource& file);

}  // namespace segue
