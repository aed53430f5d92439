#pragma once
// NormOrder: the vertices by falling norm, for inner product. Empty under other metrics.
//
// Cauchy and Schwarz: no item scores above |query| * |item|. A scan in this order may stop as soon as that bound falls
// below the k-th best score, and what it found is exact.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "segue/core/buffer.hpp"

namespace segue {

class NormOrder {
 public:
  std::size_t size() const noexcept { return slots_.size(); }
  const std::uint32_t* slots() const noexcept { return slots_.data(); }
  float norm(std::size_t rank) const noexcept { return norms_[rank]; }

  // Merges new vertices in; equal norms by slot. O(size + new * log new).
  void insert(std::span<const std::uint32_t> slots, std::span<const float> norms) {
    std::vector<std::size_t> order(slots.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto before = [](float norm_a, std::uint32_t slot_a, float norm_b, std::uint32_t slot_b) {
      return norm_a != norm_b ? norm_a > norm_b : slot_a < slot_b;
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return before(norms[a], slots[a], norms[b], slots[b]); });
    // From the back, so that nothing is moved twice.
    std::size_t old = slots_.size();
    std::size_t fresh = order.size();
    slots_.resize(old + fresh);
    norms_.resize(old + fresh);
    for (std::size_t to = old + fresh; fresh > 0; --to) {
      const std::size_t from = order[fresh - 1];
      if (old > 0 && before(norms[from], slots[from], norms_[old - 1], slots_[old - 1])) {
        --old;
        slots_[to - 1] = slots_[old];
        norms_[to - 1] = norms_[old];
      } else {
        --fresh;
        slots_[to - 1] = slots[from];
        norms_[to - 1] = norms[from];
      }
    }
  }

  // Keeps those for which keep(slot) holds.
  template <class Keep>
  void filter(const Keep& keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (!keep(slots_[i])) continue;
      slots_[kept] = slots_[i];
      norms_[kept++] = norms_[i];
    }
    slots_.resize(kept);
    norms_.resize(kept);
  }

  const Buffer<std::uint32_t>& slot_array() const noexcept { return slots_; }
  const Buffer<float>& norm_array() const noexcept { return norms_; }
  void adopt(Buffer<std::uint32_t> slots, Buffer<float> norms) noexcept {
    slots_ = std::move(slots);
    norms_ = std::move(norms);
  }
  std::size_t memory_usage() const noexcept { return slots_.memory_usage() + norms_.memory_usage(); }

 private:
  Buffer<std::uint32_t> slots_;
  Buffer<float> norms_;
};

}  // namespace segue
