// An index file with a catalog as the first version wrote it: it loads, answers, and is written again as it was.
// SEGUE_WRITE_GOLDEN=1 writes it if it is missing.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <limits>

#include "segue/catalog.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

const std::string kPath = SEGUE_TESTS_DIR "/file/golden/v1_flat_catalog.segue";

void write_file_of_today() {
  const std::vector columns = {ColumnData::categories("genre", {"jazz", "pop", "", "jazz"}, {0, 0, 1, 0}),
                               ColumnData::sets("market", {{"SE", "NO"}, {}, {}, {"SE"}}, {0, 0, 1, 0}),
                               ColumnData::integers("duration", {180, 70'000, 0, -5}, {0, 0, 1, 0}),
                               ColumnData::floats("popularity", {0.1, 1, std::numeric_limits<double>::quiet_NaN(), -2}),
                               ColumnData::booleans("explicit", {true, false, false, true}, {0, 0, 1, 0}),
                               ColumnData::dates("released", {0, 1'714'521'600, 0, -86'400}, {0, 0, 1, 0})};
  const std::vector<Id> ids = {4, 2, 9, 7};
  const std::vector<std::string> keys = {"track:a", "track:b", "track:c", "track:d"};
  const auto catalog = Catalog::create(columns, {ids, keys}).value();
  ASSERT_TRUE(catalog->remove(std::vector<Id>{2}).ok());
  const auto index = FlatIndex::create(2, Metric::kL2, {.storage = Storage::kF32}).value();
  const std::vector<float> rows = {1, 2, 3, 4};
  ASSERT_TRUE(index->add(MatrixView(rows, 2), std::vector<Id>{4, 7}).ok());
  index->set_catalog(catalog);
  ASSERT_TRUE(index->save(kPath).ok());
}

TEST(CatalogGolden, HoldsWhatWasPutInAndIsWrittenAsItWas) {
  if (std::getenv("SEGUE_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(kPath)) write_file_of_today();
  const Result<std::unique_ptr<Index>> index = load(kPath);
  ASSERT_TRUE(index.ok()) << index.status().message();
  const std::shared_ptr<Catalog> catalog = (*index)->catalog();
  ASSERT_NE(catalog, nullptr);
  EXPECT_EQ(catalog->ids(), (std::vector<Id>{4, 7, 9}));
  EXPECT_EQ(catalog->find("track:d"), 7);
  EXPECT_EQ(catalog->find("track:b"), kMissingId);
  const std::pair<const char*, std::vector<Id>> cases[] = {
      {"genre = 'jazz'", {4, 7}},       {"genre = 'pop'", {}},
      {"market has 'NO'", {4}},         {"duration < 0", {7}},
      {"popularity >= 0.1", {4}},       {"explicit = true", {4, 7}},
      {"released < '1970-01-01'", {7}}, {"genre is missing", {9}},
      {"not market has 'SE'", {9}}};
  for (const auto& [text, ids] : cases) EXPECT_EQ(catalog->select(text)->listed_ids(), ids) << text;
  EXPECT_EQ((*index)->to_bytes().value(), read_bytes(kPath));
}

}  // namespace
}  // namespace segue::test
