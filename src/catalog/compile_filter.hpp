#pragma once
// CompiledFilter: an expression against the columns of one catalog: names found, types checked, texts looked up.
//
// What a comparison asks of a column is put so that a scan has little to do: of codes, which of them are wanted (a byte
// a code); of integers, dates and floats, in which closed intervals values may lie. `x < 5` of integers is [-2^63 + 1,
// 4], of floats [-inf, the last before 5]; a list is an interval a value. Missing values lie in no interval, and their
// code is never wanted, so they match nothing without being asked for.
//
// A plan borrows the columns and holds as long as they do not change.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/column.hpp"
#include "segue/expression.hpp"

namespace segue {

template <class T>
struct Interval {
  T low;
  T high;
};

struct CompiledFilter {
  enum class Kind : std::uint8_t { kCodes, kIntegers, kReals, kMissing, kAnd, kOr, kNot };

  Kind kind = Kind::kCodes;
  const Column* column = nullptr;
  std::vector<std::uint8_t> wanted;              // kCodes
  std::vector<Interval<std::int64_t>> integers;  // ascending, apart; so are reals
  std::vector<Interval<double>> reals;
  std::vector<CompiledFilter> children;

  bool matches(std::size_t row) const noexcept;
};

// kInvalidArgument lists the columns, or what the column's type takes.
Result<CompiledFilter> compile_filter(const ExpressionNode& node, std::span<const Column> columns);

// "duration (integer), market (set)", for messages.
std::string list_columns(std::span<const Column> columns);
const Column* find_column(std::span<const Column> columns, std::string_view name) noexcept;
Status no_such_column(std::span<const Column> columns, std::string_view name);

}  // namespace segue
