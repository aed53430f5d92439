// Damaged files of real indexes: with verify, none opens; without, none crashes, hangs or takes much memory, whatever
// is then done with it. Run under AddressSanitizer too.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "file/layout.hpp"
#include "index_file_body.hpp"
#include "support/allocation_limit.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 771;

// A thousand, times SEGUE_FUZZ_ROUNDS for those who have an hour.
int mutations() {
  const char* rounds = std::getenv("SEGUE_FUZZ_ROUNDS");
  return 1'000 * (rounds == nullptr ? 1 : std::max(1, std::atoi(rounds)));
}

constexpr std::size_t kMemory = std::size_t{256} << 20;

class IndexFile : public ::testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    const std::unique_ptr<Index> index = make_index(GetParam());
    ASSERT_TRUE(index->validate().ok()) << index->validate().message();
    file_ = index->to_bytes().value();
    const Status whole = load_bytes(file_, true).status();
    ASSERT_TRUE(whole.ok()) << whole.message();
    // Threads of OpenMP and pools of the allocator come first, so that only the damaged file counts.
    ASSERT_TRUE(exercise_index_file(file_, true));
  }
  Bytes file_;
};

TEST_P(IndexFile, EveryLengthButTheWholeIsCorrupt) {
  for (std::size_t length = 0; length < file_.size(); ++length) {
    const std::span<const unsigned char> cut = std::span(file_).first(length);
    for (const bool verify : {false, true}) {
      ASSERT_EQ(load_bytes(cut, verify).status().code(), StatusCode::kCorruptFile) << length;
    }
  }
}

TEST_P(IndexFile, EveryChangedByteIsCorrupt) {
  Bytes damaged = file_;
  for (std::size_t i = 0; i < file_.size(); ++i) {
    damaged[i] = static_cast<unsigned char>(file_[i] ^ (1u << (i % 8)));
    ASSERT_EQ(load_bytes(damaged, true).status().code(), StatusCode::kCorruptFile) << "byte " << i;
    damaged[i] = file_[i];
  }
}

TEST_P(IndexFile, MutationsWithVerifyAreCorrupt) {
  Random random(kSeed);
  AllocationLimit limit(kMemory);
  for (int i = 0, count = mutations(); i < count; ++i) {
    const Bytes damaged = mutate(file_, random);
    const Status status = load_bytes(damaged, true).status();
    ASSERT_EQ(status.code(), StatusCode::kCorruptFile) << "seed " << kSeed << ", mutation " << i;
  }
  EXPECT_TRUE(limit.kept());
}

// Sections with wrong contents reach the index, because nobody checks their sums.
TEST_P(IndexFile, MutationsWithoutVerifyAreSafe) {
  Random random(kSeed + 1);
  AllocationLimit limit(kMemory);
  int opened = 0;
  for (int i = 0, count = mutations(); i < count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 1) + ", mutation " + std::to_string(i));
    opened += exercise_index_file(i % 4 == 0 ? mutate(file_, random) : mutate_sections(file_, random), false);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
  EXPECT_GT(opened, mutations() / 4) << "hardly anything behind the reader was tested";
}

// Somebody made the checksums right: verify has only the index's own checks left, and what they let through must work.
TEST_P(IndexFile, MutationsWithRightChecksumsAreSafe) {
  Random random(kSeed + 2);
  AllocationLimit limit(kMemory);
  for (int i = 0, count = mutations(); i < count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 2) + ", mutation " + std::to_string(i));
    Bytes damaged = i % 4 == 0 ? mutate(file_, random) : mutate_sections(file_, random);
    fix_checksums(damaged);
    exercise_index_file(damaged, i % 2 == 0);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
}

// Random changes hardly ever make a count a little too small or too large; counts lead to sizes, and sizes to memory.
TEST_P(IndexFile, WrongItemCountsAreSafe) {
  AllocationLimit limit(kMemory);
  for (std::uint64_t size = 0; size < 100; ++size) {
    SCOPED_TRACE("a header of " + std::to_string(size) + " items");
    Bytes damaged = file_;
    std::memcpy(&damaged[offsetof(layout::Header, size)], &size, sizeof(size));
    fix_checksums(damaged);
    exercise_index_file(damaged, false);
    EXPECT_EQ(load_bytes(damaged, true).ok(), damaged == file_);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
}

// Reading an index that was opened without verify copes with damage; changing it finds the damage first.
TEST_P(IndexFile, TheFirstChangeChecksWhatVerifyDidNot) {
  Random random(kSeed + 4);
  const std::vector<float> row(kIndexDim, 0.5f);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const Bytes damaged = mutate_sections(file_, random);
    Result<std::unique_ptr<Index>> index = load_bytes(damaged, false);
    if (!index.ok()) continue;
    const bool valid = (*index)->validate().ok();
    const Status added = (*index)->add(MatrixView(row, kIndexDim), std::vector<Id>{2'000'000});
    const Status removed = (*index)->remove((*index)->ids()).status();
    if (valid) {
      EXPECT_EQ(removed.code(), StatusCode::kOk) << removed.message();
      continue;
    }
    ++refused;
    EXPECT_EQ(added.code(), StatusCode::kCorruptFile) << added.message();
    EXPECT_EQ(removed.code(), StatusCode::kCorruptFile) << removed.message();
  }
  EXPECT_GT(refused, 20);
}

// The same through a file and a mapping, where an address too far is no heap error but another page.
TEST_P(IndexFile, MutatedFilesMappedWithoutVerifyAreSafe) {
  const TemporaryFolder folder;
  Random random(kSeed + 3);
  for (int i = 0; i < 100; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 3) + ", mutation " + std::to_string(i));
    const Bytes damaged = mutate_sections(file_, random);
    // A new file each time: some file systems flush one that is truncated and written again.
    const std::string path = folder.file(std::to_string(i) + ".segue");
    write_all_bytes(path, damaged);
    EXPECT_EQ(verify(path).code(), StatusCode::kCorruptFile);
    Result<std::unique_ptr<Index>> index = load(path, {.mmap = true, .verify = false});
    if (!index.ok()) continue;
    use_index(**index);
    EXPECT_EQ(read_bytes(path), damaged) << "using a mapped index changed its file";
    ASSERT_FALSE(HasFailure());
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, IndexFile, ::testing::ValuesIn(index_cases()),
                         [](const auto& which) { return which.param.name(); });

}  // namespace
}  // namespace segue::test
