#pragma once
// Dates as text and as seconds since 1970-01-01T00:00:00 UTC, over the years 0001 to 9999.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue {

inline constexpr std::int64_t kFirstDate = -62'135'596'800;  // 0001-01-01
inline constexpr std::int64_t kLastDate = 253'402'300'799;   // 9999-12-31T23:59:59

// 2024-05-01, 2024-05-01T18:30 or 2024-05-01 18:30:05, with or without Z. Nothing else is a date.
std::optional<std::int64_t> parse_date(std::string_view text) noexcept;
// 2024-05-01 at midnight, else 2024-05-01T18:30:05.
std::string print_date(std::int64_t seconds);

}  // namespace segue
