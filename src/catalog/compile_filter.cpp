#include "catalog/compile_filter.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "catalog/dates.hpp"
#include "catalog/intervals.hpp"

namespace segue {
namespace {

using NodeKind = ExpressionNode::Kind;
using PlanKind = CompiledFilter::Kind;

std::string_view article_of(ColumnType type) { return type == ColumnType::kInteger ? "an " : "a "; }

Status mismatch(const Column& column, const ExpressionNode& node) {
  std::string_view takes;
  switch (column.type) {
    case ColumnType::kCategory:
      takes = "=, !=, in and is missing, with texts";
      break;
    case ColumnType::kSet:
      takes = "has, in (any of the texts is in the set) and is missing, with texts";
      break;
    case ColumnType::kBoolean:
      takes = "=, != and is missing, with true or false";
      break;
    case ColumnType::kDate:
      takes = "=, !=, <, <=, >, >=, between, in and is missing, with dates like '2024-05-01' or '2024-05-01T18:30:00'";
      break;
    default:
      takes = "=, !=, <, <=, >, >=, between, in and is missing, with numbers";
      break;
  }
  return invalid_argument("column '" + column.name + "' is " + std::string(article_of(column.type)) +
                          std::string(to_string(column.type)) + ": it takes " + std::string(takes) +
                          "; what came is: " + Expression(node).to_string());
}

CompiledFilter leaf(PlanKind kind, const Column& column) {
  CompiledFilter plan;
  plan.kind = kind;
  plan.column = &column;
  return plan;
}

CompiledFilter codes_plan(const Column& column) {
  CompiledFilter plan = leaf(PlanKind::kCodes, column);
  plan.wanted.assign(column.codes(), 0);
  return plan;
}

// = and in want the texts; != all others.
Result<CompiledFilter> plan_category(const Column& column, const ExpressionNode& node) {
  const bool inverted = node.kind == NodeKind::kCompare && node.comparison == Comparison::kNotEqual;
  const bool equals = node.kind == NodeKind::kCompare && node.comparison == Comparison::kEqual;
  if (!inverted && !equals && node.kind != NodeKind::kIsIn) return mismatch(column, node);
  CompiledFilter plan = codes_plan(column);
  if (inverted) std::fill(plan.wanted.begin() + 1, plan.wanted.end(), std::uint8_t{1});
  for (const Literal& literal : node.literals) {
    const auto* text = std::get_if<std::string>(&literal.value());
    if (text == nullptr) return mismatch(column, node);
    const std::uint32_t word = column.words.find(*text);
    if (word != kNoString) plan.wanted[word + std::size_t{1}] = inverted ? 0 : 1;
  }
  return plan;
}

Result<CompiledFilter> plan_boolean(const Column& column, const ExpressionNode& node) {
  const bool inverted = node.kind == NodeKind::kCompare && node.comparison == Comparison::kNotEqual;
  const bool equals = node.kind == NodeKind::kCompare && node.comparison == Comparison::kEqual;
  const bool* value = inverted || equals ? std::get_if<bool>(&node.literals.front().value()) : nullptr;
  if (value == nullptr) return mismatch(column, node);
  CompiledFilter plan = codes_plan(column);
  plan.wanted[*value != inverted ? 2 : 1] = 1;
  return plan;
}

// Sets of tags are short: looking at all of one is faster than to halve it, which the processor cannot foresee.
bool holds(std::span<const std::uint32_t> set, std::uint32_t word) noexcept {
  constexpr std::size_t kShort = 32;
  if (set.size() > kShort) return std::binary_search(set.begin(), set.end(), word);
  unsigned found = 0;
  for (const std::uint32_t w : set) found |= static_cast<unsigned>(w == word);
  return found != 0;
}

bool holds_any(std::span<const std::uint32_t> set, const std::vector<std::uint8_t>& listed) noexcept {
  return std::any_of(set.begin(), set.end(), [&](std::uint32_t word) { return listed[word] != 0; });
}

// has wants the sets that hold the text; in those that hold any of the texts, in one pass over all sets however many
// texts there are, by a byte a word.
Result<CompiledFilter> plan_set(const Column& column, const ExpressionNode& node) {
  if (node.kind != NodeKind::kContains && node.kind != NodeKind::kIsIn) return mismatch(column, node);
  std::vector<std::uint32_t> words;
  for (const Literal& literal : node.literals) {
    const auto* text = std::get_if<std::string>(&literal.value());
    if (text == nullptr) return mismatch(column, node);
    const std::uint32_t word = column.words.find(*text);
    if (word != kNoString) words.push_back(word);
  }
  CompiledFilter plan = codes_plan(column);
  if (words.empty()) return plan;
  const std::span<std::uint8_t> wanted = std::span(plan.wanted).subspan(1);  // without the missing one's
  if (words.size() == 1) {
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = holds(column.set(i), words.front()) ? 1 : 0;
    return plan;
  }
  std::vector<std::uint8_t> listed(column.words.size());
  for (const std::uint32_t word : words) listed[word] = 1;
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = holds_any(column.set(i), listed) ? 1 : 0;
  return plan;
}

// The number that a literal of a numeric column is, as far as the column's own type can say it.
template <class T>
Result<Nearest<T>> number_of(const Column& column, const ExpressionNode& node, const Literal& literal) {
  if (column.type == ColumnType::kDate) {
    const auto* text = std::get_if<std::string>(&literal.value());
    const std::optional<std::int64_t> date = text == nullptr ? std::nullopt : parse_date(*text);
    if (!date) return mismatch(column, node);
    return nearest<T>(*date);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&literal.value())) return nearest<T>(*integer);
  const auto* real = std::get_if<double>(&literal.value());
  if (real == nullptr) return mismatch(column, node);
  if (std::isnan(*real)) {
    return invalid_argument("column '" + column.name +
                            "' is compared with NaN, which nothing is equal to, below or above; "
                            "to ask for missing values write: " +
                            Field(column.name).is_missing().to_string());
  }
  return nearest<T>(*real);
}

template <class T>
Result<std::vector<Interval<T>>> intervals_of(const Column& column, const ExpressionNode& node) {
  if (node.kind == NodeKind::kContains) return mismatch(column, node);
  std::vector<Nearest<T>> numbers;
  for (const Literal& literal : node.literals) {
    const Result<Nearest<T>> number = number_of<T>(column, node, literal);
    if (!number.ok()) return number.status();
    numbers.push_back(*number);
  }
  if (node.kind == NodeKind::kCompare) return compared(node.comparison, numbers.front());
  if (node.kind == NodeKind::kBetween) return enclosed(numbers.front(), numbers.back());
  return listed(numbers);
}

Result<CompiledFilter> plan_number(const Column& column, const ExpressionNode& node) {
  if (column.type == ColumnType::kFloat) {
    Result<std::vector<Interval<double>>> intervals = intervals_of<double>(column, node);
    if (!intervals.ok()) return intervals.status();
    CompiledFilter plan = leaf(PlanKind::kReals, column);
    plan.reals = std::move(intervals).value();
    return plan;
  }
  Result<std::vector<Interval<std::int64_t>>> intervals = intervals_of<std::int64_t>(column, node);
  if (!intervals.ok()) return intervals.status();
  CompiledFilter plan = leaf(PlanKind::kIntegers, column);
  plan.integers = std::move(intervals).value();
  return plan;
}

CompiledFilter plan_missing(const Column& column) {
  if (!column.has_codes()) return leaf(PlanKind::kMissing, column);
  CompiledFilter plan = codes_plan(column);
  plan.wanted[0] = 1;
  return plan;
}

template <class T>
bool lies_in(const std::vector<Interval<T>>& intervals, T value) noexcept {
  return std::any_of(intervals.begin(), intervals.end(),
                     [value](const Interval<T>& i) { return value >= i.low && value <= i.high; });
}

}  // namespace

