// Damaged catalogs: what is out of range is CorruptFile whatever `verify` says, what is in range is used safely.

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <numeric>

#include "catalog/catalog_file.hpp"
#include "catalog/random_catalog.hpp"
#include "damaged_sections.hpp"
#include "support/allocation_limit.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 5113;

class CatalogSectionsFile : public DamagedSections {
 protected:
  void SetUp() override {
    Random random(3);
    CatalogModel model{all_kinds_of_columns(), {}};
    std::vector<Id> ids(40);
    std::iota(ids.begin(), ids.end(), Id{3});
    std::vector<std::string> keys;
    for (const Id id : ids) keys.push_back("key " + std::to_string(id));
    const auto catalog = Catalog::create(random_rows(random, model, model.columns, ids), {ids, keys}).value();
    ASSERT_TRUE(catalog->remove(std::vector<Id>{5, 6}).ok());
    const std::unique_ptr<Index> index = test::make_index({"flat", Metric::kL2, Storage::kF32});
    index->set_catalog(catalog);
    const TemporaryFolder folder;
    ASSERT_TRUE(index->save(folder.file("whole")).ok());
    file_ = read_bytes(folder.file("whole"));
    const FileInfo info = inspect(folder.file("whole")).value();
    for (const FileSection& section : info.sections) {
      if (section.name.starts_with("cat")) sections_[section.name] = section;
    }
    ASSERT_EQ(sections_.size(), 12u);
    ASSERT_TRUE(load_bytes(file_).ok());
  }

  template <class T>
  Bytes with(const std::string& section, std::size_t offset, T value) const {
    return DamagedSections::with(sections_.at(section), offset, value);
  }

  std::map<std::string, FileSection> sections_;
};

TEST_F(CatalogSectionsFile, WhatIsOutOfRangeIsCorrupt) {
  const auto all = ~std::uint64_t{0};
  for (const std::uint64_t rows : {all, std::uint64_t{1} << 31, std::uint64_t{0}}) {
    expect_corrupt(with("cat", offsetof(CatalogRecord, rows), rows), "cat");
  }
  expect_corrupt(with("cat", offsetof(CatalogRecord, rows), std::uint64_t{41}), "cat_values");
  expect_corrupt(with("cat", offsetof(CatalogRecord, rows), std::uint64_t{1} << 30), "cat_values");
  expect_corrupt(with("cat", offsetof(CatalogRecord, size), std::uint64_t{41}), "cat");
  expect_corrupt(with("cat", offsetof(CatalogRecord, size), std::uint64_t{37}), "cat_ids");
  expect_corrupt(with("cat", offsetof(CatalogRecord, columns), std::uint64_t{9}), "cat_columns");
  expect_corrupt(with("cat", offsetof(CatalogRecord, columns), all), "cat_columns");
  expect_corrupt(with("cat", offsetof(CatalogRecord, next_id), std::int64_t{-1}), "cat");
  expect_corrupt(with("cat", offsetof(CatalogRecord, next_id), std::int64_t{7}), "cat");
  expect_corrupt(with("cat", offsetof(CatalogRecord, has_keys), std::uint64_t{2}), "cat");
  expect_corrupt(with("cat", offsetof(CatalogRecord, has_keys), std::uint64_t{0}), "cat_key_ends");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, type), std::uint32_t{6}), "cat_columns");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, packing), std::uint32_t{9}), "cat_columns");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, packing), std::uint32_t{7}), "cat_columns");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, packing), std::uint32_t{2}), "cat_values");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, name_bytes), all), "cat_names");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, name_bytes), std::uint64_t{0}), "cat_names");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, words), all), "cat_word_ends");
  expect_corrupt(with("cat_columns", offsetof(ColumnRecord, sets), std::uint64_t{3}), "cat_columns");
  expect_corrupt(with("cat_word_ends", 0, all), "cat_word_ends");
  expect_corrupt(with("cat_word_ends", 8, std::uint64_t{1}), "cat_word_ends");
  expect_corrupt(with("cat_words", 1, file_[sections_.at("cat_words").offset + 3]), "cat_values");  // the second word
  expect_corrupt(with("cat_set_ends", 8, all), "cat_set_ends");
  expect_corrupt(with("cat_set_ends", 0, std::uint64_t{3}), "cat_set_ends");
  expect_corrupt(with("cat_sets", 0, std::uint32_t{200}), "cat_values");
  expect_corrupt(with("cat_values", 0, std::uint8_t{200}), "cat_values");
  expect_corrupt(with("cat_ids", 0, Id{-7}), "cat_ids");
  expect_corrupt(with("cat_ids", 0, Id{4}), "cat_ids");  // twice
  expect_corrupt(with("cat_key_ends", 0, all), "cat_key_ends");
  expect_corrupt(with("cat_keys", 4, '4'), "cat_keys");  // "key 4" twice
}

TEST_F(CatalogSectionsFile, MutationsAreSafe) {
  Random random(kSeed);
  const std::vector<RandomColumn> columns = all_kinds_of_columns();
  std::vector<FileSection> sections;
  for (const auto& [name, section] : sections_) sections.push_back(section);
  AllocationLimit limit(std::size_t{256} << 20);
  int opened = 0;
  for (int i = 0; i < 4000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    Bytes damaged = file_;
    const FileSection& section = sections[static_cast<std::size_t>(i) % sections.size()];
    for (std::size_t n = 1 + random.below(3); n > 0 && section.bytes != 0; --n) {
      damaged[section.offset + random.below(section.bytes)] ^= static_cast<unsigned char>(1 + random.below(255));
    }
    fix_checksums(damaged);
    const Result<std::unique_ptr<Index>> index = load_bytes(damaged, i % 3 == 0);
    if (!index.ok()) {
      ASSERT_EQ(index.status().code(), StatusCode::kCorruptFile) << index.status().message();
      continue;
    }
    ++opened;
    const std::shared_ptr<Catalog> catalog = (*index)->catalog();
    ASSERT_NE(catalog, nullptr);
    ASSERT_TRUE(catalog->validate().ok()) << catalog->validate().message();
    for (int e = 0; e < 5; ++e) {
      const Result<IdSet> ids = catalog->select(random_expression(random, columns));
      ASSERT_TRUE(ids.ok() || ids.status().code() == StatusCode::kInvalidArgument) << ids.status().message();
    }
    const std::vector<Id> ids = catalog->ids();
    for (const ColumnSpec& column : catalog->columns()) ASSERT_TRUE(catalog->take(ids, column.name).ok());
    ASSERT_TRUE(catalog->keys(ids).ok());
    const std::vector<std::string> fresh = {"a fresh key"};
    ASSERT_TRUE(catalog->upsert({}, {.keys = fresh}).ok());
    ASSERT_TRUE(catalog->remove(ids).ok());
    ASSERT_TRUE(catalog->validate().ok()) << catalog->validate().message();
    ASSERT_TRUE((*index)->to_bytes().ok());
  }
  EXPECT_GT(opened, 400);
  EXPECT_TRUE(limit.kept());
}

}  // namespace
}  // namespace segue::test
