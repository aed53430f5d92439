#pragma once
// The words of an expression's text, one after the other.

#include <cstddef>
#include <string>
#include <string_view>

#include "segue/expression.hpp"

namespace segue {

struct Token {
  enum class Kind : std::uint8_t { kEnd, kName, kQuotedName, kNumber, kText, kSign, kBad };

  Kind kind = Kind::kEnd;
  std::size_t begin = 0;  // bytes of the text
  std::size_t end = 0;
  std::string text;         // kText, kQuotedName: without quotes; kSign: "(", "<=" ...; kBad: what is wrong with it
  Literal literal = false;  // kNumber

  bool is_sign(std::string_view sign) const noexcept { return kind == Kind::kSign && text == sign; }
  bool is_keyword(std::string_view word) const noexcept;
};

// The word at or after `from`.
Token next_token(std::string_view text, std::size_t from);

// "at character 12: found 'x', expected a literal" with the line below and a caret under the place.
std::string describe_place(std::string_view text, std::size_t at, std::string_view what);

}  // namespace segue
