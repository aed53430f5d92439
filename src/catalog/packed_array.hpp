#pragma once
// PackedArray: one value a row in the narrowest of a few widths, growing wider when a value asks for it.
//
//   codes     u8, u16, u32         0: missing
//   integers  i8, i16, i32, i64    the smallest number of the type: missing
//   reals     f32, f64             NaN: missing; f32 as long as every value survives it
//
// A catalogue's columns are mostly small numbers: minutes, difficulties, codes of a few thousand artists. Narrow ones
// take a quarter of the memory and are scanned four times as fast. Outside all integers are int64 with kMissingInteger.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "segue/core/buffer.hpp"

namespace segue {

inline constexpr std::int64_t kMissingInteger = std::numeric_limits<std::int64_t>::min();

enum class Packing : std::uint8_t { kU8, kU16, kU32, kI8, kI16, kI32, kI64, kF32, kF64 };
inline constexpr std::size_t kPackings = 9;

std::size_t width_of(Packing packing) noexcept;

// What stands for a missing value of the type.
template <class T>
constexpr T missing_of() noexcept {
  if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::quiet_NaN();
  if constexpr (std::is_unsigned_v<T>) return T{0};
  return std::numeric_limits<T>::min();
}

class PackedArray {
 public:
  explicit PackedArray(Packing narrowest) noexcept : packing_(narrowest) {}
  // From a file: `bytes` holds whole values.
  PackedArray(Packing packing, Buffer<unsigned char> bytes) noexcept
      : packing_(packing), size_(bytes.size() / width_of(packing)), bytes_(std::move(bytes)) {}

  Packing packing() const noexcept { return packing_; }
  std::size_t size() const noexcept { return size_; }
  const Buffer<unsigned char>& bytes() const noexcept { return bytes_; }

  // f(const T* values) for the type that they have.
  template <class F>
  decltype(auto) visit(F&& f) const {
    switch (packing_) {
      case Packing::kU8:
        return f(typed<std::uint8_t>());
      case Packing::kU16:
        return f(typed<std::uint16_t>());
      case Packing::kU32:
        return f(typed<std::uint32_t>());
      case Packing::kI8:
        return f(typed<std::int8_t>());
      case Packing::kI16:
        return f(typed<std::int16_t>());
      case Packing::kI32:
        return f(typed<std::int32_t>());
      case Packing::kI64:
        return f(typed<std::int64_t>());
      case Packing::kF32:
        return f(typed<float>());
      case Packing::kF64:
        break;
    }
    return f(typed<double>());
  }

  // Codes and integers; kMissingInteger for a missing integer, 0 for a missing code.
  std::int64_t integer(std::size_t row) const noexcept;
  void prefetch(std::size_t row) const noexcept { __builtin_prefetch(bytes_.data() + row * width_of(packing_)); }
  double real(std::size_t row) const noexcept;

  // Makes room for `rows` values in all and for these in particular, wider where they ask for it. May throw; what is
  // there keeps its value.
  void prepare(std::size_t rows, std::span<const std::int64_t> values);
  void prepare(std::size_t rows, std::span<const double> values);
  // After prepare. New rows are missing.
  void resize(std::size_t rows) noexcept;
  void set(std::size_t row, std::int64_t value) noexcept;
  void set(std::size_t row, double value) noexcept;
  void set_missing(std::size_t row) noexcept;
  // Of the same kind, with the values of these rows, narrow again.
  PackedArray gathered(std::span<const std::uint32_t> rows) const;

 private:
  template <class T>
  const T* typed() const noexcept {
    return reinterpret_cast<const T*>(bytes_.data());
  }
  template <class T>
  T* typed() noexcept {
    return reinterpret_cast<T*>(bytes_.data());
  }
  template <class F>
  void edit(F&& f) noexcept;
  void widen(Packing packing);

  Packing packing_;
  std::size_t size_ = 0;
  Buffer<unsigned char> bytes_;
};

}  // namespace segue
