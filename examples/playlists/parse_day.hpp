#pragma once
// Days as numbers.

#include <cstdint>
#include <string>
#include <string_view>

#include "segue/status.hpp"

namespace playlists {

inline constexpr std::int64_t kSecondsADay = 86'400;

// "2021-01-01" -> 18628, days since 1970-01-01. kInvalidArgument: another form, or no day of the calendar.
segue::Result<std::int64_t> parse_day(std::string_view text);
// And back.
std::string print_day(std::int64_t day);

}  // namespace playlists
