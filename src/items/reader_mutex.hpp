#pragma once
// ReaderMutex: a shared mutex for many readers who stay for long and writers who stay for microseconds.
//
// Readers share nothing: each counts itself in a cache line of its thread's, so that a hundred cores may search without
// passing one line around. (The "big reader" lock of older Linux kernels.) A writer closes the door and waits until all
// counts are zero. It is the waiting that would hurt: one reader in the middle of a long scan keeps the writer, and the
// writer everybody who comes meanwhile. So a writer gives up after a while, opens the door for some time, and tries again
// with more patience; only after a fifth of a second does it insist. Readers so wait for other readers at most a quarter
// of a millisecond as long as all searches are shorter than that, and a bounded part of the time if some are longer.
//
// As std::shared_mutex, but whoever locks it shared must unlock it in the same thread, and must not lock it twice.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <thread>

namespace segue {

class ReaderMutex {
 public:
  void lock_shared() noexcept {
    std::atomic<int>& own = counts_[place()].readers;
    for (;;) {
      own.fetch_add(1, std::memory_order_seq_cst);
      if (!closed_.load(std::memory_order_seq_cst)) return;
      own.fetch_sub(1, std::memory_order_release);
      wait_for_door();
    }
  }
  void unlock_shared() noexcept { counts_[place()].readers.fetch_sub(1, std::memory_order_release); }

  void lock() {
    writers_.lock();
    for (std::chrono::microseconds patience = kFirstPatience; patience <= kLastPatience; patience *= 2) {
      if (close(patience)) return;
      open();
      std::this_thread::sleep_for(kOpenFor * patience);
    }
    close(std::chrono::hours(24 * 365));
  }
  void unlock() {
    open();
    writers_.unlock();
  }

 private:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::microseconds kFirstPatience{250};
  static constexpr std::chrono::microseconds kLastPatience{32000};
  static constexpr int kOpenFor = 2;  // times as long as it was closed
  // Looks at a flag, some nanoseconds each, before the processor is left to others; and those before sleeping.
  static constexpr int kSpins = 64;
  static constexpr int kYields = 256;
  static constexpr std::size_t kPlaces = 32;

  struct alignas(64) Count {
    std::atomic<int> readers{0};
  };

  static std::size_t place() noexcept {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t own = threads.fetch_add(1, std::memory_order_relaxed) % kPlaces;
    return own;
  }

  static void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  // True: no reader is inside, and none comes in.
  bool close(Clock::duration patience) noexcept {
    closed_.store(true, std::memory_order_seq_cst);
    const Clock::time_point give_up = Clock::now() + patience;
    for (int looks = 0; anybody(); ++looks) {
      if (looks < kSpins) {
        pause();
      } else if (Clock::now() > give_up) {
        return false;
      } else if (looks < kSpins + kYields) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      }
    }
    return true;
  }
  void open() noexcept {
    closed_.store(false, std::memory_order_seq_cst);
    closed_.notify_all();
  }
  bool anybody() const noexcept {
    for (const Count& count : counts_) {
      if (count.readers.load(std::memory_order_seq_cst) != 0) return true;
    }
    return false;
  }
  void wait_for_door() const noexcept {
    for (int looks = 0; closed_.load(std::memory_order_acquire); ++looks) {
      if (looks < kSpins) {
        pause();
      } else if (looks < kSpins + kYields) {
        std::this_thread::yield();
      } else {
        closed_.wait(true, std::memory_order_acquire);
      }
    }
  }

  std::array<Count, kPlaces> counts_;
  std::atomic<bool> closed_{false};
  std::mutex writers_;  // held by the one whose turn it is
};

}  // namespace segue
