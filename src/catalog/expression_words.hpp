#pragma once
// The key words of expressions, and what a name may look like without back quotes.

#include <algorithm>
#include <array>
#include <string_view>

namespace segue {

inline constexpr std::array<std::string_view, 13> kExpressionWords = {
    "and", "between", "contains", "false", "has", "in", "inf", "is", "missing", "nan", "not", "or", "true"};

constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Whether `text` is that word in any case; `word` is in lower case.
inline bool is_word(std::string_view text, std::string_view word) noexcept {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) { return lower(a) == b; });
}

// Letters, digits, _ and . after a letter or _, and no key word.
inline bool is_plain_name(std::string_view name) noexcept {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '.'; };
  if (name.empty() || !is_letter(name.front()) || !std::all_of(name.begin(), name.end(), fits)) return false;
  return std::none_of(kExpressionWords.begin(), kExpressionWords.end(),
                      [&](std::string_view word) { return is_word(name, word); });
}

}  // namespace segue
