// A catalog that goes with an index: through the file and back, filters for searches.

#include <gtest/gtest.h>

#include <cerrno>
#include <numeric>

#include "catalog/random_catalog.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"
#include "support/file_faults.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 4;

std::unique_ptr<Index> make_index(const std::string& kind, std::size_t rows) {
  Random random(7);
  std::vector<float> vectors(rows * kDim);
  for (float& x : vectors) x = static_cast<float>(random.below(1000)) / 100.0f;
  std::unique_ptr<Index> index;
  if (kind == "flat") index = FlatIndex::create(kDim, Metric::kL2).value();
  if (kind == "hnsw") index = HnswIndex::create(kDim, Metric::kL2).value();
  if (kind == "ivf") index = IvfIndex::create(kDim, Metric::kL2).value();
  EXPECT_TRUE(index->add(MatrixView(vectors, kDim)).ok());
  return index;
}

// Where a limit of the process leaves no room for private copies of a file's pages (tests/index/read_only_mapping_test.cpp).
TEST(IndexCatalog, OfAReadOnlyMappingTakesChanges) {
  const TemporaryFolder folder;
  const std::unique_ptr<Index> index = make_index("flat", 100);
  std::vector<std::int64_t> minutes(100, 3);
  index->set_catalog(Catalog::create(std::vector{ColumnData::integers("minutes", minutes)}).value());
  ASSERT_TRUE(index->save(folder.file("index")).ok());
  FaultyCalls faults({.at = 0, .error = ENOMEM, .only = "mmap"});
  const auto opened = load(folder.file("index"));
  ASSERT_TRUE(faults.fired());
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const std::shared_ptr<Catalog> catalog = (*opened)->catalog();
  ASSERT_TRUE(catalog->upsert(std::vector{ColumnData::integers("minutes", {9})}, {.ids = std::vector<Id>{5}}).ok());
  EXPECT_EQ(catalog->select("minutes = 9")->listed_ids(), std::vector<Id>{5});
}

TEST(IndexCatalog, ComesBackWithTheIndex) {
  const TemporaryFolder folder;
  for (const char* kind : {"flat", "hnsw", "ivf"}) {
    SCOPED_TRACE(kind);
    const std::unique_ptr<Index> index = make_index(kind, 100);
    EXPECT_EQ(index->catalog(), nullptr);
    std::vector<std::int64_t> minutes(100);
    std::iota(minutes.begin(), minutes.end(), 0);
    const auto catalog = Catalog::create(std::vector{ColumnData::integers("minutes", minutes)}).value();
    index->set_catalog(catalog);
    EXPECT_EQ(index->catalog(), catalog);
    ASSERT_TRUE(index->save(folder.file(kind)).ok());
    for (const bool mmap : {false, true}) {
      const auto opened = load(folder.file(kind), {.mmap = mmap, .verify = true});
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      const std::shared_ptr<Catalog> again = (*opened)->catalog();
      ASSERT_NE(again, nullptr);
      const IdSet allowed = *again->select("minutes between 10 and 12");
      const std::vector<float> query = {1, 2, 3, 4};
      const SearchResult found = *(*opened)->search(MatrixView(query, kDim), 5, {.filter = &allowed});
      std::vector<Id> ids = found.ids;
      std::sort(ids.begin(), ids.end());
      EXPECT_EQ(ids, (std::vector<Id>{-1, -1, 10, 11, 12}));
      // Borrowed columns take changes like others, and the file does not.
      ASSERT_TRUE(
          again->upsert(std::vector{ColumnData::integers("minutes", {11, 70'000})}, {.ids = std::vector<Id>{5, 500}})
              .ok());
      EXPECT_EQ(again->select("minutes between 10 and 12 or minutes = 70000")->listed_ids(),
                (std::vector<Id>{5, 10, 11, 12, 500}));
      EXPECT_TRUE(again->validate().ok());
    }
    EXPECT_EQ(catalog->size(), 100u);
    index->set_catalog(nullptr);
    ASSERT_TRUE(index->save(folder.file(kind)).ok());
    EXPECT_EQ((*load(folder.file(kind)))->catalog(), nullptr);
  }
}

// Random catalogs with a history come back with the same rows, keys and answers, and are the same bytes when saved
// again.
TEST(IndexCatalog, RoundTripsOfRandomCatalogs) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    CatalogModel model{all_kinds_of_columns(), {}};
    std::vector<Id> ids(random.below(200));
    std::iota(ids.begin(), ids.end(), static_cast<Id>(seed % 2 == 0 ? 0 : 1000));
    std::vector<std::string> keys;
    if (seed % 3 == 0) {
      for (const Id id : ids) keys.push_back("key:" + std::to_string(id));
    }
    const auto catalog = Catalog::create(random_rows(random, model, model.columns, ids), {ids, keys}).value();
    std::vector<Id> gone;
    for (const Id id : ids) {
      if (random.below(3) == 0) gone.push_back(id);
    }
    ASSERT_TRUE(catalog->remove(gone).ok());
    for (const Id id : gone) model.rows.erase(id);

    const std::unique_ptr<Index> index = make_index("flat", 3);
    index->set_catalog(catalog);
    const std::vector<unsigned char> bytes = index->to_bytes().value();
    const auto opened = load_bytes(bytes);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    const std::shared_ptr<Catalog> again = (*opened)->catalog();
    ASSERT_NE(again, nullptr);
    EXPECT_TRUE(again->validate().ok()) << again->validate().message();
    EXPECT_EQ(again->columns(), catalog->columns());
    EXPECT_EQ(again->ids(), catalog->ids());
    EXPECT_EQ((*opened)->to_bytes().value(), bytes);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(again->find(keys[i]), model.rows.count(ids[i]) != 0 ? ids[i] : kMissingId);
    }
    for (int i = 0; i < 20; ++i) {
      const Expression expression = random_expression(random, model.columns);
      ASSERT_EQ(again->select(expression)->listed_ids(), matching(model, expression)) << expression.to_string();
    }
    // The ids that went are not given out again.
    if (keys.empty()) {
      ASSERT_TRUE(again->append(random_rows(random, model, model.columns, {ids.empty() ? 0 : ids.back() + 1})).ok());
      EXPECT_TRUE(again->contains(ids.empty() ? 0 : ids.back() + 1));
    }
  }
}

}  // namespace
}  // namespace segue::test
