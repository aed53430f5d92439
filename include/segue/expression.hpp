#pragma once
// Expressions over the columns of a Catalog: which items a search may return, in words.
//
//   Expression short_ones =
//       (field("duration") <= 1800) & field("market").contains("SE") & ~(field("explicit") == true);
//   Result<Expression> same = parse_expression("duration <= 1800 and market has 'SE' and not explicit = true");
//
// The language, for services that get filters as text (key words in any case):
//
//   name = literal      != < <= > >=; also == and <>        name between 1 and 5      both ends included
//   name in (1, 2, 3)   equal to one of them; of a set:     name has 'SE'             of a set; also: contains
//                       it holds at least one of them
//   name is missing     name is not missing                 a and b, a or b, not a, (a); also & | ~
//
// A literal is a number (an integer without point and exponent), 'text' (a quote inside is doubled; "text" too), true
// or false. Dates are text: '2024-05-01' or '2024-05-01T18:30:00', UTC. A name that is no plain word, or is a key word,
// stands in back quotes: `release date`. "not" binds most tightly, "or" least.
//
// Missing values: a missing value matches no comparison, != included, is in no list and has nothing. "not" is the
// complement: what it is applied to did not match, missing values included. So `x != 1` leaves out what has no x, and
// `not x = 1` does not.
//
// An expression is immutable, shares its parts with its copies, and knows no catalog: names and types are checked where
// it is used. Thread-safety: read it from anywhere. Running out of memory throws std::bad_alloc.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "segue/status.hpp"

namespace segue {

// What a column is compared with.
class Literal {
 public:
  using Value = std::variant<bool, std::int64_t, double, std::string>;

  Literal(bool value) : value_(value) {}
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Literal(T value)
      : value_(static_cast<std::int64_t>(value)) {}
  Literal(double value) : value_(value) {}
  Literal(std::string value) : value_(std::move(value)) {}
  Literal(std::string_view value) : value_(std::string(value)) {}
  Literal(const char* value) : value_(std::string(value)) {}

  const Value& value() const noexcept { return value_; }
  // As it stands in text: 'it''s', 3, 3.0, true.
  std::string to_string() const;
  bool operator==(const Literal&) const = default;

 private:
  Value value_;
};

enum class Comparison : std::uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

// What there can be at a place of the tree.
struct ExpressionNode {
  enum class Kind : std::uint8_t { kCompare, kBetween, kIsIn, kContains, kIsMissing, kAnd, kOr, kNot };

  Kind kind = Kind::kCompare;
  Comparison comparison = Comparison::kEqual;                   // kCompare
  std::string column;                                           // all but kAnd, kOr, kNot
  std::vector<Literal> literals;                                // one, two (kBetween) or any number (kIsIn)
  std::vector<std::shared_ptr<const ExpressionNode>> children;  // kAnd, kOr: two or more; kNot: one
  std::size_t depth = 1;                                        // of the tree below and with it
};

class Expression {
 public:
  // Deeper trees cannot be parsed or used.
  static constexpr std::size_t kMaxDepth = 200;

  explicit Expression(ExpressionNode node);
  const ExpressionNode& node() const noexcept { return *node_; }

  // Text that parses to this again.
  std::string to_string() const;
  // The same for expressions that differ only in the order and repetition of what `and`, `or` and `in` join; what
  // filters are cached by.
  std::string normal_text() const;

  // Chains become one node: (a & b) & c is as flat as it reads.
  friend Expression operator&(const Expression& a, const Expression& b);
  friend Expression operator|(const Expression& a, const Expression& b);
  friend Expression operator~(const Expression& a);

 private:
  explicit Expression(std::shared_ptr<const ExpressionNode> node) noexcept : node_(std::move(node)) {}
  static Expression join(ExpressionNode::Kind kind, const Expression& a, const Expression& b);

  std::shared_ptr<const ExpressionNode> node_;
};

// A column by name, to build expressions with.
class Field {
 public:
  explicit Field(std::string name) : name_(std::move(name)) {}
  const std::string& name() const noexcept { return name_; }

  // Both ends included.
  Expression between(Literal low, Literal high) const;
  // Equal to one of them; of a set: it holds at least one of them, found in one pass however many they are. No values:
  // nothing matches.
  Expression isin(std::vector<Literal> values) const;
  // Of a set: it holds `value`.
  Expression contains(Literal value) const;
  Expression is_missing() const;
  Expression compare(Comparison comparison, Literal value) const;

 private:
  std::string name_;
};

inline Field field(std::string name) { return Field(std::move(name)); }

inline Expression operator==(const Field& f, Literal v) { return f.compare(Comparison::kEqual, std::move(v)); }
inline Expression operator!=(const Field& f, Literal v) { return f.compare(Comparison::kNotEqual, std::move(v)); }
inline Expression operator<(const Field& f, Literal v) { return f.compare(Comparison::kLess, std::move(v)); }
inline Expression operator<=(const Field& f, Literal v) { return f.compare(Comparison::kLessEqual, std::move(v)); }
inline Expression operator>(const Field& f, Literal v) { return f.compare(Comparison::kGreater, std::move(v)); }
inline Expression operator>=(const Field& f, Literal v) { return f.compare(Comparison::kGreaterEqual, std::move(v)); }

// kInvalidArgument: what was found where, what was expected there, and the line with a caret under the place. Positions
// count characters from 1.
Result<Expression> parse_expression(std::string_view text);

}  // namespace segue
