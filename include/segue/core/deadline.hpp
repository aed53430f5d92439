#pragma once
// Deadline: when a query must end. Asking costs a clock read (some 20 ns) if there is one, a branch if not.

#include <chrono>
#include <cstdint>

namespace segue {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  Deadline() noexcept = default;
  // `microseconds` from now; 0: never.
  explicit Deadline(std::int64_t microseconds) noexcept : limited_(microseconds > 0) {
    if (limited_) at_ = Clock::now() + std::chrono::microseconds(microseconds);
  }

  bool limited() const noexcept { return limited_; }
  bool passed() const noexcept { return limited_ && Clock::now() >= at_; }
  // Whole microseconds left, at least 0. Only where limited.
  std::int64_t left_us() const noexcept {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(at_ - Clock::now()).count();
    return left > 0 ? static_cast<std::int64_t>(left) : 0;
  }

 private:
  bool limited_ = false;
  Clock::time_point at_;
};

}  // namespace segue
