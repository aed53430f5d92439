// What must hold of a catalog, whether it comes from a file or from changes.

#include <algorithm>
#include <string>

#include "catalog/catalog_body.hpp"
#include "catalog/dates.hpp"

namespace segue {
namespace {

Status wrong(const Column& column, const std::string& what) {
  return corrupt_file("column '" + column.name + "': " + what);
}

Status validate_strings(const Column& column, const StringTable& strings, std::string_view what) {
  for (std::size_t i = 0; i < strings.size(); ++i) {
    if (strings.find(strings[i]) != i)
      return wrong(column, std::string(what) + " " + std::to_string(i) + " is there twice");
  }
  return {};
}

Status validate_sets(const Column& column) {
  for (std::size_t i = 0; i < column.sets.size(); ++i) {
    const std::span<const std::uint32_t> set = column.set(i);
    for (std::size_t w = 0; w < set.size(); ++w) {
      if (set[w] >= column.words.size() || (w != 0 && set[w] <= set[w - 1])) {
        return wrong(column, "the words of set " + std::to_string(i) + " do not ascend, or are not all there");
      }
    }
  }
  return {};
}

Status validate_values(const Column& column) {
  if (column.type == ColumnType::kFloat || column.type == ColumnType::kInteger) return {};
  const std::size_t rows = column.values.size();
  const auto codes = static_cast<std::int64_t>(column.codes());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t value = column.values.integer(row);
    const bool date_is_wrong = value != kMissingInteger && (value < kFirstDate || value > kLastDate);
    if (column.has_codes() ? value >= codes : date_is_wrong) {
      return wrong(column,
                   "row " + std::to_string(row) + " holds " + std::to_string(value) + ", which stands for nothing");
    }
  }
  return {};
}

}  // namespace

Status validate_column(const Column& column, std::size_t rows) {
  if (column.values.size() != rows) return wrong(column, "it has another number of rows than the catalog");
  SEGUE_RETURN_IF_ERROR(validate_strings(column, column.words, "word"));
  SEGUE_RETURN_IF_ERROR(validate_strings(column, column.sets, "set"));
  SEGUE_RETURN_IF_ERROR(validate_sets(column));
  return validate_values(column);
}

Status Catalog::Body::validate_keys() const {
  if (keys.size() != (has_keys ? rows() : 0)) return corrupt_file("there are more, or fewer, keys than rows");
  for (std::size_t row = 0; row < keys.size(); ++row) {
    if (is_there(row) && keys.find(keys[row]) != row) {
      return corrupt_file("the key of row " + std::to_string(row) + " is there twice");
    }
  }
  return {};
}

Status Catalog::Body::validate() const {
  for (const Column& column : columns) SEGUE_RETURN_IF_ERROR(validate_column(column, rows()));
  SEGUE_RETURN_IF_ERROR(ids.validate());
  SEGUE_RETURN_IF_ERROR(validate_keys());
  for (const Id id : ids.id_array()) {
    if (id >= next_id && id != std::numeric_limits<Id>::max()) return corrupt_file("the next free id is not free");
  }
  return {};
}

}  // namespace segue