const Column* find_column(std::span<const Column> columns, std::string_view name) noexcept {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string list_columns(std::span<const Column> columns) {
  if (columns.empty()) return "none";
  std::string text;
  for (const Column& column : columns) {
    if (!text.empty()) text += ", ";
    text += column.name + " (" + std::string(to_string(column.type)) + ")";
  }
  return text;
}

Status no_such_column(std::span<const Column> columns, std::string_view name) {
  return invalid_argument("there is no column '" + std::string(name) + "'; there are: " + list_columns(columns));
}

Result<CompiledFilter> compile_filter(const ExpressionNode& node, std::span<const Column> columns) {
  if (node.kind == NodeKind::kAnd || node.kind == NodeKind::kOr || node.kind == NodeKind::kNot) {
    CompiledFilter plan;
    plan.kind = node.kind == NodeKind::kAnd  ? PlanKind::kAnd
                : node.kind == NodeKind::kOr ? PlanKind::kOr
                                             : PlanKind::kNot;
    for (const auto& child : node.children) {
      Result<CompiledFilter> planned = compile_filter(*child, columns);
      if (!planned.ok()) return planned.status();
      plan.children.push_back(std::move(planned).value());
    }
    return plan;
  }
  const Column* column = find_column(columns, node.column);
  if (column == nullptr) return no_such_column(columns, node.column);
  if (node.kind == NodeKind::kIsMissing) return plan_missing(*column);
  switch (column->type) {
    case ColumnType::kCategory:
      return plan_category(*column, node);
    case ColumnType::kSet:
      return plan_set(*column, node);
    case ColumnType::kBoolean:
      return plan_boolean(*column, node);
    default:
      return plan_number(*column, node);
  }
}

bool CompiledFilter::matches(std::size_t row) const noexcept {
  const auto child = [row](const CompiledFilter& plan) { return plan.matches(row); };
  switch (kind) {
    case Kind::kCodes:
      return wanted[static_cast<std::size_t>(column->values.integer(row))] != 0;
    case Kind::kIntegers:
      return lies_in(integers, column->values.integer(row));
    case Kind::kReals:
      return lies_in(reals, column->values.real(row));
    case Kind::kMissing:
      return column->type == ColumnType::kFloat ? std::isnan(column->values.real(row))
                                                : column->values.integer(row) == kMissingInteger;
    case Kind::kAnd:
      return std::all_of(children.begin(), children.end(), child);
    case Kind::kOr:
      return std::any_of(children.begin(), children.end(), child);
    case Kind::kNot:
      return !children.front().matches(row);
  }
  return false;
}

}  // namespace segue
