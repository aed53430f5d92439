// Selections against the obvious answer, over random catalogs, expressions and histories.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "catalog/random_catalog.hpp"

namespace segue::test {
namespace {

void expect_same(const Catalog& catalog, const CatalogModel& model, const Expression& expression) {
  const Result<IdSet> selected = catalog.select(expression);
  ASSERT_TRUE(selected.ok()) << selected.status().message();
  ASSERT_TRUE(selected->validate().ok());
  ASSERT_FALSE(selected->is_complement());
  ASSERT_EQ(selected->listed_ids(), matching(model, expression)) << expression.to_string();
}

// Expressions print to text that means the same, however often.
void expect_round_trip(const Expression& expression) {
  const std::string text = expression.to_string();
  const Result<Expression> parsed = parse_expression(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  ASSERT_EQ(parsed->to_string(), text);
  ASSERT_EQ(parsed->normal_text(), expression.normal_text());
}

// What filters are cached by never means something else.
void expect_same_meaning(const CatalogModel& model, const Expression& expression) {
  const Result<Expression> normal = parse_expression(expression.normal_text());
  ASSERT_TRUE(normal.ok()) << normal.status().message();
  ASSERT_EQ(matching(model, *normal), matching(model, expression)) << expression.to_string();
}

TEST(SelectProperty, RandomExpressionsOverRandomRows) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    CatalogModel model{all_kinds_of_columns(), {}};
    std::vector<Id> ids(1 + random.below(300));
    std::iota(ids.begin(), ids.end(), Id{0});
    const bool scattered = seed % 3 == 0;
    if (scattered) {
      for (Id& id : ids) id = id * 1'000'003 % 700'001;
    }
    const std::vector<ColumnData> data = random_rows(random, model, model.columns, ids);
    const auto catalog = Catalog::create(data, scattered ? RowNames{ids, {}} : RowNames{});
    ASSERT_TRUE(catalog.ok()) << catalog.status().message();
    ASSERT_TRUE((*catalog)->validate().ok()) << (*catalog)->validate().message();
    for (int i = 0; i < 60; ++i) {
      const Expression expression = random_expression(random, model.columns);
      ASSERT_NO_FATAL_FAILURE(expect_round_trip(expression));
      ASSERT_NO_FATAL_FAILURE(expect_same_meaning(model, expression));
      ASSERT_NO_FATAL_FAILURE(expect_same(**catalog, model, expression));
      const Result<IdSet> from_text = (*catalog)->select(expression.to_string());
      ASSERT_TRUE(from_text.ok());
      ASSERT_EQ(from_text->listed_ids(), matching(model, expression)) << expression.to_string();
    }
  }
}

// Rows over several chunks of 65,536, with a last one that is not full: one of each kind of leaf and their joints.
TEST(SelectProperty, SeveralChunks) {
  for (const std::uint64_t seed : {1u, 2u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    CatalogModel model{all_kinds_of_columns(), {}};
    std::vector<Id> ids(65'536 + 1 + random.below(64));
    std::iota(ids.begin(), ids.end(), Id{0});
    if (seed == 2) std::reverse(ids.begin(), ids.end());
    const auto catalog = Catalog::create(random_rows(random, model, model.columns, ids), {.ids = ids});
    ASSERT_TRUE(catalog.ok());
    for (int i = 0; i < 8; ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_same(**catalog, model, random_expression(random, model.columns, 2)));
    }
  }
}

// Appends, replacements and removals in any order, with selections between them: a few expressions that are asked for
// over and over are mended from the cache, others are new.
TEST(SelectProperty, HistoriesOfChanges) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    CatalogModel model{all_kinds_of_columns(), {}};
    std::vector<Expression> asked;
    for (int i = 0; i < 6; ++i) asked.push_back(random_expression(random, model.columns));
    const auto catalog = Catalog::create(random_rows(random, model, model.columns, {}));
    ASSERT_TRUE(catalog.ok());
    const auto draw = [&](std::size_t most) {
      std::vector<Id> ids;
      for (std::size_t n = random.below(most); n > 0; --n) ids.push_back(static_cast<Id>(random.below(3000)));
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      return ids;
    };
    for (int step = 0; step < 80; ++step) {
      const std::size_t what = random.below(4);
      if (what == 0) {
        const std::vector<Id> gone = draw(step % 10 == 9 ? 3000 : 60);
        const std::size_t there = static_cast<std::size_t>(
            std::count_if(gone.begin(), gone.end(), [&](Id id) { return model.rows.count(id) != 0; }));
        const Result<std::size_t> removed = (*catalog)->remove(gone);
        ASSERT_TRUE(removed.ok());
        ASSERT_EQ(*removed, there);
        for (const Id id : gone) model.rows.erase(id);
      } else {
        // Some of the columns only: new rows miss the others, old ones keep them.
        std::vector<RandomColumn> some;
        for (const RandomColumn& column : model.columns) {
          if (random.below(3) != 0) some.push_back(column);
        }
        std::vector<Id> ids = draw(300);
        if (what == 1) std::erase_if(ids, [&](Id id) { return model.rows.count(id) != 0; });
        const std::vector<ColumnData> data = random_rows(random, model, some, ids);
        const Status done = what == 1 ? (*catalog)->append(data, {.ids = ids}) : (*catalog)->upsert(data, {.ids = ids});
        ASSERT_TRUE(done.ok() || (ids.empty() && what != 1)) << done.message();
      }
      ASSERT_TRUE((*catalog)->validate().ok()) << (*catalog)->validate().message();
      ASSERT_EQ((*catalog)->size(), model.rows.size());
      for (const Expression& expression : asked) ASSERT_NO_FATAL_FAILURE(expect_same(**catalog, model, expression));
      ASSERT_NO_FATAL_FAILURE(expect_same(**catalog, model, random_expression(random, model.columns)));
    }
    const std::vector<Id> ids = (*catalog)->ids();
    for (const RandomColumn& column : model.columns) {
      const Result<ColumnData> taken = (*catalog)->take(ids, column.name);
      ASSERT_TRUE(taken.ok());
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& row = model.rows[ids[i]];
        const auto place = row.find(column.name);
        ASSERT_EQ(value_of(*taken, i), place == row.end() ? Value{} : place->second) << column.name << " of " << ids[i];
      }
    }
  }
}

}  // namespace
}  // namespace segue::test
