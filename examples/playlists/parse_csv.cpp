#include "parse_csv.hpp"

#include <utility>

namespace playlists {
namespace {

// Reads one row and moves `text` past it; false where a quote is never closed.
bool take_row(std::string_view& text, CsvRow& row) {
  row.assign(1, {});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        row.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        row.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      row.emplace_back();
    } else if (c == '\n') {
      text.remove_prefix(i + 1);
      return true;
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  text = {};
  return !quoted;
}

}  // namespace

segue::Result<std::vector<CsvRow>> parse_csv(std::string_view text, const CsvRow& expected_header) {
  CsvRow row;
  if (!take_row(text, row) || row != expected_header) {
    return segue::invalid_argument("the first line is not the header that was expected, which begins with " +
                                   expected_header.front());
  }
  std::vector<CsvRow> rows;
  while (!text.empty()) {
    const std::string line = "row " + std::to_string(rows.size() + 1);
    if (!take_row(text, row)) return segue::invalid_argument(line + " opens a quote and never closes it");
    if (row.size() != expected_header.size()) {
      return segue::invalid_argument(line + " has " + std::to_string(row.size()) + " fields, expected " +
                                     std::to_string(expected_header.size()));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace playlists
