#include "catalog/expression_lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "catalog/expression_words.hpp"

namespace segue {
namespace {

constexpr std::array<std::string_view, 16> kSigns = {"==", "!=", "<>", "<=", ">=", "&&", "||", "=",
                                                     "<",  ">",  "(",  ")",  ",",  "&",  "|",  "~"};

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Token bad(std::size_t begin, std::size_t end, std::string why) {
  Token token{Token::Kind::kBad, begin, end, std::move(why), false};
  return token;
}

Token quoted(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  Token token{quote == '`' ? Token::Kind::kQuotedName : Token::Kind::kText, begin, begin, {}, false};
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] != quote) {
      token.text += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == quote) {
      token.text += text[i++];
    } else {
      token.end = i + 1;
      return token;
    }
  }
  return bad(begin, text.size(), std::string("the quote ") + quote + " is never closed");
}

Token number(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  const auto digits = [&] {
    const std::size_t first = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    return end != first;
  };
  if (text[end] == '-' || text[end] == '+') ++end;
  const std::size_t unsigned_begin = end;
  if (end < text.size() && is_letter(text[end])) {  // inf, nan
    while (end < text.size() && is_letter(text[end])) ++end;
  } else {
    digits();
    if (end < text.size() && text[end] == '.') {
      ++end;
      digits();
    }
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
      ++end;
      if (end < text.size() && (text[end] == '-' || text[end] == '+')) ++end;
      digits();
    }
  }
  const bool joined = end < text.size() && (is_letter(text[end]) || text[end] == '.' || is_digit(text[end]));
  while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]) || text[end] == '.')) ++end;
  const std::string_view all = text.substr(begin, end - begin);
  // from_chars takes no plus.
  const std::string_view body = all.front() == '+' ? all.substr(1) : all;
  Token token{Token::Kind::kNumber, begin, end, std::string(all), false};
  const bool whole = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(unsigned_begin),
                                 text.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
  if (whole && end > unsigned_begin) {
    std::int64_t value = 0;
    const auto read = std::from_chars(body.data(), body.data() + body.size(), value);
    if (read.ec != std::errc{}) {
      return bad(begin, end, "the integer " + std::string(all) + " does not fit 64 bits; with a point it is a float");
    }
    token.literal = value;
    return token;
  }
  double value = 0;
  const auto read = std::from_chars(body.data(), body.data() + body.size(), value);
  if (read.ec == std::errc::result_out_of_range) {
    return bad(begin, end, "the number " + std::string(all) + " is beyond what a float holds");
  }
  if (joined || read.ec != std::errc{} || read.ptr != body.data() + body.size()) {
    return bad(begin, end,
               "'" + std::string(all) + "' is no number; text stands in quotes: '" + std::string(all) + "'");
  }
  token.literal = value;
  return token;
}

// Bytes that go on a character of UTF-8 are not counted.
std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

bool Token::is_keyword(std::string_view word) const noexcept { return kind == Kind::kName && is_word(text, word); }

Token next_token(std::string_view text, std::size_t from) {
  while (from < text.size() && is_space(text[from])) ++from;
  if (from == text.size()) return {Token::Kind::kEnd, from, from, {}, false};
  const char c = text[from];
  if (c == '\'' || c == '"' || c == '`') return quoted(text, from);
  const char after = from + 1 < text.size() ? text[from + 1] : ' ';
  const bool is_signed = (c == '-' || c == '+') && (is_digit(after) || after == '.' || is_letter(after));
  if (is_digit(c) || is_signed || (c == '.' && is_digit(after))) return number(text, from);
  if (is_letter(c)) {
    std::size_t end = from;
    while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]) || text[end] == '.')) ++end;
    return {Token::Kind::kName, from, end, std::string(text.substr(from, end - from)), false};
  }
  for (const std::string_view sign : kSigns) {
    if (text.substr(from).starts_with(sign)) {
      return {Token::Kind::kSign, from, from + sign.size(), std::string(sign), false};
    }
  }
  std::size_t end = from + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return bad(from, end,
             "'" + std::string(text.substr(from, end - from)) +
                 "' belongs to nothing here; a name that is no plain word stands in back quotes: `" +
                 std::string(text.substr(from, end - from)) + "`");
}

std::string describe_place(std::string_view text, std::size_t at, std::string_view what) {
  constexpr std::size_t kBefore = 60;
  constexpr std::size_t kAfter = 30;
  const auto inside_character = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  std::size_t begin = at > kBefore ? at - kBefore : 0;
  while (inside_character(begin)) ++begin;
  std::size_t end = std::min(text.size(), at + kAfter);
  while (inside_character(end)) ++end;
  std::string line(text.substr(begin, end - begin));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  const std::string head = begin == 0 ? "  " : "  ...";
  const std::size_t indent = head.size() + characters(text.substr(begin, at - begin));
  return "filter, character " + std::to_string(characters(text.substr(0, at)) + 1) + ": " + std::string(what) + "\n" +
         head + line + (end < text.size() ? "...\n" : "\n") + std::string(indent, ' ') + "^";
}

}  // namespace segue
