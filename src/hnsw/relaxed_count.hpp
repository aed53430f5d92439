#pragma once
// RelaxedCount: a number that one thread changes while others read it; copied like any other.

#include <atomic>
#include <cstddef>

namespace segue {

class RelaxedCount {
 public:
  RelaxedCount() noexcept = default;
  RelaxedCount(const RelaxedCount& other) noexcept : count_(other.get()) {}
  RelaxedCount& operator=(const RelaxedCount& other) noexcept {
    set(other.get());
    return *this;
  }
  std::size_t get() const noexcept { return count_.load(std::memory_order_relaxed); }
  void set(std::size_t count) noexcept { count_.store(count, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> count_{0};
};

}  // namespace segue
