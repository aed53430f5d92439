// What a snapshot works in goes back to the system, whichever thread asked for it.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "live/live_cases.hpp"
#include "support/sanitized.hpp"

namespace segue::test {
namespace {

// Bytes of this process that no file has; 0 where the system does not say.
std::int64_t anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "RssAnon:") continue;
    std::int64_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

TEST(SnapshotMemory, IsNotKeptForEachThread) {
  if (kSanitized) GTEST_SKIP() << "sanitizers keep what is freed";
  if (anonymous_memory() == 0) GTEST_SKIP() << "this system does not say how much memory a process has";
  // As after reading a file: glibc takes blocks of up to that size from the heap of the thread that asks, from now on.
  {
    const std::vector<std::uint64_t> large(std::size_t{3} << 20, 1);
    ASSERT_EQ(large.back(), 1U);
  }
  constexpr std::size_t kDim = 64, kRows = 60'000, kThreads = 6;
  const std::vector<Id> ids = id_range(0, kRows);
  const std::vector<float> x = live_vectors(ids, 0, kDim);
  const std::unique_ptr<Index> index = make_live_index("flat", kDim);
  ASSERT_TRUE(index->add(MatrixView(x, kDim), ids).ok());
  const auto held = static_cast<std::int64_t>(index->memory_usage());
  TemporaryFolder folder;
  const std::unique_ptr<LiveIndex> live =
      LiveIndex::create(folder.file("live"), *index, {.durability = Durability::kNever, .snapshots = false}).value();
  const auto snapshot = [&](std::size_t i) {
    const std::vector<Id> id = {static_cast<Id>(kRows + i)};
    const std::vector<float> more = live_vectors(id, 0, kDim);
    EXPECT_TRUE(live->add(MatrixView(more, kDim), id).ok());
    EXPECT_TRUE(live->snapshot().ok());
  };
  snapshot(kThreads);

  const std::int64_t before = anonymous_memory();
  std::promise<void> measured;
  const std::shared_future<void> end = measured.get_future().share();
  std::vector<std::promise<void>> done(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&snapshot, &done, end, i] {
      snapshot(i);
      done[i].set_value();
      end.wait();  // a thread that ends leaves its heap to the next
    });
    done[i].get_future().wait();
  }
  const std::int64_t grown = anonymous_memory() - before;
  measured.set_value();
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(grown, held) << "an index of " << held << " bytes, copied by " << kThreads << " threads one after the other";
}

}  // namespace
}  // namespace segue::test
