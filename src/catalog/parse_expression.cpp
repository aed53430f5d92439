// parse_expression: recursive descent, one function a level of precedence.

#include <limits>
#include <optional>
#include <utility>

#include "catalog/expression_lexer.hpp"
#include "catalog/expression_words.hpp"
#include "segue/expression.hpp"

namespace segue {
namespace {

using Kind = Token::Kind;

// An "or" and an "and" a bracket: what is parsed is never deeper than Expression::kMaxDepth.
constexpr std::size_t kMaxNesting = Expression::kMaxDepth / 2 - 1;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), token_(next_token(text, 0)) {}

  Result<Expression> parse() {
    if (token_.kind == Kind::kEnd) {
      fail("the filter is empty, expected something like: duration <= 1800");
      return error_;
    }
    std::optional<Expression> all = either();
    if (all && token_.kind != Kind::kEnd) {
      unexpected("'and', 'or' or the end");
      all.reset();
    }
    if (!all) return error_;
    return *std::move(all);
  }

 private:
  using Found = std::optional<Expression>;

  Found either() {
    Found all = both();
    while (all && (take_word("or") || take_sign("|") || take_sign("||"))) {
      const Found more = both();
      if (!more) return {};
      all = *all | *more;
    }
    return all;
  }

  Found both() {
    Found all = inverted();
    while (all && (take_word("and") || take_sign("&") || take_sign("&&"))) {
      const Found more = inverted();
      if (!more) return {};
      all = *all & *more;
    }
    return all;
  }

  Found inverted() {
    if (!take_word("not") && !take_sign("~")) return primary();
    if (!deeper()) return {};
    const Found inner = inverted();
    --depth_;
    if (!inner) return {};
    return ~*inner;
  }

  Found primary() {
    if (token_.is_sign("(")) {
      if (!deeper()) return {};
      advance();
      Found inner = either();
      --depth_;
      if (!inner) return {};
      if (!take_sign(")")) return unexpected("'and', 'or' or ')'");
      return inner;
    }
    const bool plain = token_.kind == Kind::kName && is_plain_name(token_.text);
    if (!plain && token_.kind != Kind::kQuotedName) return unexpected("a column's name, 'not' or '('");
    const Field column(token_.text);
    advance();
    return predicate(column);
  }

  Found predicate(const Field& column) {
    if (const std::optional<Comparison> comparison = take_comparison()) {
      const auto value = literal();
      if (!value) return {};
      return column.compare(*comparison, *value);
    }
    if (take_word("between")) {
      const auto low = literal();
      if (!low) return {};
      if (!take_word("and")) return unexpected("'and' and the upper end, as in: between 1 and 5");
      const auto high = literal();
      if (!high) return {};
      return column.between(*low, *high);
    }
    if (take_word("has") || take_word("contains")) {
      const auto value = literal();
      if (!value) return {};
      return column.contains(*value);
    }
    if (take_word("in")) return list(column);
    if (take_word("is")) {
      const bool inverted = take_word("not");
      if (!take_word("missing")) return unexpected(inverted ? "'missing'" : "'missing' or 'not missing'");
      return inverted ? ~column.is_missing() : column.is_missing();
    }
    if (token_.is_keyword("not")) {
      return unexpected("a comparison; 'not' stands before the column, as in: not " + column.name() + " in (1, 2)");
    }
    return unexpected("a comparison (=, !=, <, <=, >, >=), 'between', 'in', 'has' or 'is missing'");
  }

  Found list(const Field& column) {
    if (!take_sign("(")) return unexpected("'(' and the values, as in: in (1, 2)");
    std::vector<Literal> values;
    if (take_sign(")")) return column.isin(values);
    do {
      const auto value = literal();
      if (!value) return {};
      values.push_back(*value);
    } while (take_sign(","));
    if (!take_sign(")")) return unexpected("',' or ')'");
    return column.isin(std::move(values));
  }

  std::optional<Literal> literal() {
    std::optional<Literal> value;
    if (token_.kind == Kind::kNumber) value = token_.literal;
    if (token_.kind == Kind::kText) value = Literal(token_.text);
    if (token_.is_keyword("true")) value = Literal(true);
    if (token_.is_keyword("false")) value = Literal(false);
    if (token_.is_keyword("inf")) value = Literal(std::numeric_limits<double>::infinity());
    if (token_.is_keyword("nan")) value = Literal(std::numeric_limits<double>::quiet_NaN());
    if (value) {
      advance();
      return value;
    }
    if (token_.kind == Kind::kName) {
      unexpected("a value; text stands in quotes: '" + token_.text + "'");
    } else {
      unexpected("a number, 'text', true or false");
    }
    return {};
  }

  std::optional<Comparison> take_comparison() {
    constexpr std::pair<std::string_view, Comparison> kSigns[] = {
        {"=", Comparison::kEqual},     {"==", Comparison::kEqual},       {"!=", Comparison::kNotEqual},
        {"<>", Comparison::kNotEqual}, {"<", Comparison::kLess},         {"<=", Comparison::kLessEqual},
        {">", Comparison::kGreater},   {">=", Comparison::kGreaterEqual}};
    for (const auto& [sign, comparison] : kSigns) {
      if (take_sign(sign)) return comparison;
    }
    return {};
  }

  void advance() { token_ = next_token(text_, token_.end); }
  bool take_sign(std::string_view sign) {
    if (!token_.is_sign(sign)) return false;
    advance();
    return true;
  }
  bool take_word(std::string_view word) {
    if (!token_.is_keyword(word)) return false;
    advance();
    return true;
  }

  // One more bracket or 'not' is open: the stack is not the text's to fill.
  bool deeper() {
    if (++depth_ < kMaxNesting) return true;
    fail("brackets and 'not' are nested more than " + std::to_string(kMaxNesting - 1) + " deep");
    return false;
  }

  std::nullopt_t unexpected(const std::string& expected) {
    if (token_.kind == Kind::kBad) {
      fail(token_.text);
    } else if (token_.kind == Kind::kEnd) {
      fail("the filter ends here, expected " + expected);
    } else {
      constexpr std::size_t kShown = 40;
      std::string found(text_.substr(token_.begin, token_.end - token_.begin));
      if (found.size() > kShown) found = "this";
      fail("found " + found + ", expected " + expected);
    }
    return std::nullopt;
  }
  void fail(const std::string& what) { error_ = invalid_argument(describe_place(text_, token_.begin, what)); }

  std::string_view text_;
  Token token_;
  std::size_t depth_ = 0;
  Status error_;
};

}  // namespace

Result<Expression> parse_expression(std::string_view text) { return Parser(text).parse(); }

}  // namespace segue
