#include "segue/live/live_index.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "live/live_cases.hpp"
#include "segue/candidates/source.hpp"
#include "segue/file.hpp"
#include "segue/tune.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

class LiveKinds : public testing::TestWithParam<const char*> {
 protected:
  void make(const std::vector<Id>& ids, const LiveOptions& options = {}) {
    const std::unique_ptr<Index> index = make_live_index(GetParam());
    const std::vector<float> x = live_vectors(ids);
    ASSERT_TRUE(index->add(MatrixView(x, kLiveDim), ids).ok());
    Result<std::unique_ptr<LiveIndex>> live = LiveIndex::create(path_, *index, options);
    ASSERT_TRUE(live.ok()) << live.status().message();
    live_ = std::move(live).value();
  }
  void reopen(const LiveOptions& options = {}) {
    live_.reset();
    live_ = open_live(path_, options);
    ASSERT_NE(live_, nullptr);
  }
  void put(const std::vector<Id>& ids, std::uint64_t version) {
    const std::vector<float> x = live_vectors(ids, version);
    const Status done = live_->upsert(MatrixView(x, kLiveDim), ids);
    ASSERT_TRUE(done.ok()) << done.message();
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("live");
  std::unique_ptr<LiveIndex> live_;
};

TEST_P(LiveKinds, ChangesSurvive) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 300)));
  const std::vector<Id> fresh = id_range(1000, 50);
  const std::vector<float> x = live_vectors(fresh);
  ASSERT_TRUE(live_->add(MatrixView(x, kLiveDim), fresh).ok());
  ASSERT_NO_FATAL_FAILURE(put(id_range(40, 20), 7));
  ASSERT_NO_FATAL_FAILURE(put(id_range(45, 10), 8));
  EXPECT_EQ(live_->remove(std::vector<Id>{1, 2, 3, 1049, 99'999}).value(), 4u);
  ASSERT_NO_FATAL_FAILURE(put(id_range(2, 1), 9));

  std::map<Id, std::uint64_t> expected = versions(id_range(0, 300));
  for (const Id id : fresh) expected[id] = 0;
  for (const Id id : id_range(40, 20)) expected[id] = 7;
  for (const Id id : id_range(45, 10)) expected[id] = 8;
  for (const Id id : {1, 3, 1049}) expected.erase(id);
  expected[2] = 9;
  expect_items(*live_, expected);
  EXPECT_EQ(live_->open_report().records, 0u);

  for (const bool snapshot : {false, true, false}) {
    if (snapshot) {
      const Status done = live_->snapshot();
      ASSERT_TRUE(done.ok()) << done.message();
    }
    ASSERT_NO_FATAL_FAILURE(reopen());
    expect_items(*live_, expected);
    EXPECT_EQ(live_->open_report().records, live_->open_report().snapshot == 0 ? 5u : 0u);
    EXPECT_EQ(live_->open_report().cut_bytes, 0u);
    const Result<SearchResult> found = live_->search(MatrixView(live_vectors({2}, 9).data(), 1, kLiveDim), 1);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->ids[0], 2);
  }
  EXPECT_EQ(live_->open_report().records, 0u);
  EXPECT_EQ(live_->open_report().snapshot, 5u);
  EXPECT_EQ(live_->live_stats().sequence, 5u);
}

TEST_P(LiveKinds, AddsWithoutIdsTakeTheNextOnes) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 100)));
  const std::vector<float> x = live_vectors(id_range(100, 3));
  ASSERT_TRUE(live_->add(MatrixView(x, kLiveDim)).ok());
  ASSERT_TRUE(live_->remove(id_range(100, 3)).ok());
  ASSERT_NO_FATAL_FAILURE(reopen());
  const std::vector<float> y = live_vectors(id_range(103, 2));
  ASSERT_TRUE(live_->add(MatrixView(y, kLiveDim)).ok());
  std::map<Id, std::uint64_t> expected = versions(id_range(0, 100));
  expected[103] = expected[104] = 0;
  expect_items(*live_, expected);
  ASSERT_NO_FATAL_FAILURE(reopen());
  expect_items(*live_, expected);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LiveKinds, testing::Values("flat", "hnsw", "ivf"),
                         [](const auto& kind) { return std::string(kind.param); });

