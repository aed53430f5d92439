#pragma once
// SlotMarks: a bit a slot. 25 KB for 200,000, so that asking one hits the first- or second-level cache.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace segue {

class SlotMarks {
 public:
  void resize(std::size_t slots) { words_.resize((slots + 63) / 64, 0); }
  bool has(std::uint32_t slot) const noexcept { return words_[slot >> 6] >> (slot & 63) & 1; }
  void set(std::uint32_t slot, bool marked) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (slot & 63);
    words_[slot >> 6] = (words_[slot >> 6] & ~bit) | (marked ? bit : 0);
  }
  std::size_t count() const noexcept {
    std::size_t marked = 0;
    for (const std::uint64_t word : words_) marked += static_cast<std::size_t>(std::popcount(word));
    return marked;
  }
  // Calls f(slot) for every marked one, ascending.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1) {
        f(static_cast<std::uint32_t>(64 * w + static_cast<std::size_t>(std::countr_zero(bits))));
      }
    }
  }
  std::size_t memory_usage() const noexcept { return words_.capacity() * sizeof(std::uint64_t); }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace segue
