#pragma once
// Comparisons as closed intervals of what a column holds: int64 without the number that stands for missing, or doubles
// without NaN. A literal of the other type is exact: 2.5 has 2 below and 3 above it among the integers, 2^53 + 1 two
// doubles around it.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catalog/compile_filter.hpp"
#include "catalog/packed_array.hpp"

namespace segue {

template <class T>
struct Ends;
template <>
struct Ends<std::int64_t> {
  static constexpr std::int64_t kFirst = kMissingInteger + 1;
  static constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  static std::int64_t before(std::int64_t x) noexcept { return x - 1; }
  static std::int64_t after(std::int64_t x) noexcept { return x + 1; }
};
template <>
struct Ends<double> {
  static constexpr double kFirst = -std::numeric_limits<double>::infinity();
  static constexpr double kLast = std::numeric_limits<double>::infinity();
  static double before(double x) noexcept { return std::nextafter(x, kFirst); }
  static double after(double x) noexcept { return std::nextafter(x, kLast); }
};

// A number among the T: the last not above it and the first not below it, where there are such.
template <class T>
struct Nearest {
  T floor{};
  T ceil{};
  bool has_floor = true;
  bool has_ceil = true;

  bool exact() const noexcept { return has_floor && has_ceil && floor == ceil; }
};

template <class T>
Nearest<T> nearest(std::int64_t number) noexcept {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (number == kMissingInteger) return {Ends<T>::kFirst, Ends<T>::kFirst, false, true};
    return {number, number, true, true};
  } else {
    const double d = static_cast<double>(number);
    // 2^63 itself does not fit back; everything below does.
    constexpr double kTooLarge = 9223372036854775808.0;
    const bool above = d >= kTooLarge || static_cast<std::int64_t>(d) > number;
    const bool below = d < kTooLarge && static_cast<std::int64_t>(d) < number;
    return {above ? Ends<T>::before(d) : d, below ? Ends<T>::after(d) : d, true, true};
  }
}

template <class T>
Nearest<T> nearest(double number) noexcept {
  if constexpr (std::is_same_v<T, double>) {
    return {number, number, true, true};
  } else {
    constexpr double kTooLarge = 9223372036854775808.0;
    if (number >= kTooLarge) return {Ends<T>::kLast, Ends<T>::kLast, true, false};
    if (number <= -kTooLarge) return {Ends<T>::kFirst, Ends<T>::kFirst, false, true};
    return {static_cast<std::int64_t>(std::floor(number)), static_cast<std::int64_t>(std::ceil(number)), true, true};
  }
}

template <class T>
void add_interval(std::vector<Interval<T>>& all, T low, T high) {
  if (low <= high) all.push_back({low, high});
}

template <class T>
std::vector<Interval<T>> compared(Comparison comparison, const Nearest<T>& n) {
  using E = Ends<T>;
  std::vector<Interval<T>> all;
  const bool exact = n.exact();
  // Strictly below, and strictly above; an end of all numbers has nothing beyond it.
  const auto below = [&] {
    if (n.has_floor && !(exact && n.floor == E::kFirst))
      add_interval(all, E::kFirst, exact ? E::before(n.floor) : n.floor);
  };
  const auto above = [&] {
    if (n.has_ceil && !(exact && n.ceil == E::kLast)) add_interval(all, exact ? E::after(n.ceil) : n.ceil, E::kLast);
  };
  switch (comparison) {
    case Comparison::kEqual:
      if (exact) add_interval(all, n.floor, n.floor);
      break;
    case Comparison::kNotEqual:
      below();
      above();
      break;
    case Comparison::kLess:
      below();
      break;
    case Comparison::kGreater:
      above();
      break;
    case Comparison::kLessEqual:
      if (n.has_floor) add_interval(all, E::kFirst, n.floor);
      break;
    case Comparison::kGreaterEqual:
      if (n.has_ceil) add_interval(all, n.ceil, E::kLast);
      break;
  }
  return all;
}

template <class T>
std::vector<Interval<T>> enclosed(const Nearest<T>& low, const Nearest<T>& high) {
  std::vector<Interval<T>> all;
  if (low.has_ceil && high.has_floor) add_interval(all, low.ceil, high.floor);
  return all;
}

template <class T>
std::vector<Interval<T>> listed(const std::vector<Nearest<T>>& numbers) {
  std::vector<T> values;
  for (const Nearest<T>& n : numbers) {
    if (n.exact()) values.push_back(n.floor);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::vector<Interval<T>> all;
  for (const T value : values) {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      // Neighbours are one interval: in (1, 2, 3) is between 1 and 3.
      if (!all.empty() && all.back().high + 1 == value) {
        all.back().high = value;
        continue;
      }
    }
    all.push_back({value, value});
  }
  return all;
}

}  // namespace segue
