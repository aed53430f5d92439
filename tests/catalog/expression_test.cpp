// Expressions: built, printed, parsed, and the errors of those that are none.

#include "segue/expression.hpp"

#include <gtest/gtest.h>

namespace segue::test {
namespace {

std::string reprinted(std::string_view text) {
  const Result<Expression> parsed = parse_expression(text);
  return parsed.ok() ? parsed->to_string() : parsed.status().message();
}

TEST(Expression, PrintsWhatWasBuilt) {
  const auto printed = [](const Expression& e) { return e.to_string(); };
  EXPECT_EQ(printed(field("explicit") == false), "explicit = false");
  EXPECT_EQ(printed(field("a") != 1), "a != 1");
  EXPECT_EQ(printed((field("a") < 1.0) & (field("a") > 0.25)), "a < 1.0 and a > 0.25");
  EXPECT_EQ(printed(field("a").between(1, 5) | (field("b") >= -3)), "a between 1 and 5 or b >= -3");
  EXPECT_EQ(printed(field("artist").isin({"it's", "b"})), "artist in ('it''s', 'b')");
  EXPECT_EQ(printed(field("market").contains("SE")), "market has 'SE'");
  EXPECT_EQ(printed(~field("a").is_missing()), "a is not missing");
  EXPECT_EQ(printed(~((field("a") == 1) & (field("b") == 2))), "not (a = 1 and b = 2)");
  EXPECT_EQ(printed(((field("a") == 1) | (field("b") == 2)) & (field("c") == 3)), "(a = 1 or b = 2) and c = 3");
  EXPECT_EQ(printed(~~(field("a") == 1)), "a = 1");
  EXPECT_EQ(printed(field("release date") <= "2024-05-01"), "`release date` <= '2024-05-01'");
  EXPECT_EQ(printed(field("between") == 1), "`between` = 1");
  EXPECT_EQ(printed(field("a`b") == 1), "`a``b` = 1");
}

TEST(Expression, ParsesEveryForm) {
  EXPECT_EQ(reprinted("duration <= 1800 and market has 'SE'"), "duration <= 1800 and market has 'SE'");
  EXPECT_EQ(reprinted("a==1&b<>2|~c>3"), "(a = 1 and b != 2) or not c > 3");
  EXPECT_EQ(reprinted("NOT a IN (1,2.5,'x',\"y\",TRUE) OR a Is Not Missing"),
            "not a in (1, 2.5, 'x', 'y', true) or a is not missing");
  EXPECT_EQ(reprinted("a between -1 and +1 and b contains \"it's\""), "a between -1 and 1 and b has 'it''s'");
  EXPECT_EQ(reprinted("((a = 1)) && (b = 2 || c = 3)"), "a = 1 and (b = 2 or c = 3)");
  EXPECT_EQ(reprinted("not not a = 1"), "a = 1");
  EXPECT_EQ(reprinted("not (a = 1 or b = 2) and c = 3"), "not (a = 1 or b = 2) and c = 3");
  EXPECT_EQ(reprinted("`my col` = .5e1"), "`my col` = 5.0");
  EXPECT_EQ(reprinted("x = -9223372036854775808"), "x = -9223372036854775808");
  EXPECT_EQ(reprinted("x >= -inf and x <= INF"), "x >= -inf and x <= inf");
  EXPECT_EQ(reprinted("x in ()"), "x in ()");
  EXPECT_EQ(reprinted("a.b.c = 1"), "a.b.c = 1");
}

TEST(Expression, NormalTextForgetsOrder) {
  const auto normal = [](std::string_view text) { return parse_expression(text)->normal_text(); };
  EXPECT_EQ(normal("a = 1 and b = 2"), normal("(b == 2 & a = 1) and a=1"));
  EXPECT_EQ(normal("x in (3, 1, 3)"), normal("x in (1, 3)"));
  EXPECT_NE(normal("a = 1 and b = 2"), normal("a = 1 or b = 2"));
  EXPECT_NE(normal("a = '1'"), normal("a = 1"));
  EXPECT_NE(normal("a = 1.0"), normal("a = 1"));
}

struct BadText {
  std::string text;
  std::size_t position;  // of the character, from 1
  std::string message;   // part of it
};

TEST(Expression, ErrorsPointAtTheCharacter) {
  const BadText cases[] = {
      {"", 1, "the filter is empty"},
      {"   ", 4, "the filter is empty"},
      {"duration", 9, "the filter ends here, expected a comparison"},
      {"duration <=", 12, "the filter ends here, expected a number, 'text', true or false"},
      {"duration <= abc", 13, "found abc, expected a value; text stands in quotes: 'abc'"},
      {"duration =< 3", 11, "found <"},
      {"duration <= 3 market has 'SE'", 15, "found market, expected 'and', 'or' or the end"},
      {"(a = 1", 7, "the filter ends here, expected 'and', 'or' or ')'"},
      {"a = 1)", 6, "found ), expected 'and', 'or' or the end"},
      {"a = 'x", 5, "the quote ' is never closed"},
      {"`a = 1", 1, "the quote ` is never closed"},
      {"a in 1", 6, "expected '(' and the values"},
      {"a in (1 2)", 9, "expected ',' or ')'"},
      {"a between 1", 12, "expected 'and' and the upper end"},
      {"a between 1 or 2", 13, "found or, expected 'and' and the upper end"},
      {"a not in (1)", 3, "'not' stands before the column, as in: not a in (1, 2)"},
      {"a is 3", 6, "found 3, expected 'missing' or 'not missing'"},
      {"a is not 3", 10, "expected 'missing'"},
      {"3 < a", 1, "found 3, expected a column's name"},
      {"and = 1", 1, "found and, expected a column's name"},
      {"a = 1 and", 10, "the filter ends here, expected a column's name"},
      {"a = 1 and or b = 2", 11, "found or"},
      {"a = 12abc", 5, "'12abc' is no number"},
      {"a = 1.2.3", 5, "'1.2.3' is no number"},
      {"a = 9223372036854775808", 5, "does not fit 64 bits"},
      {"a = 1e999", 5, "beyond what a float holds"},
      {"a ! 1", 3, "'!' belongs to nothing here"},
      {"a = 1; b = 2", 6, "';' belongs to nothing here"},
      {"naïve = 'é' and é = 1", 3, "'ï' belongs to nothing here"},
      {"a = 'é' und b = 1", 9, "found und"},
      {std::string("a = 1\0", 6), 6, "belongs to nothing"},
  };
  for (const BadText& bad : cases) {
    SCOPED_TRACE(bad.text);
    const Result<Expression> parsed = parse_expression(bad.text);
    ASSERT_FALSE(parsed.ok()) << parsed->to_string();
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument);
    const std::string& message = parsed.status().message();
    EXPECT_NE(message.find(bad.message), std::string::npos) << message;
    EXPECT_NE(message.find("filter, character " + std::to_string(bad.position) + ": "), std::string::npos) << message;
    // The caret stands under that character; two blanks go before the line.
    const std::string caret = message.substr(message.rfind('\n') + 1);
    EXPECT_EQ(caret, std::string(bad.position + 1, ' ') + "^") << message;
  }
}

TEST(Expression, LongTextsAreShownAroundThePlace) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "column_" + std::to_string(i) + " = 1 and ";
  const Result<Expression> parsed = parse_expression(text + "? and " + text);
  ASSERT_FALSE(parsed.ok());
  const std::string& message = parsed.status().message();
  const std::size_t first = message.find('\n') + 1;
  const std::size_t second = message.find('\n', first) + 1;
  const std::string line = message.substr(first, second - first - 1);
  EXPECT_LT(line.size(), 110u);
  EXPECT_EQ(line[message.size() - 1 - second], '?') << message;
}

TEST(Expression, NestingHasAnEnd) {
  const auto nested = [](std::size_t n, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += open;
    text += "a = 1";
    for (std::size_t i = 0; i < n; ++i) text += close;
    return text;
  };
  const Result<Expression> deep = parse_expression(nested(98, "(b = 1 or c = 1 and ", ")"));
  ASSERT_TRUE(deep.ok()) << deep.status().message();
  EXPECT_LE(deep->node().depth, Expression::kMaxDepth);
  for (const auto& [open, close] : {std::pair{"(", ")"}, std::pair{"not ", ""}, std::pair{"~", ""}}) {
    const Result<Expression> parsed = parse_expression(nested(1'000'000, open, close));
    ASSERT_FALSE(parsed.ok());
    EXPECT_NE(parsed.status().message().find("nested more than 98 deep"), std::string::npos);
    EXPECT_LT(parsed.status().message().size(), 400u);
  }
  // A chain is flat however long.
  std::string chain = "a = 0";
  for (int i = 1; i < 5000; ++i) chain += " or a = " + std::to_string(i);
  EXPECT_EQ(parse_expression(chain)->node().depth, 2u);
}

}  // namespace
}  // namespace segue::test
