// What opening makes of directories that are not as they were left: torn tails, damage, lost and foreign files.

#include <algorithm>
#include <filesystem>

#include "live/live_cases.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSegment = "/journal-00000000000000000001.log";
constexpr const char* kSnapshot = "/snapshot-00000000000000000000.segue";

// Six changes of three vectors each, after ten that the snapshot has.
class LiveDamage : public testing::Test {
 protected:
  void SetUp() override {
    const std::unique_ptr<Index> index = make_live_index("flat");
    const std::vector<float> x = live_vectors(id_range(0, 10));
    ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    Result<std::unique_ptr<LiveIndex>> live = LiveIndex::create(path_, *index);
    ASSERT_TRUE(live.ok()) << live.status().message();
    ends_.push_back(64);
    for (Id i = 0; i < 6; ++i) {
      const std::vector<Id> ids = id_range(10 + 3 * i, 3);
      const std::vector<float> more = live_vectors(ids);
      ASSERT_TRUE((*live)->upsert(MatrixView(more, kLiveDim), ids).ok());
      ends_.push_back((*live)->live_stats().journal_bytes);
    }
    crashed_ = read_bytes(path_ + kSegment);
    EXPECT_GT(crashed_.size(), ends_.back()) << "room ahead";
    crashed_.resize(ends_.back());
    live->reset();
    closed_ = read_bytes(path_ + kSegment);
    snapshot_ = read_bytes(path_ + kSnapshot);
    ASSERT_EQ(closed_.size(), crashed_.size() + 40);
  }

  static std::map<Id, std::uint64_t> after(std::size_t changes) { return versions(id_range(0, 10 + 3 * changes)); }
  std::size_t whole_records(std::size_t bytes) const {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), bytes);
    return end == ends_.begin() ? 0 : static_cast<std::size_t>(end - ends_.begin()) - 1;
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  std::string path_ = folder_.file("live");
  std::vector<std::size_t> ends_;
  std::vector<unsigned char> crashed_;  // the segment as a killed process leaves it
  std::vector<unsigned char> closed_;
  std::vector<unsigned char> snapshot_;
};

TEST_F(LiveDamage, CutAtEveryByte) {
  for (std::size_t bytes = 0; bytes <= crashed_.size(); ++bytes) {
    write_all_bytes(path_ + kSegment, std::span(crashed_).first(bytes));
    const std::size_t kept = whole_records(bytes);
    const bool writes = bytes % 5 == 0 || bytes == ends_[kept];
    for (const bool read_only : {true, false}) {
      if (!read_only && !writes) continue;
      const std::unique_ptr<LiveIndex> live = open_live(path_, {.read_only = read_only});
      ASSERT_NE(live, nullptr) << bytes;
      ASSERT_EQ(live->size(), after(kept).size()) << bytes;
      if (bytes % 16 == 0) expect_items(*live, after(kept));
      const OpenReport& report = live->open_report();
      const std::size_t end = bytes < 64 ? 0 : ends_[kept];
      EXPECT_EQ(report.cut_bytes, bytes - end) << bytes;
      if (bytes != end) {
        EXPECT_EQ(report.cut_file, path_ + kSegment);
        EXPECT_EQ(report.cut_offset, end);
      }
      EXPECT_EQ(live->live_stats().sequence, kept);
      if (read_only) {
        EXPECT_EQ(fs::file_size(path_ + kSegment), bytes) << "a reader changes nothing";
        continue;
      }
      const std::vector<float> x = live_vectors({500});
      ASSERT_TRUE(live->upsert(MatrixView(x, kLiveDim), std::vector<Id>{500}).ok());
    }
    if (!writes) continue;
    const std::unique_ptr<LiveIndex> again = open_live(path_);
    ASSERT_EQ(again->size(), after(kept).size() + 1) << bytes;
    EXPECT_EQ(again->open_report().cut_bytes, 0u);
  }
}

