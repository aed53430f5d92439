#include "catalog/dates.hpp"

#include <chrono>
#include <cstdio>

namespace segue {
namespace {

using namespace std::chrono;

// `digits` digits from `at` on, and moves `at` past them.
std::optional<unsigned> number(std::string_view text, std::size_t& at, std::size_t digits) noexcept {
  unsigned value = 0;
  if (text.size() < at + digits) return std::nullopt;
  for (const std::size_t end = at + digits; at < end; ++at) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[at] - '0');
  }
  return value;
}

bool take(std::string_view text, std::size_t& at, char c) noexcept {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto y = number(text, at, 4);
  if (!y || *y == 0 || !take(text, at, '-')) return std::nullopt;
  const auto m = number(text, at, 2);
  if (!m || !take(text, at, '-')) return std::nullopt;
  const auto d = number(text, at, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year(static_cast<int>(*y)), month(*m), day(*d)};
  if (!date.ok()) return std::nullopt;
  std::int64_t result = std::int64_t{86'400} * sys_days(date).time_since_epoch().count();
  if (at == text.size()) return result;

  if (!take(text, at, 'T') && !take(text, at, ' ')) return std::nullopt;
  const auto hour = number(text, at, 2);
  if (!hour || *hour > 23 || !take(text, at, ':')) return std::nullopt;
  const auto minute = number(text, at, 2);
  if (!minute || *minute > 59) return std::nullopt;
  result += *hour * 3600 + *minute * 60;
  if (take(text, at, ':')) {
    const auto second = number(text, at, 2);
    if (!second || *second > 59) return std::nullopt;
    result += *second;
  }
  take(text, at, 'Z');
  if (at != text.size()) return std::nullopt;
  return result;
}

std::string print_date(std::int64_t value) {
  const sys_seconds when{seconds(value)};
  const sys_days midnight = floor<days>(when);
  const year_month_day date(midnight);
  const auto of_day = (when - midnight).count();
  char text[64];
  int size = std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (of_day != 0) {
    size += std::snprintf(text + size, sizeof(text) - static_cast<std::size_t>(size), "T%02d:%02d:%02d",
                          static_cast<int>(of_day / 3600), static_cast<int>(of_day / 60 % 60),
                          static_cast<int>(of_day % 60));
  }
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace segue
