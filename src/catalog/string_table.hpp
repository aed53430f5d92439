#pragma once
// StringTable: strings by number, and the number of a string. Words of a column and keys of a catalog are such tables.
//
// Layout: all bytes one after another, where each string ends (8 bytes a string), and an open-addressing table of
// numbers (4 bytes an entry, at most half full), which is rebuilt from the strings and is in no file. Appending never
// moves a number. Two strings may be equal: the table then knows the later one (a key that was removed and came again).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "segue/core/buffer.hpp"
#include "segue/status.hpp"

namespace segue {

inline constexpr std::uint32_t kNoString = std::numeric_limits<std::uint32_t>::max();

class StringTable {
 public:
  StringTable() = default;
  // From a file; `ends` ascends and the last is the number of bytes. find() knows nothing until index().
  StringTable(Buffer<std::uint64_t> ends, Buffer<char> bytes) noexcept;

  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::size_t number) const noexcept {
    const std::uint64_t begin = number == 0 ? 0 : ends_[number - 1];
    return {bytes_.data() + begin, static_cast<std::size_t>(ends_[number] - begin)};
  }
  // kNoString if it is not there.
  std::uint32_t find(std::string_view text) const noexcept;

  std::uint32_t find_or_append(std::string_view text);
  // At the end, whether it is there or not.
  void append(std::string_view text);
  // Takes the last ones off again.
  void truncate(std::size_t size) noexcept;
  // Fills the table with those for which is_live(number).
  template <class IsLive>
  void index(IsLive&& is_live) {
    make_table(table_entries(size()));
    for (std::size_t i = 0; i < size(); ++i) {
      if (is_live(i)) place(static_cast<std::uint32_t>(i));
    }
  }

  const Buffer<std::uint64_t>& ends() const noexcept { return ends_; }
  const Buffer<char>& bytes() const noexcept { return bytes_; }
  std::size_t memory_usage() const noexcept {
    return ends_.memory_usage() + bytes_.memory_usage() + table_.memory_usage();
  }

 private:
  static std::size_t table_entries(std::size_t size) noexcept;
  // Where `text` is or would go.
  std::size_t entry_of(std::string_view text) const noexcept;
  void make_table(std::size_t entries);
  void place(std::uint32_t number) noexcept;

  Buffer<std::uint64_t> ends_;
  Buffer<char> bytes_;
  Buffer<std::uint32_t> table_;  // number + 1; 0 is empty
};

}  // namespace segue
