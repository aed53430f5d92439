#pragma once
// Texts in columns: of a width on the screen, which is neither bytes nor characters.

#include <cstddef>
#include <string>
#include <string_view>

namespace playlists {

// Cells that a terminal gives to UTF-8 text: two for East Asian wide characters, none for marks that sit on another.
std::size_t display_width(std::string_view text);

// Exactly `width` cells: filled with spaces, or cut at a whole character with "…".
std::string fit(std::string_view text, std::size_t width);

// 63413 -> "63,413"
std::string with_commas(std::size_t value);

}  // namespace playlists
