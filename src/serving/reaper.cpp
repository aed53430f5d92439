#include "serving/reaper.hpp"

#include <system_error>
#include <utility>

namespace segue {

std::shared_ptr<const ServingSnapshotBody> Reaper::watch(std::unique_ptr<ServingSnapshotBody> snapshot) {
  held_.fetch_add(1, std::memory_order_relaxed);
  // Where this throws it has called the deleter.
  return std::shared_ptr<const ServingSnapshotBody>(
      snapshot.release(), [reaper = shared_from_this()](const ServingSnapshotBody* last) {
        reaper->take(const_cast<ServingSnapshotBody*>(last));
      });
}

void Reaper::take(ServingSnapshotBody* snapshot) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      try {
        if (!running_) {
          // It has done its work and is at its end, or there was none.
          if (thread_.joinable()) thread_.join();
          thread_ = std::thread([this] { run(); });
          running_ = true;
        }
        snapshot->next_ = std::exchange(waiting_, snapshot);
        return;
      } catch (const std::system_error&) {
        // No thread is to be had: better a slow query than a leak.
      }
    }
  }
  free_one(snapshot);
}

void Reaper::free_one(ServingSnapshotBody* snapshot) noexcept {
  delete snapshot;
  held_.fetch_sub(1, std::memory_order_relaxed);
}

void Reaper::run() noexcept {
  std::unique_lock lock(mutex_);
  while (waiting_ != nullptr) {
    ServingSnapshotBody* const snapshot = std::exchange(waiting_, waiting_->next_);
    lock.unlock();
    free_one(snapshot);
    lock.lock();
  }
  running_ = false;
  idle_.notify_all();
}

void Reaper::wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !running_; });
}

void Reaper::close() noexcept {
  std::unique_lock lock(mutex_);
  closed_ = true;
  idle_.wait(lock, [this] { return !running_; });
  if (!thread_.joinable()) return;
  std::thread last = std::move(thread_);
  lock.unlock();
  last.join();
}

}  // namespace segue
