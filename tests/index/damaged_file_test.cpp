// Damaged files of real indexes, opened through load(): with verify every one is kCorruptFile; without it, whatever
// opens can be searched, read, changed and saved without a crash, a hang or a giant allocation.

#include <gtest/gtest.h>

#include "answers.hpp"
#include "segue/file.hpp"
#include "support/allocation_limit.hpp"
#include "support/file_mutations.hpp"
#include "support/temporary_folder.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 6;
constexpr int kMutations = 1000;
constexpr std::uint64_t kSeed = 91;

class DamagedIndex : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    const auto index = make_index(GetParam(), kDim);
    Random random(kSeed);
    Vectors x = gaussian_vectors(random, 120, kDim);
    for (const std::size_t i : {7, 80, 81}) std::copy_n(&x[0], kDim, &x[i * kDim]);
    std::vector<Id> ids(120);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(i * i);
    SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim), ids));
    ASSERT_TRUE(index->remove(std::vector<Id>{9, 16, 49}).ok());
    file_ = index->to_bytes().value();
    queries_ = gaussian_vectors(random, 5, kDim);
  }

  // Everything that one can do with an index. Answers may be wrong; the process may not be.
  void exercise(Index& index) {
    if (index.dim() != kDim) return;
    const MatrixView queries(queries_, kDim);
    (void)index.search(queries, 7, {.ef = 50});
    const IdSet filter = ~IdSet::from_ids(std::vector<Id>{1, 4}).value();
    (void)index.search(queries, 3, {.ef = 9, .filter = &filter});
    (void)index.range_search(queries, larger_is_better(index.metric()) ? -2.0F : 2.0F);
    (void)index.validate();
    (void)index.stats();
    const std::vector<Id> ids = index.ids();
    for (const Id id : ids) (void)index.contains(id);
    (void)index.get(std::span(ids).first(std::min<std::size_t>(ids.size(), 9)));
    (void)index.to_bytes();
  }

  Bytes file_;
  Vectors queries_;
};

TEST_P(DamagedIndex, EveryTruncationIsFound) {
  const TemporaryFolder folder;
  const std::string path = folder.file("cut.segue");
  for (std::size_t size = 0; size < file_.size(); ++size) {
    const Bytes cut(file_.begin(), file_.begin() + static_cast<std::ptrdiff_t>(size));
    for (const bool verify : {true, false}) {
      const Result<std::unique_ptr<Index>> loaded = load_bytes(cut, verify);
      ASSERT_FALSE(loaded.ok()) << size << " of " << file_.size() << " bytes";
      ASSERT_EQ(loaded.status().code(), StatusCode::kCorruptFile) << loaded.status().message();
    }
    if (size % 97 != 0) continue;
    write_all_bytes(path, cut);
    ASSERT_EQ(load(path).status().code(), StatusCode::kCorruptFile);
    ASSERT_EQ(load(path, {.verify = false}).status().code(), StatusCode::kCorruptFile);
    ASSERT_EQ(verify(path).code(), StatusCode::kCorruptFile);
  }
}

TEST_P(DamagedIndex, MutationsWithVerify) {
  Random random(kSeed + 1);
  AllocationLimit limit(std::size_t{64} << 20);
  for (int i = 0; i < kMutations; ++i) {
    const Result<std::unique_ptr<Index>> loaded = load_bytes(mutate(file_, random), true);
    ASSERT_FALSE(loaded.ok()) << "seed " << kSeed + 1 << ", mutation " << i;
    ASSERT_EQ(loaded.status().code(), StatusCode::kCorruptFile) << loaded.status().message();
    ASSERT_FALSE(loaded.status().message().empty());
  }
  EXPECT_TRUE(limit.kept());
}

TEST_P(DamagedIndex, MutationsWithoutVerify) {
  Random random(kSeed + 2);
  AllocationLimit limit(std::size_t{64} << 20);
  int opened = 0;
  for (int i = 0; i < kMutations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 2) + ", mutation " + std::to_string(i));
    Result<std::unique_ptr<Index>> loaded = load_bytes(mutate(file_, random), false);
    if (!loaded.ok()) {
      ASSERT_EQ(loaded.status().code(), StatusCode::kCorruptFile) << loaded.status().message();
      continue;
    }
    ++opened;
    exercise(**loaded);
  }
  EXPECT_TRUE(limit.kept());
  EXPECT_GT(opened, kMutations / 20);
}

// Sums that fit the damage: the checks of links, ids and counts stand alone. What passes them all is a whole index.
TEST_P(DamagedIndex, MutationsWithSumsMadeRight) {
  Random random(kSeed + 3);
  AllocationLimit limit(std::size_t{64} << 20);
  int opened = 0, refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 3) + ", mutation " + std::to_string(i));
    Bytes damaged = mutate_sections(file_, random);
    fix_checksums(damaged);
    Result<std::unique_ptr<Index>> checked = load_bytes(damaged, true);
    if (checked.ok()) {
      ++opened;
      exercise(**checked);
    } else {
      ++refused;
      ASSERT_EQ(checked.status().code(), StatusCode::kCorruptFile) << checked.status().message();
    }
    Result<std::unique_ptr<Index>> unchecked = load_bytes(damaged, false);
    if (unchecked.ok()) exercise(**unchecked);
  }
  EXPECT_TRUE(limit.kept());
  EXPECT_GT(opened, 0);   // a vector may hold other numbers
  EXPECT_GT(refused, 0);  // a link may not lead beyond the last vertex
}

TEST_P(DamagedIndex, TheFileItselfIsWhole) {
  for (const bool verify : {true, false}) {
    Result<std::unique_ptr<Index>> loaded = load_bytes(file_, verify);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    SEGUE_ASSERT_OK((*loaded)->validate());
    exercise(**loaded);
    EXPECT_TRUE((*loaded)->to_bytes().value() == file_);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DamagedIndex,
                         testing::Values(IndexCase{"flat", Metric::kL2, Storage::kF32},
                                         IndexCase{"flat", Metric::kCosine, Storage::kSq8},
                                         IndexCase{"hnsw", Metric::kL2, Storage::kF32},
                                         IndexCase{"hnsw", Metric::kInnerProduct, Storage::kF32},
                                         IndexCase{"hnsw", Metric::kCosine, Storage::kSq8}),
                         CaseName());

}  // namespace
}  // namespace segue::test
