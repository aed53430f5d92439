#pragma once
// Reaper: frees snapshots in a thread of its own, so that whoever lets go last does not.
//
// The thread lives while there is something to free: a Serving that is only searched has none, also after a fork().

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>

#include "serving/snapshot.hpp"

namespace segue {

class Reaper : public std::enable_shared_from_this<Reaper> {
 public:
  Reaper() = default;
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper() { close(); }

  // A pointer whose last holder hands the snapshot over to the reaper. Throws bad_alloc; then it is freed here.
  std::shared_ptr<const ServingSnapshotBody> watch(std::unique_ptr<ServingSnapshotBody> snapshot);
  // Waits until all that was handed over is freed.
  void wait();
  // As wait(); from now on whoever lets go last frees: there is no Serving any more to do it for them.
  void close() noexcept;
  std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  void take(ServingSnapshotBody* snapshot) noexcept;
  void free_one(ServingSnapshotBody* snapshot) noexcept;
  void run() noexcept;

  std::mutex mutex_;
  std::condition_variable idle_;
  ServingSnapshotBody* waiting_ = nullptr;  // a list by next_
  bool running_ = false;
  bool closed_ = false;
  std::thread thread_;
  std::atomic<std::size_t> held_{0};
};

}  // namespace segue
