// Selections beside changes: each answer is that of one moment, and nothing races (ThreadSanitizer).

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "segue/catalog.hpp"

namespace segue::test {
namespace {

// The writer moves all of a block of ids from one number to the next in one call, so that every moment has one number.
TEST(CatalogThreads, SelectionsSeeWholeChanges) {
  constexpr int kRounds = 200;
  std::vector<Id> ids(500);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(i * 3);
  const auto column = [&](int number) {
    return std::vector{ColumnData::integers("n", std::vector<std::int64_t>(ids.size(), number))};
  };
  const auto catalog = Catalog::create(column(0), {.ids = ids}).value();
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&, t] {
      while (!done) {
        const Result<IdSet> even = catalog->select(t == 0 ? "n in (0, 2, 4)" : "n >= 3 and not n is missing");
        if (!even.ok() || (even->listed() != 0 && even->listed() != ids.size())) ++wrong;
        const Result<ColumnData> taken = catalog->take(ids, "n");
        if (!taken.ok() || taken->numbers.front() != taken->numbers.back()) ++wrong;
      }
    });
  }
  for (int round = 1; round <= kRounds; ++round) {
    ASSERT_TRUE(catalog->upsert(column(round % 6), {.ids = ids}).ok());
    ASSERT_TRUE(catalog->append({}, {.ids = std::vector<Id>{100'000 + round}}).ok());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(catalog->size(), ids.size() + kRounds);
  EXPECT_TRUE(catalog->validate().ok());
}

}  // namespace
}  // namespace segue::test
