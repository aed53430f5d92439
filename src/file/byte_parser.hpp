#pragma once
// ByteParser: numbers, texts and arrays out of bytes that nobody has looked at yet, and ByteWriter, which made them.
//
//   ByteParser parser(payload);
//   const auto rows = parser.number();                     // 0 once the bytes have run out
//   const std::span<const Id> ids = parser.array<Id>(rows);
//   if (!parser.done()) return corrupt(...);               // something ran out, or something is left
//
// Every array starts at a multiple of 8 bytes and is followed by zeros up to the next; so with bytes that are aligned
// arrays are used in place. Nothing is allocated.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace segue {

class ByteParser {
 public:
  // Aligned to 8 bytes.
  explicit ByteParser(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}

  std::uint64_t number() noexcept {
    const std::span<const std::uint64_t> one = array<std::uint64_t>(1);
    return one.empty() ? 0 : one[0];
  }
  template <class T>
  std::span<const T> array(std::uint64_t count) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 8);
    if (!good_ || count > rest_.size() / sizeof(T)) return fail<T>();
    const auto bytes = static_cast<std::size_t>(count) * sizeof(T);
    const std::size_t padded = (bytes + 7) / 8 * 8;
    if (padded > rest_.size()) return fail<T>();
    for (std::size_t i = bytes; i < padded; ++i) {
      if (rest_[i] != std::byte{0}) return fail<T>();
    }
    const std::span<const T> out(reinterpret_cast<const T*>(rest_.data()), static_cast<std::size_t>(count));
    rest_ = rest_.subspan(padded);
    return out;
  }
  std::string_view text() noexcept {
    const std::span<const char> bytes = array<char>(number());
    return {bytes.data(), bytes.size()};
  }

  bool good() const noexcept { return good_; }
  // Nothing ran out and nothing is left.
  bool done() const noexcept { return good_ && rest_.empty(); }
  std::size_t left() const noexcept { return rest_.size(); }
  // Whoever finds out that a number cannot be.
  void reject() noexcept { good_ = false; }

 private:
  template <class T>
  std::span<const T> fail() noexcept {
    good_ = false;
    return {};
  }

  std::span<const std::byte> rest_;
  bool good_ = true;
};

class ByteWriter {
 public:
  void number(std::uint64_t value) { array(std::span<const std::uint64_t, 1>(&value, 1)); }
  template <class T, std::size_t extent>
  void array(std::span<const T, extent> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = bytes_.size();
    bytes_.resize(at + (values.size_bytes() + 7) / 8 * 8);
    if (!values.empty()) std::memcpy(bytes_.data() + at, values.data(), values.size_bytes());
  }
  void text(std::string_view value) {
    number(value.size());
    array(std::span<const char>(value.data(), value.size()));
  }

  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace segue
