#pragma once
// ChangeLog: which blocks have changed, so that what was derived from all of them is brought up to date from a few.
//
// A log names itself: one that was copied, moved from or has forgotten begins anew under another name, and a Moment of the
// one before means nothing to it. Not thread-safe for changes; reading is safe from any number of threads.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace segue {

class ChangeLog {
 public:
  struct Moment {
    std::uint64_t log = 0;
    std::size_t at = 0;

    bool operator==(const Moment&) const noexcept = default;
  };

  ChangeLog() noexcept = default;
  ChangeLog(const ChangeLog&) noexcept {}
  ChangeLog(ChangeLog&& other) noexcept : name_(other.name_), blocks_(std::move(other.blocks_)) { other.restart(); }
  ChangeLog& operator=(ChangeLog other) noexcept {
    std::swap(name_, other.name_);
    std::swap(blocks_, other.blocks_);
    return *this;
  }

  void add(std::size_t block) noexcept {
    if (blocks_.size() == blocks_.capacity() && !begin_anew()) return;
    blocks_.push_back(static_cast<std::uint32_t>(block));
  }
  // Anything may have changed.
  void restart() noexcept {
    name_ = next_name();
    blocks_.clear();
  }

  Moment now() const noexcept { return {name_, blocks_.size()}; }
  // Each change since then, in order; nothing where the log does not go back so far.
  std::optional<std::span<const std::uint32_t>> since(Moment moment) const noexcept {
    if (moment.log != name_) return std::nullopt;
    return std::span(blocks_).subspan(moment.at);
  }

 private:
  // With more than that changed, beginning anew is as quick.
  static constexpr std::size_t kMost = 1024;

  static std::uint64_t next_name() noexcept {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
  }
  bool begin_anew() noexcept {
    restart();
    try {
      blocks_.reserve(kMost);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  std::uint64_t name_ = next_name();
  std::vector<std::uint32_t> blocks_;
};

}  // namespace segue
