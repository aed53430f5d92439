// The lock of every index: exclusive for writers, shared for readers, and nobody waits for ever.

#include "items/reader_mutex.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace segue {
namespace {

TEST(ReaderMutexThreads, WritersAreAlone) {
  ReaderMutex mutex;
  int value = 0;  // not atomic: ThreadSanitizer looks at it
  int also = 0;
  std::atomic<int> torn{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      while (!stop) {
        const std::shared_lock lock(mutex);
        torn += value != also;
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        const std::unique_lock lock(mutex);
        ++value;
        ++also;
      }
    });
  }
  for (std::thread& thread : writers) thread.join();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value, 600);
  EXPECT_EQ(torn, 0);
}

// A writer that waits for one long reader lets others in.
TEST(ReaderMutexThreads, ReadersPassAWriterThatWaits) {
  ReaderMutex mutex;
  mutex.lock_shared();
  std::atomic<bool> wrote{false};
  std::thread writer([&] {
    const std::unique_lock lock(mutex);
    wrote = true;
  });
  int passed = 0;
  std::thread reader([&] {
    for (; passed < 5; ++passed) {
      const std::shared_lock lock(mutex);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  reader.join();  // would hang if readers lined up behind the writer
  EXPECT_FALSE(wrote);
  mutex.unlock_shared();
  writer.join();
  EXPECT_TRUE(wrote);
}

// Readers who overlap without a gap do not keep a writer out for ever.
TEST(ReaderMutexThreads, AWriterGetsItsTurn) {
  ReaderMutex mutex;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      while (!stop) {
        const std::shared_lock lock(mutex);
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
    });
  }
  for (int i = 0; i < 5; ++i) const std::unique_lock lock(mutex);
  stop = true;
  for (std::thread& thread : readers) thread.join();
}

}  // namespace
}  // namespace segue
