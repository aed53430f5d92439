#pragma once
// FairSharedMutex: a std::shared_mutex in which readers do not starve writers.
//
// The standard does not say who goes first, and glibc prefers readers: with a few threads searching without a pause, an
// add would wait for ever. Here a reader that comes while a writer waits or writes lines up behind it. Without a writer
// a reader pays one atomic load more.

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace segue {

class FairSharedMutex {
 public:
  void lock_shared() {
    if (writers_.load(std::memory_order_acquire) != 0) const std::lock_guard turn(turnstile_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

  void lock() {
    writers_.fetch_add(1, std::memory_order_acq_rel);
    turnstile_.lock();
    mutex_.lock();
  }
  void unlock() {
    mutex_.unlock();
    turnstile_.unlock();
    writers_.fetch_sub(1, std::memory_order_release);
  }

 private:
  std::atomic<int> writers_{0};  // that wait or write
  std::mutex turnstile_;         // held by the one whose turn it is
  std::shared_mutex mutex_;
};

}  // namespace segue
