// Expressions as text.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "catalog/expression_words.hpp"
#include "segue/expression.hpp"

namespace segue {
namespace {

using Kind = ExpressionNode::Kind;

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  // What reads as an integer would come back as one.
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string_view sign_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return " = ";
    case Comparison::kNotEqual:
      return " != ";
    case Comparison::kLess:
      return " < ";
    case Comparison::kLessEqual:
      return " <= ";
    case Comparison::kGreater:
      return " > ";
    case Comparison::kGreaterEqual:
      return " >= ";
  }
  return " ? ";
}

std::string name_text(const std::string& name) { return is_plain_name(name) ? name : in_quotes(name, '`'); }

void sort_and_unite(std::vector<std::string>& parts) {
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

std::string_view word_of(Kind kind) { return kind == Kind::kAnd ? " and " : " or "; }

std::string print(const ExpressionNode& node, bool normal);
std::string print_operand(const ExpressionNode& node, bool normal);

// Of `and` and `or`. Operands that join others stand in brackets; `a or a`, once repetitions are gone, joins nothing.
std::vector<std::string> parts_of(const ExpressionNode& node, bool normal) {
  std::vector<std::string> parts;
  for (const auto& child : node.children) {
    parts.push_back(print_operand(*child, normal));
  }
  if (normal) sort_and_unite(parts);
  return parts;
}

std::string print_operand(const ExpressionNode& node, bool normal) {
  if (node.kind != Kind::kAnd && node.kind != Kind::kOr) return print(node, normal);
  const std::vector<std::string> parts = parts_of(node, normal);
  return parts.size() == 1 ? parts.front() : "(" + joined(parts, word_of(node.kind)) + ")";
}

std::string print(const ExpressionNode& node, bool normal) {
  const auto literal = [&](std::size_t i) { return node.literals[i].to_string(); };
  const std::string name = name_text(node.column);
  switch (node.kind) {
    case Kind::kCompare:
      return name + std::string(sign_of(node.comparison)) + literal(0);
    case Kind::kBetween:
      return name + " between " + literal(0) + " and " + literal(1);
    case Kind::kContains:
      return name + " has " + literal(0);
    case Kind::kIsMissing:
      return name + " is missing";
    case Kind::kIsIn: {
      std::vector<std::string> parts;
      for (const Literal& value : node.literals) parts.push_back(value.to_string());
      if (normal) sort_and_unite(parts);
      return name + " in (" + joined(parts, ", ") + ")";
    }
    case Kind::kNot: {
      const ExpressionNode& child = *node.children.front();
      if (child.kind == Kind::kIsMissing) return name_text(child.column) + " is not missing";
      return "not " + print_operand(child, normal);
    }
    case Kind::kAnd:
    case Kind::kOr:
      return joined(parts_of(node, normal), word_of(node.kind));
  }
  return {};
}

}  // namespace

std::string Literal::to_string() const {
  struct Print {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return real_text(v); }
    std::string operator()(const std::string& v) const { return in_quotes(v, '\''); }
  };
  return std::visit(Print{}, value_);
}

std::string Expression::to_string() const { return print(*node_, false); }
std::string Expression::normal_text() const { return print(*node_, true); }

}  // namespace segue
