// The catalog of a live index: its rows are as durable as the vectors.

#include "live/live_cases.hpp"

namespace segue::test {
namespace {

std::shared_ptr<Catalog> make_catalog(bool keys) {
  const std::vector columns = {
      ColumnData::integers("minutes", {30, 45, 20}, {0, 0, 1}), ColumnData::categories("kind", {"yoga", "run", "yoga"}),
      ColumnData::sets("market", {{"SE", "NO"}, {}, {"SE"}}), ColumnData::floats("energy", {0.5, 0.25, 1}),
      ColumnData::booleans("live", {true, false, true}), ColumnData::dates("from", {0, 86'400, -1})};
  const std::vector<std::string> names = {"a", "b", "c"};
  return Catalog::create(columns, {{}, keys ? std::span<const std::string>(names) : std::span<const std::string>()}).value();
}

class LiveCatalog : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::unique_ptr<Index> index = make_live_index("flat");
    const std::vector<float> x = live_vectors(id_range(0, 3));
    ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    index->set_catalog(make_catalog(GetParam()));
    live_ = LiveIndex::create(path_, *index).value();
  }
  void reopen() {
    live_.reset();
    live_ = open_live(path_);
    ASSERT_NE(live_, nullptr);
    ASSERT_TRUE(live_->catalog()->validate().ok());
  }
  std::vector<Id> select(const char* text) const {
    const Result<IdSet> ids = live_->catalog()->select(text);
    EXPECT_TRUE(ids.ok()) << ids.status().message();
    return ids.ok() ? ids->listed_ids() : std::vector<Id>();
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("live");
  std::unique_ptr<LiveIndex> live_;
};
INSTANTIATE_TEST_SUITE_P(Keys, LiveCatalog, testing::Bool(), [](const auto& keys) { return keys.param ? "keys" : "ids"; });

TEST_P(LiveCatalog, RowsSurvive) {
  const bool keys = GetParam();
  using Ids = std::vector<Id>;
  using Names = std::vector<std::string>;
  const Names new_names = {"d", "e"};
  const std::vector more = {ColumnData::integers("minutes", {60, 90}), ColumnData::sets("market", {{"DK"}, {"SE", "DK"}}),
                            ColumnData::categories("kind", {"row", "run"})};
  const RowNames names{{}, keys ? std::span<const std::string>(new_names) : std::span<const std::string>()};
  Status done = live_->catalog()->append(more, names);
  ASSERT_TRUE(done.ok()) << done.message();
  const Names known = {"b", "f"};
  const Ids ids = {1, 5};
  const std::vector changed = {ColumnData::integers("minutes", {46, 5})};
  done = keys ? live_->catalog()->upsert(changed, {{}, known}) : live_->catalog()->upsert(changed, {ids, {}});
  ASSERT_TRUE(done.ok()) << done.message();
  EXPECT_EQ(live_->catalog()->remove(Ids{0, 77}).value(), 1u);
  EXPECT_EQ(live_->live_stats().sequence, 3u);

  // Refused, and not in the journal.
  EXPECT_EQ(live_->catalog()->append({}, {Ids{4}, keys ? std::span<const std::string>(Names{"x"}) : std::span<const std::string>()}).code(),
            StatusCode::kAlreadyExists);
  const std::vector none = {ColumnData::integers("none", {1})};
  EXPECT_EQ(live_->catalog()->append(none, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(live_->live_stats().sequence, 3u);

  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(live_->catalog()->ids(), (Ids{1, 2, 3, 4, 5}));
    EXPECT_EQ(select("minutes >= 46"), (Ids{1, 3, 4}));
    EXPECT_EQ(select("market has 'DK'"), (Ids{3, 4}));
    EXPECT_EQ(select("kind = 'run'"), (Ids{1, 4}));
    EXPECT_EQ(select("live = true"), Ids{2});
    EXPECT_EQ(select("energy < 0.3"), Ids{1});
    EXPECT_EQ(live_->catalog()->find("f"), keys ? 5 : kMissingId);
    if (round == 1) {
      ASSERT_TRUE(live_->snapshot().ok());
    }
    ASSERT_NO_FATAL_FAILURE(reopen());
  }
  // The next free id is one past the largest ever used.
  EXPECT_EQ(live_->catalog()->remove(Ids{5}).value(), 1u);
  ASSERT_NO_FATAL_FAILURE(reopen());
  const Names last = {"g"};
  const std::vector one = {ColumnData::integers("minutes", {1})};
  ASSERT_TRUE(live_->catalog()->append(one, {{}, keys ? std::span<const std::string>(last) : std::span<const std::string>()}).ok());
  EXPECT_EQ(select("minutes = 1"), Ids{6});
}

TEST_P(LiveCatalog, AnotherCatalog) {
  const std::shared_ptr<Catalog> before = live_->catalog();
  ASSERT_TRUE(live_->replace_catalog(make_catalog(!GetParam())).ok());
  const std::vector one = {ColumnData::integers("minutes", {1})};
  EXPECT_EQ(before->append(one, {}).code(), StatusCode::kInvalidArgument);
  ASSERT_NO_FATAL_FAILURE(reopen());
  EXPECT_EQ(live_->catalog()->has_keys(), !GetParam());
  live_->set_catalog(nullptr);
  EXPECT_TRUE(live_->health().ok());
  ASSERT_NO_FATAL_FAILURE([&] {
    live_.reset();
    live_ = open_live(path_);
  }());
  EXPECT_EQ(live_->catalog(), nullptr);
  expect_items(*live_, versions(id_range(0, 3)));
}

TEST_P(LiveCatalog, OutlivesItsIndex) {
  const std::shared_ptr<Catalog> catalog = live_->catalog();
  ASSERT_TRUE(live_->close().ok());
  EXPECT_EQ(catalog->remove(std::vector<Id>{1}).status().code(), StatusCode::kUnsupported);
  live_.reset();
  EXPECT_EQ(catalog->remove(std::vector<Id>{1}).value(), 1u);  // nobody's but the caller's by now
}

TEST_P(LiveCatalog, ANewModelKeepsIt) {
  const std::shared_ptr<Catalog> catalog = live_->catalog();
  const std::shared_ptr<const Index> old = live_->index();
  const std::unique_ptr<Index> fresh = make_live_index("hnsw", 5);
  const std::vector<float> x = live_vectors(id_range(0, 2), 1, 5);
  ASSERT_TRUE(fresh->add(MatrixView(x, 5)).ok());
  const Status done = live_->replace(*fresh);
  ASSERT_TRUE(done.ok()) << done.message();
  EXPECT_EQ(live_->dim(), 5u);
  EXPECT_EQ(live_->kind(), "hnsw");
  EXPECT_EQ(live_->catalog(), catalog);
  EXPECT_EQ(old->size(), 3u);
  const std::vector one = {ColumnData::integers("minutes", {99})};
  ASSERT_TRUE(catalog->upsert(one, {std::vector<Id>{1}, {}}).ok());
  const std::vector<float> y = live_vectors({8}, 1, 5);
  ASSERT_TRUE(live_->upsert(MatrixView(y, 5), std::vector<Id>{8}).ok());
  std::map<Id, std::uint64_t> expected = versions(id_range(0, 2), 1);
  expected[8] = 1;
  for (int round = 0; round < 2; ++round) {
    expect_items(*live_, expected);
    EXPECT_EQ(select("minutes = 99"), std::vector<Id>{1});
    ASSERT_NO_FATAL_FAILURE(reopen());
  }
  // One that brings its own.
  fresh->set_catalog(make_catalog(!GetParam()));
  const std::shared_ptr<Catalog> replaced = live_->catalog();
  ASSERT_TRUE(live_->replace(*fresh).ok());
  EXPECT_EQ(replaced->remove(std::vector<Id>{1}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(live_->catalog()->has_keys(), !GetParam());
  ASSERT_NO_FATAL_FAILURE(reopen());
  EXPECT_EQ(live_->catalog()->has_keys(), !GetParam());
}

}  // namespace
}  // namespace segue::test
