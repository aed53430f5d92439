// Damaged runs of inverted lists: a file that opens without `verify` is used safely, wherever its lists say that they lie.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

#include "damaged_sections.hpp"
#include "ivf/list_blocks.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

using ListRun = ListBlocks::Run;

constexpr std::uint64_t kSeed = 6117;

class ListSectionsFile : public DamagedSections, public ::testing::WithParamInterface<Metric> {
 protected:
  void SetUp() override {
    const std::unique_ptr<Index> index = make_index({"ivf", GetParam(), Storage::kF32}, 300);
    const TemporaryFolder folder;
    ASSERT_TRUE(index->save(folder.file("lists")).ok());
    file_ = read_bytes(folder.file("lists"));
    const FileInfo info = inspect(folder.file("lists")).value();
    for (const FileSection& section : info.sections) {
      if (section.name == "lists") runs_ = section;
    }
    lists_ = runs_.bytes / sizeof(ListRun);
    ASSERT_GE(lists_, 4u);
  }

  FileSection runs_;
  std::size_t lists_ = 0;
};

// What a filter allows lies in no list then.
TEST_P(ListSectionsFile, NoListHoldsAnything) {
  Bytes damaged = file_;
  for (std::size_t list = 0; list < lists_; ++list) {
    std::memset(damaged.data() + runs_.offset + list * sizeof(ListRun) + offsetof(ListRun, rows), 0, sizeof(ListRun::rows));
  }
  fix_checksums(damaged);
  EXPECT_FALSE(load_bytes(damaged, true).ok());
  ASSERT_TRUE(exercise_index_file(damaged, false));
  const std::unique_ptr<Index> index = load_bytes(damaged, false).value();
  const std::vector<float> queries = index_rows(3, 5);
  const IdSet most = ~IdSet::from_ids(std::vector<Id>{5, 6}).value();
  const Result<SearchResult> found = index->search(MatrixView(queries, kIndexDim), 4, {.filter = &most, .threads = 1});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->ids, std::vector<Id>(12, kMissingId));
}

TEST_P(ListSectionsFile, MutationsAreSafe) {
  Random random(kSeed);
  int opened = 0;
  for (int i = 0; i < 1000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    Bytes damaged = file_;
    for (std::size_t n = 1 + random.below(lists_); n > 0; --n) {
      // Small numbers: large ones are out of range, and few such files open.
      const auto number = static_cast<std::uint32_t>(random.below(40));
      std::memcpy(damaged.data() + runs_.offset + 4 * random.below(3 * lists_), &number, sizeof(number));
    }
    fix_checksums(damaged);
    opened += exercise_index_file(damaged, false);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(opened, 20);
}

INSTANTIATE_TEST_SUITE_P(Metrics, ListSectionsFile,
                         ::testing::Values(Metric::kL2, Metric::kCosine, Metric::kInnerProduct),
                         [](const auto& which) {
                           return std::string(to_string(which.param));
                         });

}  // namespace
}  // namespace segue::test
