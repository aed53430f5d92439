// Index files that released versions wrote: they load, hold what was put in, answer, and are written again as they were.
//
// For a new format version or kind, delete nothing: add a case, run this test once with SEGUE_WRITE_GOLDEN=1, which
// writes files that are missing, and commit them.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "fuzz/index_file_body.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

const IndexCase kGolden[] = {
    {"flat", Metric::kL2, Storage::kF32},
    {"flat", Metric::kInnerProduct, Storage::kSq8},
    {"hnsw", Metric::kCosine, Storage::kF16},
    {"hnsw", Metric::kInnerProduct, Storage::kSq8, Storage::kF32},
    {"hnsw", Metric::kL2, Storage::kPca8, Storage::kSq8},
    {"ivf", Metric::kInnerProduct, Storage::kSq8},
    {"ivf", Metric::kL2, Storage::kPca8, Storage::kSq8},
    {"ivf", Metric::kInnerProduct, Storage::kRabitq5},
    {"ivf", Metric::kL2, Storage::kRabitq3, Storage::kSq4},
};

class IndexGolden : public ::testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    path_ = SEGUE_TESTS_DIR "/file/golden/v1_" + GetParam().name() + ".segue";
    if (std::getenv("SEGUE_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(path_)) {
      ASSERT_TRUE(make_index(GetParam())->save(path_).ok());
    }
    fresh_ = make_index(GetParam());
  }
  std::string path_;
  std::unique_ptr<Index> fresh_;  // the same items, put in today
};

TEST_P(IndexGolden, HoldsWhatWasPutIn) {
  const Result<FileInfo> info = inspect(path_);
  ASSERT_TRUE(info.ok()) << info.status().message();
  EXPECT_EQ(info->format_version, 1u);
  EXPECT_EQ(info->kind, GetParam().kind);
  EXPECT_EQ(info->size, fresh_->size());
  for (const bool mmap : {false, true}) {
    const Result<std::unique_ptr<Index>> index = load(path_, {.mmap = mmap});
    ASSERT_TRUE(index.ok()) << index.status().message();
    EXPECT_EQ((*index)->kind(), fresh_->kind());
    EXPECT_EQ((*index)->metric(), fresh_->metric());
    EXPECT_EQ((*index)->storage(), fresh_->storage());
    EXPECT_EQ((*index)->dim(), fresh_->dim());
    EXPECT_EQ((*index)->ids(), fresh_->ids());
    const std::vector<float> then = (*index)->get((*index)->ids()).value();
    const std::vector<float> now = fresh_->get(fresh_->ids()).value();
    ASSERT_EQ(then.size(), now.size());
    for (std::size_t i = 0; i < then.size(); ++i) {
      // Half a step of the coarsest storage, where other rounding of a norm may choose the other neighbour.
      ASSERT_NEAR(then[i], now[i], 0.01 * (std::abs(now[i]) + 0.1)) << i;
    }
  }
}

TEST_P(IndexGolden, Answers) {
  const Result<std::unique_ptr<Index>> index = load(path_);
  ASSERT_TRUE(index.ok()) << index.status().message();
  const std::vector<float> queries = index_rows(20, 99);
  const SearchOptions wide{.ef = 200};
  const SearchResult then = (*index)->search(MatrixView(queries, kIndexDim), 5, wide).value();
  const SearchResult now = fresh_->search(MatrixView(queries, kIndexDim), 5, wide).value();
  for (std::size_t i = 0; i < then.ids.size(); ++i) {
    EXPECT_NEAR(then.scores[i], now.scores[i], 0.01 * (std::abs(now.scores[i]) + 0.01)) << i;
  }
}

TEST_P(IndexGolden, IsWrittenAsItWas) {
  const std::vector<unsigned char> file = read_bytes(path_);
  const Result<std::unique_ptr<Index>> index = load(path_);
  ASSERT_TRUE(index.ok()) << index.status().message();
  EXPECT_EQ((*index)->to_bytes().value(), file);
  const TemporaryFolder folder;
  ASSERT_TRUE((*index)->save(folder.file("again.segue")).ok());
  EXPECT_EQ(read_bytes(folder.file("again.segue")), file);
}

// What was loaded is a whole index, not only something to look at.
TEST_P(IndexGolden, CanBeChanged) {
  const Result<std::unique_ptr<Index>> index = load(path_);
  ASSERT_TRUE(index.ok()) << index.status().message();
  const std::vector<float> rows = index_rows(40, 5);
  ASSERT_TRUE((*index)->add(MatrixView(rows, kIndexDim)).ok());
  const std::vector<Id> ids = (*index)->ids();
  EXPECT_EQ(ids.back(), 1'000'040) << "the largest id ever used is in the file";
  ASSERT_TRUE((*index)->validate().ok()) << (*index)->validate().message();
  EXPECT_EQ((*index)->remove(std::span<const Id>(ids).first(50)).value(), 50u);
  ASSERT_TRUE((*index)->validate().ok()) << (*index)->validate().message();
  EXPECT_EQ((*index)->size(), ids.size() - 50);
}

// The same index from before lists had `list_eighths`: it finds the same, and is written with them.
TEST(IndexGoldenOfBefore, ListsWithoutEighthPowers) {
  const std::string folder = SEGUE_TESTS_DIR "/file/golden/";
  const std::unique_ptr<Index> before = load(folder + "v1_ivf_ip_sq8_without_eighths.segue").value();
  const std::unique_ptr<Index> now = load(folder + "v1_ivf_ip_sq8.segue").value();
  ASSERT_TRUE(before->validate().ok()) << before->validate().message();
  EXPECT_EQ(before->ids(), now->ids());
  EXPECT_EQ(before->get(before->ids()).value(), now->get(now->ids()).value());
  const std::vector<float> queries = index_rows(20, 99);
  const SearchOptions all{.nprobe = 1000};
  const SearchResult then = before->search(MatrixView(queries, kIndexDim), 5, all).value();
  EXPECT_EQ(then.ids, now->search(MatrixView(queries, kIndexDim), 5, all).value().ids);
  const std::vector<unsigned char> written = before->to_bytes().value();
  EXPECT_GT(written.size(), read_bytes(folder + "v1_ivf_ip_sq8_without_eighths.segue").size());
  const std::unique_ptr<Index> again = load_bytes(written).value();
  EXPECT_EQ(again->to_bytes().value(), written);
  EXPECT_EQ(again->search(MatrixView(queries, kIndexDim), 5, {.nprobe = 2}).value().ids,
            before->search(MatrixView(queries, kIndexDim), 5, {.nprobe = 2}).value().ids);
}

INSTANTIATE_TEST_SUITE_P(Version1, IndexGolden, ::testing::ValuesIn(kGolden),
                         [](const auto& which) { return which.param.name(); });

}  // namespace
}  // namespace segue::test
