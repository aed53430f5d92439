#include "catalog/packed_array.hpp"

#include <cmath>
#include <vector>

namespace segue {
namespace {

bool is_code(Packing packing) noexcept { return packing <= Packing::kU32; }
bool is_real(Packing packing) noexcept { return packing >= Packing::kF32; }

Packing next_wider(Packing packing) noexcept { return static_cast<Packing>(static_cast<std::uint8_t>(packing) + 1); }

bool holds(Packing packing, std::int64_t value) noexcept {
  const auto within = [value](auto low, auto high) {
    return value >= std::int64_t{low} && value <= std::int64_t{high};
  };
  switch (packing) {
    case Packing::kU8:
      return within(0, 0xFF);
    case Packing::kU16:
      return within(0, 0xFFFF);
    case Packing::kU32:
      return within(0, 0xFFFF'FFFF);
    case Packing::kI8:
      return within(-0x7F, 0x7F);
    case Packing::kI16:
      return within(-0x7FFF, 0x7FFF);
    case Packing::kI32:
      return within(-0x7FFF'FFFF, 0x7FFF'FFFF);
    default:
      return true;
  }
}

// A float that overflows is not the double; the comparison says so. The value is clamped nowhere.
bool survives_f32(double value) noexcept {
  if (std::isnan(value) || std::isinf(value)) return true;
  constexpr double kMost = std::numeric_limits<float>::max();
  return value >= -kMost && value <= kMost && static_cast<double>(static_cast<float>(value)) == value;
}

}  // namespace

std::size_t width_of(Packing packing) noexcept {
  constexpr std::size_t kWidths[kPackings] = {1, 2, 4, 1, 2, 4, 8, 4, 8};
  return kWidths[static_cast<std::size_t>(packing)];
}

template <class F>
void PackedArray::edit(F&& f) noexcept {
  visit([&](const auto* values) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(values)>>;
    f(const_cast<T*>(values));
  });
}

std::int64_t PackedArray::integer(std::size_t row) const noexcept {
  return visit([row](const auto* values) -> std::int64_t {
    using T = std::remove_cvref_t<decltype(*values)>;
    if constexpr (std::is_floating_point_v<T>)
      return kMissingInteger;
    else if constexpr (std::is_signed_v<T>)
      return values[row] == missing_of<T>() ? kMissingInteger : values[row];
    else
      return static_cast<std::int64_t>(values[row]);
  });
}

double PackedArray::real(std::size_t row) const noexcept {
  return visit([row](const auto* values) { return static_cast<double>(values[row]); });
}

void PackedArray::prepare(std::size_t rows, std::span<const std::int64_t> values) {
  Packing wanted = packing_;
  for (const std::int64_t value : values) {
    if (value == kMissingInteger && !is_code(wanted)) continue;
    while (!holds(wanted, value)) wanted = next_wider(wanted);
  }
  if (wanted != packing_) widen(wanted);
  bytes_.reserve(rows * width_of(packing_));
}

void PackedArray::prepare(std::size_t rows, std::span<const double> values) {
  if (packing_ == Packing::kF32) {
    for (const double value : values) {
      if (survives_f32(value)) continue;
      widen(Packing::kF64);
      break;
    }
  }
  bytes_.reserve(rows * width_of(packing_));
}

void PackedArray::resize(std::size_t rows) noexcept {
  const std::size_t before = size_;
  bytes_.resize(rows * width_of(packing_));
  size_ = rows;
  edit([&](auto* values) {
    using T = std::remove_cvref_t<decltype(*values)>;
    if (rows > before) std::fill(values + before, values + rows, missing_of<T>());
  });
}

void PackedArray::set(std::size_t row, std::int64_t value) noexcept {
  edit([&](auto* values) {
    using T = std::remove_cvref_t<decltype(*values)>;
    values[row] = value == kMissingInteger ? missing_of<T>() : static_cast<T>(value);
  });
}

void PackedArray::set(std::size_t row, double value) noexcept {
  edit([&](auto* values) { values[row] = static_cast<std::remove_cvref_t<decltype(*values)>>(value); });
}

void PackedArray::set_missing(std::size_t row) noexcept {
  edit([&](auto* values) { values[row] = missing_of<std::remove_cvref_t<decltype(*values)>>(); });
}

void PackedArray::widen(Packing packing) {
  PackedArray wider(packing);
  wider.bytes_.reserve(size_ * width_of(packing));
  wider.resize(size_);
  for (std::size_t row = 0; row < size_; ++row) {
    if (is_real(packing))
      wider.set(row, real(row));
    else
      wider.set(row, integer(row));
  }
  *this = std::move(wider);
}

PackedArray PackedArray::gathered(std::span<const std::uint32_t> rows) const {
  const auto copy = [&](auto read, Packing narrowest) {
    std::vector<decltype(read(0))> values(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) values[i] = read(rows[i]);
    PackedArray out(narrowest);
    out.prepare(rows.size(), std::span<const decltype(read(0))>(values));
    out.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) out.set(i, values[i]);
    return out;
  };
  if (is_real(packing_)) return copy([this](std::size_t row) { return real(row); }, Packing::kF32);
  return copy([this](std::size_t row) { return integer(row); }, is_code(packing_) ? Packing::kU8 : Packing::kI8);
}

}  // namespace segue
