// Filter expressions as text: what parses prints as text that parses to the same, and compiles against a catalog of
// every type of column, where it selects what the documentation says, row by row.

#include <numeric>
#include <string_view>

#include "catalog/random_catalog.hpp"
#include "fuzz/fuzz_require.hpp"
#include "fuzz/targets/fuzz_target.hpp"

namespace segue::test {
namespace {

struct World {
  CatalogModel model{all_kinds_of_columns(), {}};
  std::shared_ptr<Catalog> catalog;

  World() {
    Random random(11);
    std::vector<Id> ids(50);
    std::iota(ids.begin(), ids.end(), Id{0});
    catalog = Catalog::create(random_rows(random, model, model.columns, ids), {ids, {}}).value();
  }
};

// Dates are left to select_property_test.cpp: the reference knows only those that it draws.
bool reads_dates(const ExpressionNode& node) {
  if (node.column == "release date") return true;
  return std::any_of(node.children.begin(), node.children.end(), [](const auto& child) { return reads_dates(*child); });
}

void run(std::span<const unsigned char> input) {
  static const World world;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const Result<Expression> parsed = parse_expression(text);
  if (!parsed.ok()) {
    SEGUE_FUZZ_REQUIRE(parsed.status().code() == StatusCode::kInvalidArgument);
    SEGUE_FUZZ_REQUIRE(!parsed.status().message().empty());
    return;
  }
  SEGUE_FUZZ_REQUIRE(parsed->node().depth <= Expression::kMaxDepth);
  const std::string printed = parsed->to_string();
  const Result<Expression> again = parse_expression(printed);
  SEGUE_FUZZ_REQUIRE(again.ok());
  SEGUE_FUZZ_REQUIRE(again->to_string() == printed);
  SEGUE_FUZZ_REQUIRE(again->normal_text() == parsed->normal_text());

  const Result<IdSet> selected = world.catalog->select(*parsed);
  const Result<IdSet> others = world.catalog->select(~*parsed);
  if (!selected.ok()) {
    SEGUE_FUZZ_REQUIRE(selected.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  SEGUE_FUZZ_REQUIRE(selected->validate().ok());
  // "not" is the complement, and is refused only where it makes the tree too deep.
  if (others.ok()) {
    SEGUE_FUZZ_REQUIRE(selected->listed() + others->listed() == world.model.rows.size());
    SEGUE_FUZZ_REQUIRE((*selected & *others).listed() == 0);
  }
  if (!reads_dates(parsed->node())) {
    SEGUE_FUZZ_REQUIRE(*selected == IdSet::from_ids(matching(world.model, *parsed)).value());
  }
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> seeds;
  const auto add = [&seeds](const std::string& text) { seeds.emplace_back(text.begin(), text.end()); };
  for (const char* text :
       {"genre = 'g1' and market has 'm2'", "NOT small IN (1, -2, 3.5) or large is not missing",
        "grows between -128 and +127 & ~explicit = true", "((score >= -inf)) && (score < 1e300 || `small` <> 0)",
        "`release date` >= '2024-05-01T18:30:05'", "genre in ('it''s', \"x\") and not not market in ()",
        "score = .5e1 or score == nan", "x = -9223372036854775808"}) {
    add(text);
  }
  Random random(12);
  for (int i = 0; i < 24; ++i) add(random_expression(random, all_kinds_of_columns(), 3).to_string());
  return seeds;
}

}  // namespace

const FuzzTarget& fuzz_target() {
  static const FuzzTarget target = {"filter", run, seeds};
  return target;
}

}  // namespace segue::test
