#include "catalog/string_table.hpp"

#include <bit>
#include <cstring>

#include "segue/core/mix64.hpp"

namespace segue {
namespace {

// Eight bytes a step. Not keyed: who may write keys into a catalog may also fill it.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = kGoldenGamma ^ text.size();
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    hash = mix64(hash ^ word);
  }
  std::uint64_t rest = 0;
  if (i < text.size()) std::memcpy(&rest, text.data() + i, text.size() - i);
  return mix64(hash ^ rest);
}

}  // namespace

StringTable::StringTable(Buffer<std::uint64_t> ends, Buffer<char> bytes) noexcept
    : ends_(std::move(ends)), bytes_(std::move(bytes)) {}

std::size_t StringTable::table_entries(std::size_t size) noexcept { return std::bit_ceil(2 * size + 2); }

std::size_t StringTable::entry_of(std::string_view text) const noexcept {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash_of(text) & mask;
  while (table_[at] != 0 && (*this)[table_[at] - 1] != text) at = (at + 1) & mask;
  return at;
}

std::uint32_t StringTable::find(std::string_view text) const noexcept {
  if (table_.empty()) return kNoString;
  const std::uint32_t entry = table_[entry_of(text)];
  return entry == 0 ? kNoString : entry - 1;
}

std::uint32_t StringTable::find_or_append(std::string_view text) {
  const std::uint32_t found = find(text);
  if (found != kNoString) return found;
  append(text);
  return static_cast<std::uint32_t>(size() - 1);
}

void StringTable::append(std::string_view text) {
  if (table_entries(size() + 1) > table_.size()) {
    Buffer<std::uint32_t> old = std::move(table_);
    table_ = {};
    try {
      make_table(table_entries(size() + 1));
    } catch (...) {
      table_ = std::move(old);
      throw;
    }
    for (const std::uint32_t entry : old) {
      if (entry != 0) place(entry - 1);
    }
  }
  ends_.reserve(size() + 1);
  bytes_.reserve(bytes_.size() + text.size());
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + text.size());
  if (!text.empty()) std::memcpy(bytes_.data() + begin, text.data(), text.size());
  ends_.push_back(bytes_.size());
  place(static_cast<std::uint32_t>(size() - 1));
}

void StringTable::truncate(std::size_t wanted) noexcept {
  if (wanted >= size()) return;
  // Emptied entries would cut chains of probes, so what is left is placed anew.
  bytes_.resize(wanted == 0 ? 0 : static_cast<std::size_t>(ends_[wanted - 1]));
  ends_.resize(wanted);
  std::memset(table_.data(), 0, table_.size() * sizeof(std::uint32_t));
  for (std::size_t i = 0; i < wanted; ++i) place(static_cast<std::uint32_t>(i));
}

void StringTable::make_table(std::size_t entries) {
  Buffer<std::uint32_t> fresh(entries);
  table_.swap(fresh);
}

void StringTable::place(std::uint32_t number) noexcept { table_[entry_of((*this)[number])] = number + 1; }

}  // namespace segue