class Live : public LiveKinds {};
INSTANTIATE_TEST_SUITE_P(Flat, Live, testing::Values("flat"), [](const auto& kind) { return std::string(kind.param); });

TEST_P(Live, RefusedChangesLeaveNothing) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 10)));
  const std::uintmax_t bytes = fs::file_size(path_ + "/journal-00000000000000000001.log");
  const std::vector<float> x = live_vectors(id_range(5, 2));
  EXPECT_EQ(live_->add(MatrixView(x, kLiveDim), std::vector<Id>{20, 5}).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(live_->add(MatrixView(x, kLiveDim), std::vector<Id>{20, 20}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(live_->add(MatrixView(x, 8), std::vector<Id>{20, 21, 22}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(live_->upsert(MatrixView(x, kLiveDim), std::vector<Id>{-1, 2}).code(), StatusCode::kInvalidArgument);
  std::vector<float> bad = x;
  bad[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(live_->upsert(MatrixView(bad, kLiveDim), std::vector<Id>{1, 2}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(live_->set_recall_curve({}).code(), StatusCode::kUnsupported);
  EXPECT_EQ(live_->remove(std::vector<Id>{77}).value(), 0u);
  EXPECT_TRUE(live_->add(MatrixView(x.data(), 0, kLiveDim)).ok());
  EXPECT_EQ(live_->live_stats().sequence, 0u);
  EXPECT_EQ(fs::file_size(path_ + "/journal-00000000000000000001.log"), bytes) << "not even room ahead";
  expect_items(*live_, versions(id_range(0, 10)));
}

// What the index itself refuses is in the journal for a moment, and taken back.
TEST_P(Live, WhatTheIndexRefusesIsTakenBack) {
  const Result<std::unique_ptr<IvfIndex>> lists = IvfIndex::create(kLiveDim, Metric::kL2, {.nlist = 50});
  ASSERT_TRUE(lists.ok());
  live_ = LiveIndex::create(path_, **lists).value();
  const std::vector<float> few = live_vectors(id_range(0, 5));
  const Status refused = live_->add(MatrixView(few, kLiveDim));
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << refused.message();
  EXPECT_EQ(fs::file_size(path_ + "/journal-00000000000000000001.log"), 64u);
  const std::vector<float> many = live_vectors(id_range(0, 500));
  ASSERT_TRUE(live_->add(MatrixView(many, kLiveDim)).ok());
  ASSERT_NO_FATAL_FAILURE(reopen());
  expect_items(*live_, versions(id_range(0, 500)));
}

TEST_P(Live, OneWriterAnyReaders) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 10)));
  const Result<std::unique_ptr<LiveIndex>> second = LiveIndex::open(path_);
  ASSERT_EQ(second.status().code(), StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find("process " + std::to_string(::getpid()) + " on host"), std::string::npos)
      << second.status().message();
  EXPECT_EQ(LiveIndex::create(path_, *make_live_index("flat")).status().code(), StatusCode::kAlreadyExists);

  ASSERT_NO_FATAL_FAILURE(put(id_range(10, 5), 0));
  const std::vector<std::string> names = TemporaryFolder::names_in(path_);
  const std::unique_ptr<LiveIndex> reader = open_live(path_, {.read_only = true});
  expect_items(*reader, versions(id_range(0, 15)));
  const std::vector<float> x = live_vectors({99});
  EXPECT_EQ(reader->add(MatrixView(x, kLiveDim)).code(), StatusCode::kUnsupported);
  EXPECT_EQ(reader->remove(std::vector<Id>{1}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(reader->snapshot().code(), StatusCode::kUnsupported);
  ASSERT_TRUE(live_->snapshot().ok());
  ASSERT_NO_FATAL_FAILURE(put(id_range(15, 5), 0));
  expect_items(*reader, versions(id_range(0, 15)));
  expect_items(*open_live(path_, {.read_only = true}), versions(id_range(0, 20)));
  EXPECT_TRUE(live_->close().ok());
  EXPECT_NE(open_live(path_), nullptr);
}

TEST_P(Live, ClosedTakesNoMoreChanges) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 10)));
  ASSERT_TRUE(live_->close().ok());
  ASSERT_TRUE(live_->close().ok());
  const std::vector<float> x = live_vectors({99});
  EXPECT_EQ(live_->add(MatrixView(x, kLiveDim)).code(), StatusCode::kUnsupported);
  EXPECT_EQ(live_->snapshot().code(), StatusCode::kUnsupported);
  EXPECT_EQ(live_->health().code(), StatusCode::kUnsupported);
  EXPECT_TRUE(live_->sync().ok());
  EXPECT_TRUE(live_->search(MatrixView(x, kLiveDim), 3).ok());
}

TEST_P(Live, OpeningWhatIsNotThere) {
  EXPECT_EQ(LiveIndex::open(path_).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(LiveIndex::exists(path_).value());
  fs::create_directory(path_);
  EXPECT_EQ(LiveIndex::open(path_).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(fs::is_empty(path_));
  write_all_bytes(path_ + "/notes.txt", std::string("mine"));
  const Status others = LiveIndex::create(path_, *make_live_index("flat")).status();
  EXPECT_EQ(others.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(others.message().find("notes.txt"), std::string::npos);
  const Status orphan = LiveIndex::create(folder_.file("no/parent"), *make_live_index("flat")).status();
  EXPECT_EQ(orphan.code(), StatusCode::kIoError) << orphan.message();
  EXPECT_EQ(LiveIndex::create("", *make_live_index("flat")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(LiveIndex::open(path_, {.interval_ms = 0}).status().code(), StatusCode::kInvalidArgument);
}

TEST_P(Live, EveryDurability) {
  for (const Durability durability : {Durability::kBatch, Durability::kInterval, Durability::kNever}) {
    const std::string name(to_string(durability));
    EXPECT_EQ(parse_durability(name).value(), durability);
    path_ = folder_.file(name);
    ASSERT_NO_FATAL_FAILURE(make(id_range(0, 3), {.durability = durability, .interval_ms = 2}));
    ASSERT_NO_FATAL_FAILURE(put(id_range(3, 3), 0));
    ASSERT_TRUE(live_->sync().ok());
    EXPECT_EQ(live_->live_stats().durable, 1u);
    ASSERT_NO_FATAL_FAILURE(reopen());
    expect_items(*live_, versions(id_range(0, 6)));
  }
  EXPECT_NE(parse_durability("often").status().message().find("batch, interval and never"), std::string::npos);
}

TEST_P(Live, CurvesSurvive) {
  path_ = folder_.file("graph");
  std::unique_ptr<Index> graph = make_live_index("hnsw");
  const std::vector<float> x = live_vectors(id_range(0, 500));
  ASSERT_TRUE(graph->add(MatrixView(x, kLiveDim)).ok());
  live_ = LiveIndex::create(path_, *graph).value();
  ASSERT_TRUE(tune(*live_, MatrixView(x, kLiveDim), {}).ok());
  const std::size_t k = live_->recall_curves().at(0).k;
  ASSERT_NO_FATAL_FAILURE(reopen());
  EXPECT_EQ(live_->recall_curves().at(0).k, k);
}

TEST_P(Live, TheSnapshotThreadWritesOnes) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 10), {.snapshot_bytes = 2000}));
  for (Id id = 10; live_->live_stats().snapshots < 3; ++id) ASSERT_NO_FATAL_FAILURE(put({id}, 0));
  const std::map<Id, std::uint64_t> expected = versions(live_->ids());
  ASSERT_NO_FATAL_FAILURE(reopen());
  expect_items(*live_, expected);
  EXPECT_LE(live_->open_report().journal_bytes, 1'000'000u);
  ASSERT_TRUE(live_->snapshot().ok());
  EXPECT_EQ(TemporaryFolder::names_in(path_).size(), 3u) << "LOCK, a snapshot, a segment";
}

TEST_P(Live, SnapshotsAreIndexFiles) {
  ASSERT_NO_FATAL_FAILURE(make(id_range(0, 10)));
  const Result<std::unique_ptr<Index>> index = load(path_ + "/snapshot-00000000000000000000.segue");
  ASSERT_TRUE(index.ok()) << index.status().message();
  expect_items(**index, versions(id_range(0, 10)));
}

}  // namespace
}  // namespace segue::test
