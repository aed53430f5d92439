#pragma once
// Columns of a Catalog: their types, and values of some rows on their way in or out.
//
//   ColumnData::categories("discipline", {"cycling", "yoga", "cycling"})
//   ColumnData::sets("market", {{"SE", "NO"}, {}, {"SE"}})
//   ColumnData::integers("duration", {1800, 600, 2400}, /*missing=*/{0, 1, 0})
//
// A plain value type; nothing is checked before a catalog takes it.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "segue/status.hpp"

namespace segue {

// kCategory: one of some texts. kSet: any number of some texts. kInteger: 64 bits. kFloat: float64. kDate: seconds
// since 1970-01-01T00:00:00 UTC, years 0001 to 9999.
enum class ColumnType : std::uint8_t { kCategory = 0, kSet = 1, kInteger = 2, kFloat = 3, kBoolean = 4, kDate = 5 };

// "category", "set", "integer", "float", "boolean", "date".
std::string_view to_string(ColumnType type) noexcept;
// An unknown name is kInvalidArgument, with a message that lists the known ones.
Result<ColumnType> parse_column_type(std::string_view name);

struct ColumnSpec {
  std::string name;
  ColumnType type = ColumnType::kInteger;

  bool operator==(const ColumnSpec&) const = default;
};

struct ColumnData {
  std::string name;
  ColumnType type = ColumnType::kInteger;
  // Integers; dates; booleans as 0 and 1; of categories which of `words`; of sets which of `words`, all rows' in one.
  std::vector<std::int64_t> numbers;
  std::vector<double> reals;          // floats; NaN is missing
  std::vector<std::size_t> offsets;   // sets: row i has numbers[offsets[i] .. offsets[i + 1])
  std::vector<std::string> words;     // categories and sets
  std::vector<std::uint8_t> missing;  // empty: none; otherwise one a row, not 0 where the value is missing

  std::size_t rows() const noexcept;
  bool is_missing(std::size_t row) const noexcept;
  // Of a category. Of a set: its words, in no order.
  std::string_view word(std::size_t row) const noexcept { return words[static_cast<std::size_t>(numbers[row])]; }
  std::vector<std::string_view> set(std::size_t row) const;

  using Missing = std::vector<std::uint8_t>;
  static ColumnData categories(std::string name, const std::vector<std::string>& values, Missing missing = {});
  static ColumnData sets(std::string name, const std::vector<std::vector<std::string>>& values, Missing missing = {});
  static ColumnData integers(std::string name, std::vector<std::int64_t> values, Missing missing = {});
  static ColumnData floats(std::string name, std::vector<double> values);
  static ColumnData booleans(std::string name, const std::vector<bool>& values, Missing missing = {});
  static ColumnData dates(std::string name, std::vector<std::int64_t> seconds, Missing missing = {});
};

}  // namespace segue
