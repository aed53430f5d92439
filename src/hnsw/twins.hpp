#pragma once
// Twins: items whose vectors are equal to the last bit share one vertex of the graph.
//
// A thousand equal vectors would otherwise fill each other's lists, cut themselves off and hide what lies behind them.
// The first is the vertex; the others hang in a chain behind it and have no links. Doubly linked, so that any of them
// goes in O(1). The arrays are empty until there is a twin; from then on they have a place for every slot.

#include <cstddef>
#include <cstdint>

#include "segue/core/buffer.hpp"
#include "segue/core/id_map.hpp"

namespace segue {

class Twins {
 public:
  bool any() const noexcept { return !next_.empty(); }
  // Hangs in somebody's chain.
  bool is_twin(std::uint32_t slot) const noexcept { return slot < previous_.size() && previous_[slot] != 0; }
  // The next in the chain of `slot`, or kNoSlot.
  std::uint32_t next(std::uint32_t slot) const noexcept {
    return slot < next_.size() && next_[slot] - 1 < next_.size() ? next_[slot] - 1 : kNoSlot;
  }

  // While others read (see Buffer): attach() to so many slots moves nothing.
  template <class Publish>
  void reserve(std::size_t slots, const Publish& publish) {
    next_.reserve(slots, publish);
    previous_.reserve(slots, publish);
  }
  // There are that many slots now.
  void resize(std::size_t slots) {
    if (!any()) return;
    next_.resize(slots);
    previous_.resize(slots);
  }
  void attach(std::uint32_t twin, std::uint32_t vertex, std::size_t slots) {
    next_.resize(slots);
    previous_.resize(slots);
    next_[twin] = next_[vertex];
    previous_[twin] = vertex + 1;
    if (const std::uint32_t after = next(twin); after != kNoSlot) previous_[after] = twin + 1;
    next_[vertex] = twin + 1;
  }
  void detach(std::uint32_t twin) noexcept {
    const std::uint32_t after = next(twin);
    const std::uint32_t before = previous_[twin] - 1;
    if (before < next_.size()) next_[before] = next_[twin];
    if (after != kNoSlot) previous_[after] = previous_[twin];
    next_[twin] = 0;
    previous_[twin] = 0;
  }
  // Calls f for the vertex and all its twins, until f returns false.
  template <class F>
  void for_each(std::uint32_t vertex, const F& f) const {
    std::size_t steps = 0;
    for (std::uint32_t slot = vertex; slot != kNoSlot && steps <= next_.size(); slot = next(slot), ++steps) {
      if (!f(slot)) return;
    }
  }

  const Buffer<std::uint32_t>& next_array() const noexcept { return next_; }
  const Buffer<std::uint32_t>& previous_array() const noexcept { return previous_; }
  void adopt(Buffer<std::uint32_t> next, Buffer<std::uint32_t> previous) noexcept {
    next_ = std::move(next);
    previous_ = std::move(previous);
  }
  void clear() {
    next_ = {};
    previous_ = {};
  }
  std::size_t memory_usage() const noexcept { return next_.memory_usage() + previous_.memory_usage(); }

 private:
  Buffer<std::uint32_t> next_;      // slot + 1; 0: the last
  Buffer<std::uint32_t> previous_;  // slot + 1; 0: not a twin
};

}  // namespace segue
