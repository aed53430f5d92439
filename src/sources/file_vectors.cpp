#include "sources/file_vectors.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/dispatch.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 20;

std::size_t size_of(FileFloat element) noexcept {
  return element == FileFloat::kF16 ? 2 : element == FileFloat::kF32 ? 4 : 8;
}

class FileVectors final : public VectorSource {
 public:
  FileVectors(FileSource file, const FileMatrix& matrix) : file_(std::move(file)), matrix_(matrix) {}

  std::size_t rows() const noexcept override { return matrix_.rows; }
  std::size_t dim() const noexcept override { return matrix_.dim; }

  Status read(std::size_t first, std::size_t count, float* out) override {
    const std::size_t size = size_of(matrix_.element);
    const std::uint64_t begin = matrix_.offset + first * matrix_.dim * size;
    const std::size_t numbers = count * matrix_.dim;
    if (matrix_.element == FileFloat::kF32) return file_.read(begin, std::as_writable_bytes(std::span(out, numbers)));
    piece_.resize(std::min(numbers * size, kAtOnce));
    for (std::size_t done = 0; done < numbers;) {
      const std::size_t n = std::min(numbers - done, kAtOnce / size);
      SEGUE_RETURN_IF_ERROR(file_.read(begin + done * size, std::as_writable_bytes(std::span(piece_).first(n * size))));
      if (matrix_.element == FileFloat::kF16) {
        kernels::active_kernels().families[kernels::kFamilyF16].decode(piece_.data(), n, out + done);
      } else {
        for (std::size_t i = 0; i < n; ++i) {
          double x = 0;
          std::memcpy(&x, piece_.data() + i * size, size);
          out[done + i] = static_cast<float>(x);
        }
      }
      done += n;
    }
    return {};
  }

 private:
  FileSource file_;
  FileMatrix matrix_;
  std::vector<unsigned char> piece_;
};

class ViewedVectors final : public VectorSource {
 public:
  explicit ViewedVectors(MatrixView vectors) : vectors_(vectors) {}

  std::size_t rows() const noexcept override { return vectors_.rows(); }
  std::size_t dim() const noexcept override { return vectors_.cols(); }
  Status read(std::size_t first, std::size_t count, float* out) override {
    if (count != 0) std::copy_n(vectors_.row(first), count * vectors_.cols(), out);
    return {};
  }

 private:
  MatrixView vectors_;
};

Result<FileMatrix> parse_fbin(const ByteSource& file) {
  std::uint32_t head[2];
  if (file.size() < sizeof(head)) {
    return corrupt(file.name(), "has " + std::to_string(file.size()) + " bytes, too few for the head of an .fbin file");
  }
  SEGUE_RETURN_IF_ERROR(file.read(0, std::as_writable_bytes(std::span(head))));
  return FileMatrix{FileFloat::kF32, sizeof(head), head[0], head[1]};
}

}  // namespace

Result<std::unique_ptr<VectorSource>> open_matrix(FileSource file, const FileMatrix& matrix, const char* what) {
  const std::string shape = std::to_string(matrix.rows) + " x " + std::to_string(matrix.dim);
  if (matrix.dim == 0) return corrupt(file.name(), "holds rows of no numbers: " + shape);
  const std::uint64_t room = (file.size() - matrix.offset) / size_of(matrix.element);
  const bool fits = matrix.rows <= room / matrix.dim && matrix.rows * matrix.dim == room &&
                    (file.size() - matrix.offset) % size_of(matrix.element) == 0;
  if (!fits) {
    return corrupt(file.name(), "says that it holds " + shape + " numbers of " + std::to_string(size_of(matrix.element)) +
                                    " bytes, and has " + std::to_string(file.size() - matrix.offset) +
                                    " bytes for them; it is no whole " + what + " file");
  }
  return std::unique_ptr<VectorSource>(std::make_unique<FileVectors>(std::move(file), matrix));
}

Result<std::unique_ptr<VectorSource>> open_vectors(const std::string& path) {
  const bool npy = path.ends_with(".npy");
  if (!npy && !path.ends_with(".fbin")) {
    return invalid_argument("'" + path + "' is of no known format; known are .npy and .fbin");
  }
  Result<FileSource> file = FileSource::open(path);
  if (!file.ok()) return file.status();
  const Result<FileMatrix> matrix = npy ? parse_npy(*file) : parse_fbin(*file);
  if (!matrix.ok()) return matrix.status();
  return open_matrix(std::move(file).value(), *matrix, npy ? ".npy" : ".fbin");
}

std::unique_ptr<VectorSource> source_of(MatrixView vectors) { return std::make_unique<ViewedVectors>(vectors); }

}  // namespace segue
