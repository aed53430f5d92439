// Where a limit of the process has no room for private copies of a file's pages, an index is mapped for reading alone:
// everything that reads works, and the first change asks for the copies.

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "segue/file.hpp"
#include "support/file_faults.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;

class ReadOnlyMapping : public testing::TestWithParam<IndexCase> {};

std::unique_ptr<Index> load_without_room(const std::string& path, bool verify) {
  FaultyCalls faults({.at = 0, .error = ENOMEM, .only = "mmap"});
  auto index = load(path, {.verify = verify});
  EXPECT_TRUE(faults.fired());
  EXPECT_TRUE(index.ok()) << index.status().message();
  return index.ok() ? std::move(index).value() : nullptr;
}

TEST_P(ReadOnlyMapping, IsReadAndThenChanged) {
  Random random(61);
  const Vectors x = gaussian_vectors(random, 700, kDim);
  const MatrixView all(x, kDim), more = all.slice(600, 100), queries = all.slice(0, 30);
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  auto original = make_index(GetParam(), kDim);
  ASSERT_TRUE(original->add(all.slice(0, 600)).ok());
  ASSERT_TRUE(original->save(path).ok());
  for (const bool verify : {false, true}) {
    const auto index = load_without_room(path, verify);
    ASSERT_NE(index, nullptr);
    EXPECT_EQ(index->search(queries, 5).value().ids, original->search(queries, 5).value().ids);
    EXPECT_TRUE(index->range_search(queries, 0.5f).ok());
    EXPECT_TRUE(index->validate().ok());
    EXPECT_TRUE(index->to_bytes().value() == read_bytes(path));
    const std::vector<Id> some = {3, 5};
    {
      FaultyCalls faults({.at = 0, .error = ENOMEM, .lasting = true, .only = "mprotect"});
      for (const Status& status : {index->add(more), index->upsert(more.slice(0, 2), some), index->remove(some).status()}) {
        EXPECT_EQ(status.code(), StatusCode::kOutOfMemory);
        EXPECT_NE(status.message().find("can be searched, not changed"), std::string::npos) << status.message();
      }
    }
    EXPECT_EQ(index->size(), 600u);
    EXPECT_EQ(index->remove(some).value(), 2u);
    ASSERT_TRUE(index->add(more).ok());
    EXPECT_TRUE(index->validate().ok());
    EXPECT_EQ(load(path)->get()->size(), 600u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ReadOnlyMapping,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, {Metric::kL2, Metric::kInnerProduct},
                                                 {Storage::kF32, Storage::kSq8, Storage::kPca8, Storage::kRabitq3})),
                         CaseName());

}  // namespace
}  // namespace segue::test
