#pragma once
// Random rows, random expressions over them, and the obvious answer: every row looked at by itself, numbers compared as
// long double, which holds every int64 and every double.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "segue/catalog.hpp"
#include "support/file_mutations.hpp"

namespace segue::test {

static_assert(std::numeric_limits<long double>::digits >= 64);

// Nothing: missing.
using Value = std::variant<std::monostate, std::string, std::set<std::string>, std::int64_t, double, bool>;

struct RandomColumn {
  std::string name;
  ColumnType type;
  std::vector<std::int64_t> integers;  // what integers and dates are drawn from
};

struct CatalogModel {
  std::vector<RandomColumn> columns;
  std::map<Id, std::map<std::string, Value>> rows;
};

inline std::vector<RandomColumn> all_kinds_of_columns() {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return {{"genre", ColumnType::kCategory, {}},
          {"market", ColumnType::kSet, {}},
          {"small", ColumnType::kInteger, {-127, -1, 0, 1, 2, 3, 127}},
          {"grows", ColumnType::kInteger, {0, 5, 127, 128, -128, 40'000, -40'000}},
          {"large", ColumnType::kInteger, {-kMost, kMost, 0, (std::int64_t{1} << 53) + 1, std::int64_t{1} << 53, 7}},
          {"score", ColumnType::kFloat, {}},
          {"explicit", ColumnType::kBoolean, {}},
          {"release date", ColumnType::kDate, {0, 86'400, 1'714'521'600, 1'714'588'205, -86'400, -62'135'596'800}}};
}

inline Value random_value(Random& random, const RandomColumn& column) {
  if (random.below(5) == 0) return {};
  constexpr double kReals[] = {0.0, -0.0,  0.5,     1.0,      3.0,       -2.25,
                               0.1, 1e300, -1e-310, INFINITY, -INFINITY, 9007199254740992.0};
  switch (column.type) {
    case ColumnType::kCategory:
      return "g" + std::to_string(random.below(6));
    case ColumnType::kSet: {
      std::set<std::string> set;
      for (std::size_t n = random.below(4); n > 0; --n) set.insert("m" + std::to_string(random.below(5)));
      return set;
    }
    case ColumnType::kFloat:
      return kReals[random.below(std::size(kReals))];
    case ColumnType::kBoolean:
      return random.below(2) == 0;
    default:
      return column.integers[random.below(column.integers.size())];
  }
}

inline ColumnData to_data(const RandomColumn& column, const std::vector<Value>& values) {
  std::vector<std::uint8_t> missing;
  std::vector<std::string> words;
  std::vector<std::vector<std::string>> sets;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  std::vector<bool> booleans;
  for (const Value& value : values) {
    missing.push_back(value.index() == 0);
    const auto* word = std::get_if<std::string>(&value);
    words.push_back(word == nullptr ? "" : *word);
    const auto* set = std::get_if<std::set<std::string>>(&value);
    sets.emplace_back();
    if (set != nullptr) sets.back().assign(set->rbegin(), set->rend());
    const auto* integer = std::get_if<std::int64_t>(&value);
    integers.push_back(integer == nullptr ? std::numeric_limits<std::int64_t>::min() : *integer);
    const auto* real = std::get_if<double>(&value);
    reals.push_back(real == nullptr ? std::nan("") : *real);
    const auto* boolean = std::get_if<bool>(&value);
    booleans.push_back(boolean != nullptr && *boolean);
  }
  switch (column.type) {
    case ColumnType::kCategory:
      return ColumnData::categories(column.name, words, missing);
    case ColumnType::kSet:
      return ColumnData::sets(column.name, sets, missing);
    case ColumnType::kFloat:
      return ColumnData::floats(column.name, reals);
    case ColumnType::kBoolean:
      return ColumnData::booleans(column.name, booleans, missing);
    case ColumnType::kDate:
      return ColumnData::dates(column.name, integers, missing);
    default:
      return ColumnData::integers(column.name, integers, missing);
  }
}

inline Value value_of(const ColumnData& data, std::size_t row) {
  if (data.is_missing(row)) return {};
  switch (data.type) {
    case ColumnType::kCategory:
      return std::string(data.word(row));
    case ColumnType::kSet: {
      std::set<std::string> set;
      for (const std::string_view word : data.set(row)) set.emplace(word);
      return set;
    }
    case ColumnType::kFloat:
      return data.reals[row];
    case ColumnType::kBoolean:
      return data.numbers[row] != 0;
    default:
      return data.numbers[row];
  }
}

// The dates of all_kinds_of_columns and their neighbours, as text.
inline const std::vector<std::pair<std::string, std::int64_t>>& date_texts() {
  static const std::vector<std::pair<std::string, std::int64_t>> kTexts = {{"1970-01-01", 0},
                                                                           {"1970-01-02", 86'400},
                                                                           {"1970-01-01T12:00", 43'200},
                                                                           {"2024-05-01", 1'714'521'600},
                                                                           {"2024-05-01T18:30:05", 1'714'588'205},
                                                                           {"1969-12-31", -86'400},
                                                                           {"2024-05-01T18:30:06", 1'714'588'206},
                                                                           {"0001-01-01", -62'135'596'800},
                                                                           {"9999-12-31T23:59:59", 253'402'300'799}};
  return kTexts;
}

inline Literal random_literal(Random& random, const RandomColumn& column) {
  switch (column.type) {
    case ColumnType::kCategory:
      return "g" + std::to_string(random.below(8));
    case ColumnType::kSet:
      return "m" + std::to_string(random.below(7));
    case ColumnType::kBoolean:
      return random.below(2) == 0;
    case ColumnType::kDate:
      return date_texts()[random.below(date_texts().size())].first;
    default:
      break;
  }
  constexpr double kReals[] = {0.0,
                               -0.0,
                               0.5,
                               2.5,
                               -1.5,
                               0.1,
                               127.5,
                               1e300,
                               -1e300,
                               INFINITY,
                               -INFINITY,
                               1e-320,
                               9223372036854775808.0,
                               -9223372036854775808.0,
                               9007199254740992.0,
                               9007199254740994.0};
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kIntegers[] = {0,
                                        1,
                                        -1,
                                        3,
                                        127,
                                        128,
                                        -127,
                                        -128,
                                        40'000,
                                        kMost,
                                        kMost - 1,
                                        -kMost,
                                        -kMost - 1,
                                        (std::int64_t{1} << 53) + 1,
                                        std::int64_t{1} << 53};
  if (random.below(2) == 0) return kReals[random.below(std::size(kReals))];
  return kIntegers[random.below(std::size(kIntegers))];
}

inline Expression random_leaf(Random& random, const std::vector<RandomColumn>& columns) {
  const RandomColumn& column = columns[random.below(columns.size())];
  const Field name(column.name);
  const auto literal = [&] { return random_literal(random, column); };
  if (random.below(8) == 0) return name.is_missing();
  if (column.type == ColumnType::kSet && random.below(2) == 0) return name.contains(literal());
  const std::size_t form = column.type == ColumnType::kSet       ? 2
                           : column.type == ColumnType::kBoolean ? 0
                                                                 : random.below(3);
  const bool ordered = column.type != ColumnType::kCategory && column.type != ColumnType::kBoolean;
  if (form == 0 || (form == 1 && !ordered)) {
    return name.compare(static_cast<Comparison>(random.below(ordered ? 6 : 2)), literal());
  }
  if (form == 1) return name.between(literal(), literal());
  std::vector<Literal> values;
  for (std::size_t n = random.below(9); n > 0; --n) values.push_back(literal());
  return name.isin(std::move(values));
}

inline Expression random_expression(Random& random, const std::vector<RandomColumn>& columns, std::size_t depth = 4) {
  if (depth == 0 || random.below(4) == 0) return random_leaf(random, columns);
  const Expression a = random_expression(random, columns, depth - 1);
  const std::size_t form = random.below(5);
  if (form == 0) return ~a;
  const Expression b = random_expression(random, columns, depth - 1);
  return form < 3 ? a & b : a | b;
}

inline bool compares(Comparison comparison, long double a, long double b) {
  switch (comparison) {
    case Comparison::kEqual:
      return a == b;
    case Comparison::kNotEqual:
      return a != b;
    case Comparison::kLess:
      return a < b;
    case Comparison::kLessEqual:
      return a <= b;
    case Comparison::kGreater:
      return a > b;
    case Comparison::kGreaterEqual:
      return a >= b;
  }
  return false;
}

inline long double number_of(const Literal& literal) {
  if (const auto* integer = std::get_if<std::int64_t>(&literal.value())) return static_cast<long double>(*integer);
  if (const auto* real = std::get_if<double>(&literal.value())) return *real;
  for (const auto& [text, seconds] : date_texts()) {
    if (text == std::get<std::string>(literal.value())) return static_cast<long double>(seconds);
  }
  ADD_FAILURE() << literal.to_string();
  return 0;
}

// What the documentation says, row by row.
inline bool matches(const ExpressionNode& node, const std::map<std::string, Value>& row) {
  using Kind = ExpressionNode::Kind;
  if (node.kind == Kind::kNot) return !matches(*node.children[0], row);
  if (node.kind == Kind::kAnd || node.kind == Kind::kOr) {
    for (const auto& child : node.children) {
      if (matches(*child, row) != (node.kind == Kind::kAnd)) return node.kind == Kind::kOr;
    }
    return node.kind == Kind::kAnd;
  }
  const auto place = row.find(node.column);
  const Value value = place == row.end() ? Value{} : place->second;
  if (node.kind == Kind::kIsMissing) return value.index() == 0;
  if (value.index() == 0) return false;
  const auto equals = [&](const Literal& literal) {
    if (const auto* word = std::get_if<std::string>(&value)) return *word == std::get<std::string>(literal.value());
    if (const auto* boolean = std::get_if<bool>(&value)) return *boolean == std::get<bool>(literal.value());
    const long double number = std::holds_alternative<double>(value)
                                   ? std::get<double>(value)
                                   : static_cast<long double>(std::get<std::int64_t>(value));
    return number == number_of(literal);
  };
  if (const auto* set = std::get_if<std::set<std::string>>(&value)) {
    return std::any_of(node.literals.begin(), node.literals.end(),
                       [&](const Literal& literal) { return set->count(std::get<std::string>(literal.value())) != 0; });
  }
  if (node.kind == Kind::kIsIn) return std::any_of(node.literals.begin(), node.literals.end(), equals);
  if (node.kind == Kind::kCompare && node.comparison == Comparison::kEqual) return equals(node.literals[0]);
  if (node.kind == Kind::kCompare && node.comparison == Comparison::kNotEqual) return !equals(node.literals[0]);
  const long double number = std::holds_alternative<double>(value)
                                 ? std::get<double>(value)
                                 : static_cast<long double>(std::get<std::int64_t>(value));
  if (node.kind == Kind::kBetween) {
    return number >= number_of(node.literals[0]) && number <= number_of(node.literals[1]);
  }
  return compares(node.comparison, number, number_of(node.literals[0]));
}

inline std::vector<Id> matching(const CatalogModel& model, const Expression& expression) {
  std::vector<Id> ids;
  for (const auto& [id, row] : model.rows) {
    if (matches(expression.node(), row)) ids.push_back(id);
  }
  return ids;
}

// Random values of `columns` for these ids, put into the model too; `columns` may be some of the model's.
inline std::vector<ColumnData> random_rows(Random& random, CatalogModel& model,
                                           const std::vector<RandomColumn>& columns, const std::vector<Id>& ids) {
  std::vector<ColumnData> data;
  for (const Id id : ids) model.rows.try_emplace(id);
  for (const RandomColumn& column : columns) {
    std::vector<Value> values;
    for (const Id id : ids) {
      values.push_back(random_value(random, column));
      model.rows[id][column.name] = values.back();
    }
    data.push_back(to_data(column, values));
  }
  return data;
}

}  // namespace segue::test
