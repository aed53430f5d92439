// Many threads at once: they share syncs, and what each was told is there is there.

#include <atomic>
#include <thread>

#include "live/live_cases.hpp"

namespace segue::test {
namespace {

TEST(LiveThreads, WritersShareSyncsBesideSearchesAndSnapshots) {
  constexpr int kWriters = 4;
  constexpr Id kEach = 60;
  const TemporaryFolder folder;
  const std::string path = folder.file("live");
  std::unique_ptr<Index> index = make_live_index("hnsw");
  const std::vector<float> first = live_vectors(id_range(0, 100));
  ASSERT_TRUE(index->add(MatrixView(first, kLiveDim)).ok());
  index->set_catalog(Catalog::create(std::vector{ColumnData::integers("n", {})}).value());
  std::unique_ptr<LiveIndex> live = LiveIndex::create(path, *index).value();

  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      const Result<SearchResult> found = live->search(MatrixView(first.data(), 4, kLiveDim), 3);
      ASSERT_TRUE(found.ok());
      for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(found->ids[3 * i], static_cast<Id>(i));
    }
  });
  std::thread snapshots([&] {
    for (int i = 0; i < 5; ++i) {
      const Status written = live->snapshot();
      ASSERT_TRUE(written.ok()) << written.message();
      (void)live->live_stats();
    }
  });
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (Id i = 0; i < kEach; ++i) {
        const std::vector<Id> id = {1000 + w * 1000 + i};
        const std::vector<float> x = live_vectors(id);
        const Status added = i % 2 == 0 ? live->add(MatrixView(x, kLiveDim), id) : live->upsert(MatrixView(x, kLiveDim), id);
        ASSERT_TRUE(added.ok()) << added.message();
        const std::vector row = {ColumnData::integers("n", {i})};
        ASSERT_TRUE(live->catalog()->upsert(row, {id, {}}).ok());
        if (i % 10 == 9) {
          ASSERT_EQ(live->remove(std::vector<Id>{id[0] - 3}).value(), 1u);
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  reader.join();
  snapshots.join();
  const LiveStats stats = live->live_stats();
  EXPECT_EQ(stats.sequence, static_cast<std::uint64_t>(kWriters * (2 * kEach + kEach / 10)));
  EXPECT_EQ(stats.durable, stats.sequence);
  EXPECT_LT(stats.syncs, stats.sequence);
  const std::vector<Id> ids = live->ids();
  EXPECT_EQ(ids.size(), 100u + kWriters * (kEach - kEach / 10));
  live.reset();
  live = open_live(path);
  ASSERT_NE(live, nullptr);
  expect_items(*live, versions(ids));
  EXPECT_EQ(live->catalog()->size(), static_cast<std::size_t>(kWriters * kEach));
}

// A search sees the old index or the new one.
TEST(LiveThreads, SearchesWhileTheIndexIsReplaced) {
  const TemporaryFolder folder;
  const auto make = [](std::uint64_t version) {
    std::unique_ptr<Index> index = make_live_index("flat");
    const std::vector<float> x = live_vectors(id_range(0, 200), version);
    EXPECT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    return index;
  };
  std::unique_ptr<LiveIndex> live = LiveIndex::create(folder.file("live"), *make(0)).value();
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      const std::vector<Id> ids = id_range(0, 200);
      std::uint64_t latest = 0;
      while (!done) {
        const std::vector<float> rows = live->get(ids).value();
        std::uint64_t version = latest;
        while (version < 6 && rows[0] != live_vector(0, version)[0]) ++version;
        ASSERT_LT(version, 6u) << "older than what was seen before, or none";
        ASSERT_EQ(rows, live_vectors(ids, version));
        latest = version;
      }
    });
  }
  for (std::uint64_t version = 1; version < 6; ++version) {
    const Status replaced = live->replace(*make(version));
    ASSERT_TRUE(replaced.ok()) << replaced.message();
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  live.reset();
  expect_items(*open_live(folder.file("live")), versions(id_range(0, 200), 5));
}

}  // namespace
}  // namespace segue::test