// A page that never came, at every boundary of a sector, with zeros or old bytes in its place.
TEST_F(LiveDamage, TornPagesOfTheLastRecord) {
  const std::unique_ptr<LiveIndex> live = open_live(path_);
  const std::vector<Id> ids = id_range(100, 100);
  const std::vector<float> x = live_vectors(ids);
  const std::size_t start = live->live_stats().journal_bytes;
  ASSERT_TRUE(live->upsert(MatrixView(x, kLiveDim), ids).ok());
  std::vector<unsigned char> whole = read_bytes(path_ + kSegment);
  whole.resize(live->live_stats().journal_bytes);
  ASSERT_TRUE(live->close().ok());
  for (std::size_t page = start / 512 * 512; page < whole.size(); page += 512) {
    for (const int fill : {0x00, 0xa5}) {
      std::vector<unsigned char> torn = whole;
      const std::size_t from = std::max(page, start);
      std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from),
                torn.begin() + static_cast<std::ptrdiff_t>(std::min(page + 512, torn.size())), static_cast<unsigned char>(fill));
      write_all_bytes(path_ + kSegment, torn);
      const std::unique_ptr<LiveIndex> opened = open_live(path_, {.read_only = true});
      ASSERT_NE(opened, nullptr);
      expect_items(*opened, after(6));
      EXPECT_EQ(opened->open_report().cut_bytes, whole.size() - start);
    }
  }
}

TEST_F(LiveDamage, ZerosAtTheEndAreNothing) {
  for (const std::size_t zeros : {1u, 7u, 8u, 40u, 4096u, 100'000u}) {
    std::vector<unsigned char> bytes = crashed_;
    bytes.resize(bytes.size() + zeros);
    write_all_bytes(path_ + kSegment, bytes);
    const std::unique_ptr<LiveIndex> live = open_live(path_);
    ASSERT_NE(live, nullptr);
    EXPECT_EQ(live->open_report().cut_bytes, 0u) << "nothing was in them";
    expect_items(*live, after(6));
  }
}

// No byte can change without an error that names the place, or, at the end of what a killed process left, without its
// being cut off and said so.
TEST_F(LiveDamage, EveryByteChanged) {
  for (const bool closed : {true, false}) {
    const std::vector<unsigned char>& whole = closed ? closed_ : crashed_;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::vector<unsigned char> bytes = whole;
      bytes[at] = static_cast<unsigned char>(bytes[at] ^ (1u << (at % 8)));
      write_all_bytes(path_ + kSegment, bytes);
      const Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(path_, {.read_only = true});
      const bool tail = at >= ends_[closed ? 6 : 5];
      ASSERT_EQ(live.ok(), tail) << at;
      if (tail) {
        expect_items(**live, after(closed ? 6 : 5));
        EXPECT_NE((*live)->open_report().cut_bytes, 0u);
        continue;
      }
      const std::size_t offset = at < 64 ? 0 : ends_[whole_records(at)];
      EXPECT_EQ(live.status().code(), StatusCode::kCorruptFile) << live.status().message();
      EXPECT_NE(live.status().message().find("'" + path_ + kSegment + "'"), std::string::npos) << live.status().message();
      EXPECT_NE(live.status().message().find("byte " + std::to_string(offset) + " "), std::string::npos)
          << at << ": " << live.status().message();
      EXPECT_NE(live.status().message().find("salvage"), std::string::npos);
      ASSERT_EQ(read_bytes(path_ + kSegment), bytes);
    }
  }
}

TEST_F(LiveDamage, EveryByteOfTheSnapshotChanged) {
  for (std::size_t at = 0; at < snapshot_.size(); at += 3) {
    std::vector<unsigned char> bytes = snapshot_;
    bytes[at] = static_cast<unsigned char>(bytes[at] ^ 0x10);
    write_all_bytes(path_ + kSnapshot, bytes);
    const Status status = LiveIndex::open(path_).status();
    ASSERT_EQ(status.code(), StatusCode::kCorruptFile) << at;
    EXPECT_NE(status.message().find(kSnapshot), std::string::npos) << status.message();
  }
}

