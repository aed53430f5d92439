// Catalog: rows, keys, errors, memory, the cache.

#include "segue/catalog.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "catalog/random_catalog.hpp"

namespace segue::test {
namespace {

std::vector<ColumnData> classes() {
  return {ColumnData::categories("discipline", {"cycling", "yoga", "cycling", "running"}),
          ColumnData::sets("market", {{"SE", "NO"}, {}, {"SE"}, {"US"}}, {0, 0, 0, 1}),
          ColumnData::integers("minutes", {30, 45, 20, 60}, {0, 0, 0, 1}),
          ColumnData::floats("popularity", {0.5, std::nan(""), 2, 0.25}),
          ColumnData::booleans("live", {true, false, false, true}),
          ColumnData::dates("aired", {0, 86'400, 1'714'521'600, 5}, {0, 0, 0, 1})};
}

const std::vector<std::string> kKeys = {"class:a", "class:b", "class:c", "class:d"};

std::shared_ptr<Catalog> make(const std::vector<ColumnData>& columns, const RowNames& names = {}) {
  Result<std::shared_ptr<Catalog>> made = Catalog::create(columns, names);
  EXPECT_TRUE(made.ok()) << made.status().message();
  return made.ok() ? *made : nullptr;
}

std::vector<Id> ids_of(const Catalog& catalog, std::string_view text) {
  const Result<IdSet> ids = catalog.select(text);
  EXPECT_TRUE(ids.ok()) << ids.status().message();
  return ids.ok() ? ids->listed_ids() : std::vector<Id>{-1};
}

void expect_error(const Status& status, StatusCode code, const std::string& part) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

using Ids = std::vector<Id>;

TEST(Catalog, SelectsByEveryType) {
  const auto catalog = make(classes());
  EXPECT_EQ(ids_of(*catalog, "discipline = 'cycling'"), (Ids{0, 2}));
  EXPECT_EQ(ids_of(*catalog, "discipline != 'cycling'"), (Ids{1, 3}));
  EXPECT_EQ(ids_of(*catalog, "discipline in ('yoga', 'rowing')"), (Ids{1}));
  EXPECT_EQ(ids_of(*catalog, "discipline = 'rowing'"), Ids{});
  EXPECT_EQ(ids_of(*catalog, "market has 'SE'"), (Ids{0, 2}));
  EXPECT_EQ(ids_of(*catalog, "market in ('SE', 'nowhere')"), (Ids{0, 2}));
  EXPECT_EQ(ids_of(*catalog, "market in ()"), Ids{});
  EXPECT_EQ(ids_of(*catalog, "minutes <= 30.5"), (Ids{0, 2}));
  EXPECT_EQ(ids_of(*catalog, "minutes between 30 and 45"), (Ids{0, 1}));
  EXPECT_EQ(ids_of(*catalog, "popularity > 0.25"), (Ids{0, 2}));
  EXPECT_EQ(ids_of(*catalog, "live = true"), (Ids{0, 3}));
  EXPECT_EQ(ids_of(*catalog, "aired >= '1970-01-02'"), (Ids{1, 2}));
  EXPECT_EQ(ids_of(*catalog, "aired = '2024-05-01'"), (Ids{2}));
}

TEST(Catalog, MissingMatchesNoComparison) {
  const auto catalog = make(classes());
  EXPECT_EQ(ids_of(*catalog, "minutes != 30"), (Ids{1, 2}));
  EXPECT_EQ(ids_of(*catalog, "not minutes = 30"), (Ids{1, 2, 3}));
  EXPECT_EQ(ids_of(*catalog, "minutes is missing"), (Ids{3}));
  EXPECT_EQ(ids_of(*catalog, "popularity is missing"), (Ids{1}));
  EXPECT_EQ(ids_of(*catalog, "aired is not missing"), (Ids{0, 1, 2}));
  // An empty set is there, and has nothing.
  EXPECT_EQ(ids_of(*catalog, "market is missing"), (Ids{3}));
  EXPECT_EQ(ids_of(*catalog, "not market has 'SE'"), (Ids{1, 3}));
  EXPECT_EQ(ids_of(*catalog, "not market in ('SE', 'nowhere')"), (Ids{1, 3}));
  EXPECT_EQ(ids_of(*catalog, "not market in ()"), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(ids_of(*catalog, "popularity between -inf and inf"), (Ids{0, 2, 3}));
}

// Wide sets and long lists, which the random ones are not: row r holds 50 words from 10 r on, the last row none.
TEST(Catalog, ListsOfManyAgainstWideSets) {
  constexpr std::size_t kRows = 500;
  std::vector<std::vector<std::string>> sets(kRows + 1);
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t w = 0; w < 50; ++w) sets[row].push_back("w" + std::to_string(10 * row + w));
  }
  const auto catalog = make({ColumnData::sets("words", sets)});
  std::vector<Literal> values;  // 4,040, of which no row has the last 2,000
  for (std::size_t w = 3000; w < 7040; ++w) values.emplace_back("w" + std::to_string(w));
  Ids wanted, others;
  for (Id row = 0; row <= static_cast<Id>(kRows); ++row) {
    (row != static_cast<Id>(kRows) && 10 * row + 49 >= 3000 ? wanted : others).push_back(row);
  }
  const Result<IdSet> any = catalog->select(field("words").isin(values));
  const Result<IdSet> none = catalog->select(~field("words").isin(values));
  ASSERT_TRUE(any.ok() && none.ok());
  EXPECT_EQ(any->listed_ids(), wanted);
  EXPECT_EQ(none->listed_ids(), others);
}

TEST(Catalog, KeysAreFoundAndGivenBack) {
  const auto catalog = make(classes(), {.ids = Ids{7, 3, 5, 11}, .keys = kKeys});
  EXPECT_TRUE(catalog->has_keys());
  EXPECT_EQ(catalog->find("class:c"), 5);
  EXPECT_EQ(catalog->find("class:"), kMissingId);
  EXPECT_EQ(*catalog->find(std::vector<std::string>{"class:d", "class:a"}), (Ids{11, 7}));
  EXPECT_EQ(*catalog->keys(Ids{3, 7}), (std::vector<std::string>{"class:b", "class:a"}));
  expect_error(catalog->find(std::vector<std::string>{"class:a", "x"}).status(), StatusCode::kNotFound,
               "key 'x' at position 1");
  expect_error(catalog->keys(Ids{3, 4}).status(), StatusCode::kNotFound, "id 4 at position 1");
  EXPECT_EQ(ids_of(*catalog, "discipline = 'cycling'"), (Ids{5, 7}));

  // A key that went may come again, under another id.
  EXPECT_EQ(*catalog->remove(Ids{5, 99}), 1u);
  EXPECT_EQ(catalog->find("class:c"), kMissingId);
  const std::vector<std::string> again = {"class:c", "class:e"};
  ASSERT_TRUE(catalog->upsert({}, {.keys = again}).ok());
  EXPECT_EQ(*catalog->find(again), (Ids{12, 13}));
  EXPECT_TRUE(catalog->validate().ok()) << catalog->validate().message();
  EXPECT_EQ(ids_of(*catalog, "discipline is missing"), (Ids{12, 13}));
}

TEST(Catalog, UpsertReplacesWhatItNames) {
  const auto catalog = make(classes(), {.keys = kKeys});
  const std::vector<std::string> keys = {"class:b", "class:new"};
  ASSERT_TRUE(catalog->upsert(std::vector{ColumnData::integers("minutes", {1000, 10})}, {.keys = keys}).ok());
  EXPECT_EQ(ids_of(*catalog, "minutes = 1000"), (Ids{1}));
  EXPECT_EQ(ids_of(*catalog, "minutes = 10 and discipline is missing"), (Ids{4}));
  EXPECT_EQ(ids_of(*catalog, "discipline = 'yoga'"), (Ids{1}));
  EXPECT_EQ(catalog->find("class:new"), 4);
}

TEST(Catalog, ChangesThatFailChangeNothing) {
  const auto catalog = make(classes(), {.keys = kKeys});
  const std::uint64_t version = catalog->version();
  const auto invalid = StatusCode::kInvalidArgument;
  const std::vector<std::string> fresh = {"x"};
  const std::vector<std::string> twice = {"x", "x"};
  const std::vector<std::string> old = {"class:a"};
  const std::vector one = {ColumnData::integers("minutes", {1})};
  const std::vector two = {ColumnData::integers("minutes", {1, 2})};
  expect_error(catalog->append(std::vector{ColumnData::integers("hours", {1})}, {.keys = fresh}), invalid,
               "no column 'hours'; there are: discipline (category), market (set), minutes (integer)");
  expect_error(catalog->append(std::vector{ColumnData::floats("minutes", {1})}, {.keys = fresh}), invalid,
               "column 'minutes' came as float, it is integer");
  expect_error(catalog->append(std::vector{one[0], one[0]}, {.keys = fresh}), invalid, "came twice");
  expect_error(catalog->append(one, {.keys = twice}), invalid, "2 keys, expected one a row");
  expect_error(catalog->append(two, {.keys = twice}), invalid, "key 'x' at position 1 came twice");
  expect_error(catalog->append(one, {.keys = old}), StatusCode::kAlreadyExists, "key 'class:a'");
  expect_error(catalog->append(one, {.ids = Ids{9}}), invalid, "without a key");
  expect_error(catalog->append(one), invalid, "without a key");
  expect_error(catalog->append(one, {.ids = Ids{-4}, .keys = fresh}), invalid, "id -4 at position 0 is negative");
  expect_error(catalog->append(two, {.ids = Ids{8, 8}, .keys = std::vector<std::string>{"x", "y"}}), invalid,
               "id 8 came twice");
  expect_error(catalog->append(one, {.ids = Ids{1}, .keys = fresh}), StatusCode::kAlreadyExists, "id 1");
  expect_error(catalog->upsert(one, {.ids = Ids{1}, .keys = fresh}), invalid, "has the key 'class:b', not 'x'");
  expect_error(catalog->upsert(one, {.ids = Ids{9}, .keys = old}), invalid, "belongs to id 0, not to 9");
  expect_error(catalog->upsert(one, {}), invalid, "needs ids or keys");
  expect_error(
      catalog->append(std::vector{ColumnData::integers("minutes", {1, 2}), ColumnData::floats("popularity", {1})},
                      {.keys = std::vector<std::string>{"x", "y"}}),
      invalid, "column 'popularity' has 1 rows, expected 2");
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  expect_error(catalog->append(std::vector{ColumnData::integers("minutes", {least})}, {.keys = fresh}), invalid,
               "-2^63");
  expect_error(catalog->append(std::vector{ColumnData::dates("aired", {std::int64_t{1} << 60})}, {.keys = fresh}),
               invalid, "no date of the years 0001 to 9999");
  EXPECT_EQ(catalog->version(), version);
  EXPECT_EQ(catalog->size(), 4u);
  EXPECT_TRUE(catalog->validate().ok());

  const auto plain = make(classes());
  expect_error(plain->append(one, {.keys = fresh}), invalid, "keys came for a catalog whose rows have none");
  expect_error(plain->keys(Ids{0}).status(), StatusCode::kNotFound, "have no keys");
  expect_error(Catalog::create(std::vector{one[0], one[0]}).status(), invalid, "'minutes' came twice");
  expect_error(Catalog::create(std::vector{ColumnData::integers("", {1})}).status(), invalid, "empty name");
}

TEST(Catalog, FiltersThatDoNotFitSayWhatWould) {
  const auto catalog = make(classes());
  const auto error = [&](std::string_view text, const std::string& part) {
    expect_error(catalog->select(text).status(), StatusCode::kInvalidArgument, part);
  };
  error("hours = 3",
        "no column 'hours'; there are: discipline (category), market (set), minutes (integer), popularity "
        "(float), live (boolean), aired (date)");
  error("discipline < 'a'",
        "column 'discipline' is a category: it takes =, !=, in and is missing, with texts; what came "
        "is: discipline < 'a'");
  error("discipline = 3", "is a category");
  error("discipline has 'a'", "is a category");
  error("market = 'SE'", "column 'market' is a set: it takes has, in (any of the texts is in the set) and is missing");
  error("market in ('SE', 3)", "is a set");
  error("market between 'A' and 'Z'", "is a set");
  error("market has 3", "is a set");
  error("minutes = '3'", "column 'minutes' is an integer: it takes");
  error("minutes = true", "is an integer");
  error("minutes has 3", "is an integer");
  error("minutes in (1, 'x')", "is an integer");
  error("popularity = 'x'", "is a float");
  error("popularity < nan", "to ask for missing values write: popularity is missing");
  error("live = 1", "column 'live' is a boolean: it takes =, != and is missing, with true or false");
  error("live < true", "is a boolean");
  error("aired = 3", "column 'aired' is a date");
  error("aired = '2024-5-1'", "dates like '2024-05-01'");
  error("aired = '2023-02-29'", "is a date");
  error("aired = '2024-05-01T24:00'", "is a date");
  error("minutes = 1 and (live = true or not hours = 3)", "no column 'hours'");

  Expression deep = field("minutes") == 1;
  for (int i = 0; i < 150; ++i) deep = ~(deep & (field("live") == true)) | (field("minutes") == 2);
  expect_error(catalog->select(deep).status(), StatusCode::kInvalidArgument, "at most 200");
}

TEST(Catalog, EmptyOnes) {
  const auto nothing = make({});
  EXPECT_EQ(nothing->size(), 0u);
  EXPECT_EQ(nothing->columns().size(), 0u);
  expect_error(nothing->select("a = 1").status(), StatusCode::kInvalidArgument, "there are: none");
  const auto no_rows =
      make({ColumnData::integers("a", {}), ColumnData::categories("c", {}), ColumnData::sets("s", {})});
  EXPECT_EQ(ids_of(*no_rows, "a = 1 or c = 'x' or s has 'y' or a is missing"), Ids{});
  ASSERT_TRUE(
      no_rows->append(std::vector{ColumnData::integers("a", {1})}, {.keys = std::vector<std::string>{"k"}}).ok());
  EXPECT_EQ(no_rows->find("k"), 0);
  EXPECT_EQ(ids_of(*no_rows, "a = 1 and c is missing and s is missing"), (Ids{0}));
}

TEST(Catalog, LargestIds) {
  constexpr Id kMost = std::numeric_limits<Id>::max();
  const auto catalog = make({ColumnData::integers("a", {1, 2})}, {.ids = Ids{kMost, 0}});
  EXPECT_EQ(ids_of(*catalog, "a <= 2"), (Ids{0, kMost}));
  expect_error(catalog->append(std::vector{ColumnData::integers("a", {3})}), StatusCode::kInvalidArgument,
               "no free id");
}

TEST(Catalog, ColumnsAreNarrow) {
  constexpr std::size_t kRows = 1 << 20;
  const auto bytes = [&](ColumnData column) { return double(make({std::move(column)})->memory_usage()) / kRows - 8; };
  std::vector<std::int64_t> small(kRows);
  for (std::size_t i = 0; i < kRows; ++i) small[i] = static_cast<std::int64_t>(i % 100);
  EXPECT_NEAR(bytes(ColumnData::integers("a", small)), 1, 0.1);
  small[5] = 1000;
  EXPECT_NEAR(bytes(ColumnData::integers("a", small)), 2, 0.1);
  EXPECT_NEAR(bytes(ColumnData::dates("a", std::vector<std::int64_t>(kRows, 1'714'521'600))), 4, 0.1);
  EXPECT_NEAR(bytes(ColumnData::floats("a", std::vector<double>(kRows, 0.5))), 4, 0.1);
  EXPECT_NEAR(bytes(ColumnData::floats("a", std::vector<double>(kRows, 0.1))), 8, 0.1);
  EXPECT_NEAR(bytes(ColumnData::booleans("a", std::vector<bool>(kRows, true))), 1, 0.1);
}

// A selection that is asked for again is the same body, and a written-otherwise one too; memory for them has an end.
TEST(Catalog, SelectionsAreCachedByContent) {
  std::vector<std::int64_t> numbers(200'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int64_t>(i);
  const auto catalog = make({ColumnData::integers("a", numbers), ColumnData::integers("b", numbers)});
  const std::size_t before = catalog->memory_usage();
  const IdSet first = *catalog->select("a < 100000 and b >= 5");
  const std::size_t kept = catalog->memory_usage();
  EXPECT_GT(kept, before);
  EXPECT_EQ(*catalog->select("b >= 5 & (a < 100000)"), first);
  EXPECT_EQ(catalog->memory_usage(), kept);
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(catalog->select("a != " + std::to_string(i)).ok());
  EXPECT_LT(catalog->memory_usage() - before, std::size_t{66} << 20);

  // After a change, what was selected before is still what it was then.
  ASSERT_TRUE(catalog->upsert(std::vector{ColumnData::integers("a", {7})}, {.ids = Ids{150'000}}).ok());
  EXPECT_FALSE(first.contains(150'000));
  EXPECT_TRUE(catalog->select("a < 100000 and b >= 5")->contains(150'000));
}

// A catalog whose rows are replaced over and over does not keep what nobody has any more.
TEST(Catalog, ReplacedTextsDoNotPileUp) {
  const auto catalog = make({ColumnData::categories("title", {"a"}), ColumnData::sets("tags", {{"x", "y"}})});
  std::size_t most = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = "title number " + std::to_string(i);
    ASSERT_TRUE(catalog
                    ->upsert(std::vector{ColumnData::categories("title", {text}), ColumnData::sets("tags", {{text}})},
                             {.ids = Ids{i % 3}})
                    .ok());
    if (i > 5000) most = std::max(most, catalog->memory_usage());
  }
  EXPECT_LT(most, std::size_t{1} << 20);
  EXPECT_EQ(catalog->size(), 3u);
  EXPECT_EQ(ids_of(*catalog, "title = 'title number 49999' and tags has 'title number 49999'"), (Ids{49'999 % 3}));
  EXPECT_TRUE(catalog->validate().ok());
}

}  // namespace
}  // namespace segue::test
