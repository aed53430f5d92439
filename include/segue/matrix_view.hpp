#pragma once
// A borrowed matrix of floats: rows of `cols` numbers, one after the other. Copies nothing, owns nothing.
//
//   std::vector<float> x(n * dim);
//   index.add(segue::MatrixView(x, dim));

#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace segue {

class MatrixView {
 public:
  constexpr MatrixView() noexcept = default;
  constexpr MatrixView(const float* data, std::size_t rows, std::size_t cols) noexcept
      : data_(data), rows_(rows), cols_(cols) {}
  // values.size() must be a multiple of cols.
  MatrixView(const std::vector<float>& values, std::size_t cols) noexcept
      : data_(values.data()), rows_(cols == 0 ? 0 : values.size() / cols), cols_(cols) {
    assert(cols != 0 && values.size() % cols == 0);
  }
  // A view of a temporary would dangle.
  MatrixView(std::vector<float>&&, std::size_t) = delete;

  constexpr const float* data() const noexcept { return data_; }
  constexpr std::size_t rows() const noexcept { return rows_; }
  constexpr std::size_t cols() const noexcept { return cols_; }
  constexpr bool empty() const noexcept { return rows_ == 0; }
  constexpr const float* row(std::size_t i) const noexcept { return data_ + i * cols_; }
  constexpr MatrixView slice(std::size_t first, std::size_t count) const noexcept {
    return {row(first), count, cols_};
  }

 private:
  const float* data_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
};

}  // namespace segue