TEST_F(LiveDamage, ADamagedSnapshotWithAnOlderOne) {
  const std::unique_ptr<LiveIndex> live = open_live(path_);
  const std::vector<unsigned char> segment = read_bytes(path_ + kSegment);
  ASSERT_TRUE(live->snapshot().ok());
  const std::vector<float> x = live_vectors(id_range(28, 1));
  ASSERT_TRUE(live->upsert(MatrixView(x, kLiveDim), id_range(28, 1)).ok());
  ASSERT_TRUE(live->close().ok());
  const std::string newer = path_ + "/snapshot-00000000000000000006.segue";
  std::vector<unsigned char> bytes = read_bytes(newer);
  bytes[200] ^= 1;
  write_all_bytes(newer, bytes);
  EXPECT_EQ(LiveIndex::open(path_).status().code(), StatusCode::kCorruptFile);
  // As if a crash had kept the old ones.
  write_all_bytes(path_ + kSnapshot, snapshot_);
  const Status gap = LiveIndex::open(path_).status();
  EXPECT_EQ(gap.code(), StatusCode::kCorruptFile);
  EXPECT_NE(gap.message().find(kSegment), std::string::npos) << gap.message();
  EXPECT_NE(gap.message().find(newer), std::string::npos) << gap.message();
  write_all_bytes(path_ + kSegment, segment);
  const std::unique_ptr<LiveIndex> opened = open_live(path_);
  ASSERT_NE(opened, nullptr);
  std::map<Id, std::uint64_t> expected = after(6);
  expected[28] = 0;
  expect_items(*opened, expected);
  ASSERT_EQ(opened->open_report().notes.size(), 1u);
  EXPECT_TRUE(fs::exists(newer)) << "somebody may want to look at it";
}

TEST_F(LiveDamage, FilesThatAreLostOrForeign) {
  const std::string other = folder_.file("other");
  ASSERT_TRUE(LiveIndex::create(other, *make_live_index("flat")).ok());
  const auto expect_corrupt = [&](const std::string& part) {
    const Status status = LiveIndex::open(path_).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruptFile) << status.message();
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  };
  write_all_bytes(path_ + kSegment, read_bytes(other + kSegment));
  expect_corrupt("belongs to another directory");
  fs::remove(path_ + kSegment);
  expect_corrupt("is missing");
  write_all_bytes(path_ + "/journal-00000000000000000002.log", closed_);
  expect_corrupt("is missing");
  write_all_bytes(path_ + kSegment, closed_);
  expect_corrupt("begins with number 1");
  fs::remove(path_ + "/journal-00000000000000000002.log");
  fs::rename(path_ + kSnapshot, path_ + "/snapshot-00000000000000000003.segue");
  expect_corrupt("its name says 3");
  fs::remove(path_ + "/snapshot-00000000000000000003.segue");
  const Status none = LiveIndex::open(path_).status();
  EXPECT_EQ(none.code(), StatusCode::kNotFound) << none.message();
}

TEST_F(LiveDamage, NamesThatOnlyLookLikeOnes) {
  write_all_bytes(path_ + "/journal-1.log", std::string("x"));
  write_all_bytes(path_ + "/snapshot-99999999999999999999.segue", std::string("x"));
  write_all_bytes(path_ + "/snapshot-0000000000000000000x.segue", std::string("x"));
  write_all_bytes(path_ + "/.segue-1-2.tmp", std::string("left by a killed writer"));
  const std::unique_ptr<LiveIndex> live = open_live(path_);
  ASSERT_NE(live, nullptr);
  expect_items(*live, after(6));
  EXPECT_FALSE(fs::exists(path_ + "/.segue-1-2.tmp"));
  EXPECT_TRUE(fs::exists(path_ + "/journal-1.log"));
}

}  // namespace
}  // namespace segue::test
