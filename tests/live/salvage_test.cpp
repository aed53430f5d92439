// What is kept of a damaged directory, and what is said to be lost.

#include <algorithm>
#include <filesystem>

#include "live/live_cases.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSegment = "/journal-00000000000000000001.log";

class Salvage : public testing::Test {
 protected:
  void SetUp() override {
    std::unique_ptr<Index> index = make_live_index("flat");
    const std::vector<float> x = live_vectors(id_range(0, 10));
    ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    const std::unique_ptr<LiveIndex> live = LiveIndex::create(path_, *index).value();
    ends_.push_back(64);
    for (Id id = 10; id < 16; ++id) {
      const std::vector<float> one = live_vectors({id});
      ASSERT_TRUE(live->upsert(MatrixView(one, kLiveDim), std::vector<Id>{id}).ok());
      ends_.push_back(live->live_stats().journal_bytes);
    }
  }
  SalvageReport salvage() {
    fs::remove_all(to_);
    const Result<SalvageReport> report = LiveIndex::salvage(path_, to_);
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.ok() ? *report : SalvageReport();
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  std::string path_ = folder_.file("live");
  std::string to_ = folder_.file("saved");
  std::vector<std::size_t> ends_;
};

TEST_F(Salvage, WhatIsWholeIsKeptWhole) {
  const SalvageReport report = salvage();
  EXPECT_EQ(report.records, 6u);
  EXPECT_EQ(report.items, 16u);
  EXPECT_TRUE(report.losses.empty());
  expect_items(*open_live(to_), versions(id_range(0, 16)));
  EXPECT_EQ(LiveIndex::salvage(path_, to_).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(LiveIndex::salvage(to_ + "/none", folder_.file("x")).status().code(), StatusCode::kNotFound);
}

TEST_F(Salvage, EveryByteChanged) {
  const std::vector<unsigned char> whole = read_bytes(path_ + kSegment);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::vector<unsigned char> bytes = whole;
    bytes[at] = static_cast<unsigned char>(bytes[at] ^ 0x81);
    write_all_bytes(path_ + kSegment, bytes);
    const SalvageReport report = salvage();
    ASSERT_EQ(read_bytes(path_ + kSegment), bytes) << "the old one is left as it is";
    std::map<Id, std::uint64_t> expected = versions(id_range(0, 16));
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), at);
    const auto record = static_cast<Id>(end - ends_.begin());  // 0: the header, 7: the mark
    if (record >= 1 && record <= 6) expected.erase(9 + record);
    ASSERT_EQ(report.losses.size(), 1u) << at;
    if (record >= 1 && record <= 6) {
      const std::string change = "change " + std::to_string(record);
      EXPECT_NE(report.losses[0].find(change), std::string::npos) << report.losses[0];
    }
    expect_items(*open_live(to_, {.read_only = true}), expected);
  }
}

// A segment of which only the name came before the power went: nobody was told that anything is in it.
TEST_F(Salvage, AnEmptyLastSegmentIsNoLoss) {
  write_all_bytes(path_ + "/journal-00000000000000000007.log", std::vector<unsigned char>());
  EXPECT_EQ(open_live(path_, {.read_only = true})->size(), 16u);
  const SalvageReport report = salvage();
  EXPECT_EQ(report.records, 6u);
  EXPECT_TRUE(report.losses.empty()) << report.losses.front();
  expect_items(*open_live(to_), versions(id_range(0, 16)));
}

TEST_F(Salvage, ASegmentThatIsGone) {
  {
    const std::unique_ptr<LiveIndex> live = open_live(path_);
    const std::vector<unsigned char> segment = read_bytes(path_ + kSegment);
    const std::vector<unsigned char> snapshot = read_bytes(path_ + "/snapshot-00000000000000000000.segue");
    ASSERT_TRUE(live->snapshot().ok());
    const std::vector<float> one = live_vectors({50});
    ASSERT_TRUE(live->upsert(MatrixView(one, kLiveDim), std::vector<Id>{50}).ok());
    ASSERT_TRUE(live->close().ok());
    write_all_bytes(path_ + "/snapshot-00000000000000000000.segue", snapshot);
  }
  fs::remove(path_ + "/snapshot-00000000000000000006.segue");
  ASSERT_EQ(LiveIndex::open(path_).status().code(), StatusCode::kCorruptFile);
  const SalvageReport report = salvage();
  EXPECT_EQ(report.losses.size(), 2u);
  std::map<Id, std::uint64_t> expected = versions(id_range(0, 10));
  expected[50] = 0;
  expect_items(*open_live(to_), expected);
}

}  // namespace
}  // namespace segue::test
