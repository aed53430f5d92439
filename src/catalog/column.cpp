#include "catalog/column.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "catalog/dates.hpp"

namespace segue {
namespace {

Packing narrowest(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::kInteger:
    case ColumnType::kDate:
      return Packing::kI8;
    case ColumnType::kFloat:
      return Packing::kF32;
    default:
      return Packing::kU8;
  }
}

std::string_view as_bytes(const std::vector<std::uint32_t>& words) noexcept {
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint32_t)};
}

std::string place(const ColumnData& data, std::size_t row) {
  return "column '" + data.name + "', row " + std::to_string(row) + ": ";
}

}  // namespace

Column::Column(std::string column_name, ColumnType column_type)
    : name(std::move(column_name)), type(column_type), values(narrowest(column_type)) {}

std::size_t Column::codes() const noexcept {
  if (type == ColumnType::kBoolean) return 3;
  return (type == ColumnType::kSet ? sets.size() : words.size()) + 1;
}

PreparedValues Column::prepare(const ColumnData& data, std::size_t rows) {
  PreparedValues out;
  if (type == ColumnType::kFloat) {
    out.reals = data.reals;
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
      if (data.is_missing(i)) out.reals[i] = missing_of<double>();
    }
    values.prepare(rows, std::span<const double>(out.reals));
    return out;
  }
  // What a word is called here, looked up once each and only if a row has it.
  std::vector<std::uint32_t> known(data.words.size(), kNoString);
  const auto word = [&](std::int64_t number) {
    std::uint32_t& here = known[static_cast<std::size_t>(number)];
    if (here == kNoString) here = words.find_or_append(data.words[static_cast<std::size_t>(number)]);
    return here;
  };
  out.codes.resize(data.rows());
  std::vector<std::uint32_t> set;
  for (std::size_t i = 0; i < out.codes.size(); ++i) {
    std::int64_t& code = out.codes[i];
    if (data.is_missing(i)) {
      code = has_codes() ? 0 : kMissingInteger;
    } else if (type == ColumnType::kSet) {
      set.clear();
      for (std::size_t at = data.offsets[i]; at < data.offsets[i + 1]; ++at) set.push_back(word(data.numbers[at]));
      std::sort(set.begin(), set.end());
      set.erase(std::unique(set.begin(), set.end()), set.end());
      code = std::int64_t{sets.find_or_append(as_bytes(set))} + 1;
    } else if (type == ColumnType::kCategory) {
      code = std::int64_t{word(data.numbers[i])} + 1;
    } else {
      code = type == ColumnType::kBoolean ? (data.numbers[i] != 0 ? 2 : 1) : data.numbers[i];
    }
  }
  values.prepare(rows, std::span<const std::int64_t>(out.codes));
  return out;
}

void Column::write(std::size_t row, const PreparedValues& prepared, std::size_t i) noexcept {
  if (type == ColumnType::kFloat)
    values.set(row, prepared.reals[i]);
  else
    values.set(row, prepared.codes[i]);
}

Column Column::gathered(std::span<const std::uint32_t> rows) const {
  Column out(name, type);
  if (type != ColumnType::kCategory && type != ColumnType::kSet) {
    out.values = values.gathered(rows);
    return out;
  }
  const ColumnData data = take(rows);
  const PreparedValues prepared = out.prepare(data, rows.size());
  out.values.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) out.write(i, prepared, i);
  return out;
}

ColumnData Column::take(std::span<const std::uint32_t> rows) const {
  ColumnData out;
  out.name = name;
  out.type = type;
  if (type == ColumnType::kFloat) {
    for (const std::uint32_t row : rows) out.reals.push_back(values.real(row));
    return out;
  }
  std::unordered_map<std::uint32_t, std::int64_t> known;
  const auto word = [&](std::uint32_t number) {
    const auto [place, fresh] = known.try_emplace(number, static_cast<std::int64_t>(out.words.size()));
    if (fresh) out.words.emplace_back(words[number]);
    return place->second;
  };
  if (type == ColumnType::kSet) out.offsets.push_back(0);
  out.missing.assign(rows.size(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t code = values.integer(rows[i]);
    const bool is_missing = has_codes() ? code == 0 : code == kMissingInteger;
    out.missing[i] = is_missing ? 1 : 0;
    if (type == ColumnType::kSet) {
      if (!is_missing) {
        for (const std::uint32_t number : set(static_cast<std::size_t>(code) - 1)) out.numbers.push_back(word(number));
      }
      out.offsets.push_back(out.numbers.size());
    } else if (is_missing) {
      out.numbers.push_back(0);
    } else if (type == ColumnType::kCategory) {
      out.numbers.push_back(word(static_cast<std::uint32_t>(code - 1)));
    } else {
      out.numbers.push_back(type == ColumnType::kBoolean ? code - 1 : code);
    }
  }
  if (std::find(out.missing.begin(), out.missing.end(), 1) == out.missing.end()) out.missing.clear();
  return out;
}

std::size_t Column::memory_usage() const noexcept {
  return values.bytes().memory_usage() + words.memory_usage() + sets.memory_usage();
}

Status check_column_data(const ColumnData& data, std::size_t rows) {
  const std::string column = "column '" + data.name + "'";
  if (data.rows() != rows) {
    return invalid_argument(column + " has " + std::to_string(data.rows()) + " rows, expected " + std::to_string(rows) +
                            ", as many as the others and the ids or keys");
  }
  if (!data.missing.empty() && data.missing.size() != rows) {
    return invalid_argument(column + ": missing has " + std::to_string(data.missing.size()) + " entries, expected " +
                            std::to_string(rows) + " or none");
  }
  const auto check_word = [&](std::size_t row, std::int64_t number) -> Status {
    if (number >= 0 && static_cast<std::uint64_t>(number) < data.words.size()) return {};
    return invalid_argument(place(data, row) + "word " + std::to_string(number) + " of " +
                            std::to_string(data.words.size()));
  };
  for (std::size_t i = 0; i + 1 < data.offsets.size(); ++i) {
    if (data.offsets[i] > data.offsets[i + 1] || data.offsets[i + 1] > data.numbers.size()) {
      return invalid_argument(column + ": the offsets of its sets do not ascend to at most " +
                              std::to_string(data.numbers.size()));
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    if (data.is_missing(i) || data.type == ColumnType::kFloat || data.type == ColumnType::kBoolean) continue;
    if (data.type == ColumnType::kSet) {
      for (std::size_t at = data.offsets[i]; at < data.offsets[i + 1]; ++at) {
        SEGUE_RETURN_IF_ERROR(check_word(i, data.numbers[at]));
      }
      continue;
    }
    const std::int64_t number = data.numbers[i];
    if (data.type == ColumnType::kCategory) SEGUE_RETURN_IF_ERROR(check_word(i, number));
    if (data.type == ColumnType::kInteger && number == kMissingInteger) {
      return invalid_argument(place(data, i) + "-2^63 stands for a missing value; the smallest integer is one above");
    }
    if (data.type == ColumnType::kDate && (number < kFirstDate || number > kLastDate)) {
      return invalid_argument(place(data, i) + std::to_string(number) +
                              " seconds are no date of the years 0001 to 9999");
    }
  }
  return {};
}

}  // namespace segue
