#pragma once
// CSV as in RFC 4180: fields between commas, quoted where they hold a comma, a quote (doubled) or a line end.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "segue/status.hpp"

namespace playlists {

using CsvRow = std::vector<std::string>;

// The rows after the header. kInvalidArgument: another header than the expected one, a row with more or fewer fields
// (the line is named), a quote that is never closed.
segue::Result<std::vector<CsvRow>> parse_csv(std::string_view text, const CsvRow& expected_header);

}  // namespace playlists
