#pragma once
// Column: one column as a catalog keeps it.
//
//   category   code = number of its word + 1                         0: missing
//   set        code = number of its set + 1; a set is the numbers of its words, ascending, 4 bytes each, as one
//              string of `sets`: equal sets are kept once, and `has` looks at each once, however many rows have it
//   boolean    code = 1 false, 2 true
//   integer, date, float   the values themselves
//
// A change comes in two steps: prepare() may throw and leaves all rows as they were (words, sets and widths may grow);
// write() cannot fail.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catalog/packed_array.hpp"
#include "catalog/string_table.hpp"
#include "segue/column.hpp"

namespace segue {

// A batch of values as the column keeps them.
struct PreparedValues {
  std::vector<std::int64_t> codes;  // or integers
  std::vector<double> reals;
};

struct Column {
  Column(std::string column_name, ColumnType column_type);

  bool has_codes() const noexcept {
    return type == ColumnType::kCategory || type == ColumnType::kSet || type == ColumnType::kBoolean;
  }
  // How many codes there may be, 0 included.
  std::size_t codes() const noexcept;
  std::span<const std::uint32_t> set(std::size_t number) const noexcept {
    const std::string_view bytes = sets[number];
    return {reinterpret_cast<const std::uint32_t*>(bytes.data()), bytes.size() / sizeof(std::uint32_t)};
  }

  // `data` is valid for it; room for `rows` in all.
  PreparedValues prepare(const ColumnData& data, std::size_t rows);
  void write(std::size_t row, const PreparedValues& values, std::size_t i) noexcept;
  // The rows in this order, without words and sets that none of them has.
  Column gathered(std::span<const std::uint32_t> rows) const;
  ColumnData take(std::span<const std::uint32_t> rows) const;
  std::size_t memory_usage() const noexcept;

  std::string name;
  ColumnType type;
  PackedArray values;
  StringTable words;
  StringTable sets;
};

// Names, lengths and ranges of what came for a column of that name and type; no words are looked at.
Status check_column_data(const ColumnData& data, std::size_t rows);

}  // namespace segue
