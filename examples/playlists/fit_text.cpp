#include "fit_text.hpp"

#include <cstdint>

namespace playlists {
namespace {

struct Character {
  std::uint32_t code;
  std::size_t bytes;
};

// The first character; a byte that begins none counts as one by itself.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  const std::size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  std::uint32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(i) & 0x3fU);
  return {code, bytes};
}

bool is_between(std::uint32_t code, std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; }

// The blocks that occur in titles of music, not all of Unicode's tables.
std::size_t width_of(std::uint32_t code) {
  if (is_between(code, 0x300, 0x36f) || is_between(code, 0x200b, 0x200f) || is_between(code, 0xfe00, 0xfe0f) ||
      is_between(code, 0x0e34, 0x0e3a) || is_between(code, 0x0e47, 0x0e4e) || code == 0x0e31) {
    return 0;
  }
  if (is_between(code, 0x1100, 0x115f) || is_between(code, 0x2e80, 0xa4cf) || is_between(code, 0xac00, 0xd7a3) ||
      is_between(code, 0xf900, 0xfaff) || is_between(code, 0xfe30, 0xfe6f) || is_between(code, 0xff00, 0xff60) ||
      is_between(code, 0xffe0, 0xffe6) || is_between(code, 0x1f300, 0x1faff) || is_between(code, 0x20000, 0x3fffd)) {
    return 2;
  }
  return 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    width += width_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string fit(std::string_view text, std::size_t width) {
  const std::size_t whole = display_width(text);
  if (whole <= width) return std::string(text) + std::string(width - whole, ' ');
  std::string cut;
  std::size_t used = 0;
  for (;;) {
    const Character c = first_character(text);
    if (used + width_of(c.code) + 1 > width) break;
    used += width_of(c.code);
    cut += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return cut + "…" + std::string(width - used - 1, ' ');
}

std::string with_commas(std::size_t value) {
  std::string text = std::to_string(value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

}  // namespace playlists
