// Mutated journals and snapshots of a live index: an error or a torn tail, never a crash, a hang, much memory, or an index
// that has something that nobody put there. Run under AddressSanitizer too.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "fuzz/journal_directory.hpp"
#include "live/live_cases.hpp"
#include "support/allocation_limit.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 1907;
constexpr std::size_t kMemory = std::size_t{64} << 20;
constexpr const char* kSegment = "/journal-00000000000000000001.log";

int mutations() {
  const char* rounds = std::getenv("SEGUE_FUZZ_ROUNDS");
  return 5'000 * (rounds == nullptr ? 1 : std::max(1, std::atoi(rounds)));
}

class LiveDirectory : public testing::Test {
 protected:
  void SetUp() override {
    const std::unique_ptr<Index> index = make_live_index("flat");
    const std::vector<float> x = live_vectors(id_range(0, 5));
    ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    const std::vector columns = {ColumnData::integers("n", {1}), ColumnData::sets("market", {{"SE", "NO"}}),
                                 ColumnData::categories("kind", {"yoga"})};
    const std::vector<std::string> keys = {"a"};
    index->set_catalog(Catalog::create(columns, {{}, keys}).value());
    const std::unique_ptr<LiveIndex> live = LiveIndex::create(path_, *index, {.snapshots = false}).value();
    for (Id id = 5; id < 12; ++id) {
      const std::vector<float> one = live_vectors({id, id + 100});
      ASSERT_TRUE(live->upsert(MatrixView(one, kLiveDim), std::vector<Id>{id, id + 100}).ok());
      const std::vector more = {ColumnData::integers("n", {id}), ColumnData::sets("market", {{"SE", "DK"}}),
                                ColumnData::categories("kind", {"run"})};
      const std::vector<std::string> key = {"k" + std::to_string(id)};
      ASSERT_TRUE(live->catalog()->upsert(more, {std::vector<Id>{id}, key}).ok());
    }
    ASSERT_TRUE(live->remove(std::vector<Id>{6, 7}).ok());
    ASSERT_TRUE(live->catalog()->remove(std::vector<Id>{8}).ok());
    segment_ = read_bytes(path_ + kSegment);
    segment_.resize(live->live_stats().journal_bytes);  // without the room ahead, where nothing is to be found
  }

  // Whatever opens is whole, whatever does not says so.
  static void open(const std::string& path, bool honest) {
    const Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(path, {.read_only = true, .threads = 1});
    if (!live.ok()) {
      EXPECT_EQ(live.status().code(), StatusCode::kCorruptFile) << live.status().message();
      return;
    }
    const Status valid = (*live)->validate();
    EXPECT_TRUE(valid.ok()) << valid.message();
    const Status columns = (*live)->catalog()->validate();
    EXPECT_TRUE(columns.ok()) << columns.message();
    if (!honest) return;
    for (const Id id : (*live)->ids()) {
      ASSERT_EQ((*live)->get(std::vector<Id>{id}).value(), live_vector(id)) << "id " << id;
    }
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  std::string path_ = folder_.file("live");
  Bytes segment_;
};

TEST_F(LiveDirectory, MutatedJournals) {
  Random random(kSeed);
  open(path_, true);
  AllocationLimit limit(kMemory);
  for (int i = 0, count = mutations(); i < count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    write_all_bytes(path_ + kSegment, mutate(segment_, random));
    open(path_, true);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
}

// Somebody made the sums right: what records say has only its own checks left.
TEST_F(LiveDirectory, MutatedJournalsWithRightSums) {
  Random random(kSeed + 1);
  open(path_, true);
  AllocationLimit limit(kMemory);
  for (int i = 0, count = mutations(); i < count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 1) + ", mutation " + std::to_string(i));
    Bytes damaged = mutate(segment_, random);
    fix_journal_sums(damaged);
    write_all_bytes(path_ + kSegment, damaged);
    open(path_, false);
    if (i % 16 == 0) {
      const std::string to = path_ + "-saved";
      std::filesystem::remove_all(to);
      const Status saved = LiveIndex::salvage(path_, to).status();
      EXPECT_TRUE(saved.ok()) << saved.message();
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
}

TEST_F(LiveDirectory, MutatedSnapshots) {
  Random random(kSeed + 2);
  const std::string snapshot = path_ + "/snapshot-00000000000000000000.segue";
  const Bytes whole = read_bytes(snapshot);
  open(path_, true);
  AllocationLimit limit(kMemory);
  for (int i = 0, count = mutations() / 4; i < count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + 2) + ", mutation " + std::to_string(i));
    Bytes damaged = mutate(whole, random);
    write_all_bytes(snapshot, damaged);
    EXPECT_EQ(LiveIndex::open(path_, {.read_only = true}).status().code(), StatusCode::kCorruptFile);
    fix_checksums(damaged);
    write_all_bytes(snapshot, damaged);
    open(path_, false);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
}

}  // namespace
}  // namespace segue::test
