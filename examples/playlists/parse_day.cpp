#include "parse_day.hpp"

#include <chrono>
#include <cstdio>

namespace playlists {
namespace {

// The digits of a fixed place, or -1.
int parse_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

segue::Result<std::int64_t> parse_day(std::string_view text) {
  namespace time = std::chrono;
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    const int year = parse_digits(text.substr(0, 4));
    const int month = parse_digits(text.substr(5, 2));
    const int day = parse_digits(text.substr(8, 2));
    if (year >= 0 && month >= 0 && day >= 0) {
      const time::year_month_day date(time::year(year), time::month(static_cast<unsigned>(month)),
                                      time::day(static_cast<unsigned>(day)));
      if (date.ok()) return std::int64_t{time::sys_days(date).time_since_epoch().count()};
    }
  }
  return segue::invalid_argument("expected a day like 2021-01-31, got \"" + std::string(text) + "\"");
}

std::string print_day(std::int64_t day) {
  namespace time = std::chrono;
  const time::year_month_day date{time::sys_days(time::days(day))};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

}  // namespace playlists
