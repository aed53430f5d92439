// Expressions, built.

#include "segue/expression.hpp"

#include <algorithm>

namespace segue {
namespace {

using Kind = ExpressionNode::Kind;

Expression leaf(Kind kind, const std::string& column, std::vector<Literal> literals) {
  ExpressionNode node;
  node.kind = kind;
  node.column = column;
  node.literals = std::move(literals);
  return Expression(std::move(node));
}

}  // namespace

Expression::Expression(ExpressionNode node) : node_(std::make_shared<const ExpressionNode>(std::move(node))) {}

Expression Expression::join(Kind kind, const Expression& a, const Expression& b) {
  ExpressionNode node;
  node.kind = kind;
  for (const Expression* side : {&a, &b}) {
    if (side->node().kind == kind) {
      node.children.insert(node.children.end(), side->node().children.begin(), side->node().children.end());
    } else {
      node.children.push_back(side->node_);
    }
  }
  for (const auto& child : node.children) node.depth = std::max(node.depth, child->depth + 1);
  return Expression(std::move(node));
}

Expression operator&(const Expression& a, const Expression& b) { return Expression::join(Kind::kAnd, a, b); }
Expression operator|(const Expression& a, const Expression& b) { return Expression::join(Kind::kOr, a, b); }

Expression operator~(const Expression& a) {
  if (a.node().kind == Kind::kNot) return Expression(a.node().children.front());
  ExpressionNode node;
  node.kind = Kind::kNot;
  node.children.push_back(a.node_);
  node.depth = a.node().depth + 1;
  return Expression(std::move(node));
}

Expression Field::compare(Comparison comparison, Literal value) const {
  ExpressionNode node;
  node.comparison = comparison;
  node.column = name_;
  node.literals.push_back(std::move(value));
  return Expression(std::move(node));
}

Expression Field::between(Literal low, Literal high) const {
  return leaf(Kind::kBetween, name_, {std::move(low), std::move(high)});
}
Expression Field::isin(std::vector<Literal> values) const { return leaf(Kind::kIsIn, name_, std::move(values)); }
Expression Field::contains(Literal value) const { return leaf(Kind::kContains, name_, {std::move(value)}); }
Expression Field::is_missing() const { return leaf(Kind::kIsMissing, name_, {}); }

}  // namespace segue
