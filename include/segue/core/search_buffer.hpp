#pragma once
// SearchBuffer: the best candidates of a walk, sorted, and which of them have been expanded.
//
// A sorted array instead of two heaps: insertion moves some hundred bytes within L1, the next vertex to expand is a
// cursor, and the worst kept cost is the last element. (As in NSG and DiskANN; Fu et al., arXiv 1707.00143.)

#include <cstddef>
#include <cstring>
#include <vector>

#include "segue/core/candidate.hpp"

namespace segue {

class SearchBuffer {
 public:
  void reset(std::size_t capacity) {
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
    capacity_ = capacity;
    size_ = 0;
    cursor_ = 0;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  Candidate operator[](std::size_t i) const noexcept { return entries_[i]; }
  bool full() const noexcept { return size_ == capacity_; }
  // A candidate that is not below this would be dropped.
  Candidate bound() const noexcept { return full() ? entries_[size_ - 1] : kWorstCandidate; }

  void insert(Candidate c) noexcept {
    if (c >= bound()) return;
    // Where it goes is a coin toss at every step: a search by masks, which cannot be mispredicted (of `? :`, gcc 12 makes
    // a branch).
    Candidate* const entries = entries_.data();
    const Candidate* from = entries;
    for (std::size_t length = size_; length > 0;) {
      const std::size_t half = (length + 1) / 2;
      from += half & (std::size_t{0} - static_cast<std::size_t>(from[half - 1] <= c));
      length -= half;
    }
    const auto at = static_cast<std::size_t>(from - entries);
    std::memmove(entries + at + 1, entries + at, (size_ - at) * sizeof(Candidate));
    entries[at] = c;
    size_ += size_ < capacity_;
    if (at < cursor_) cursor_ = at;
  }

  bool has_next() const noexcept { return cursor_ < size_; }
  // The best vertex not yet expanded; marks it.
  std::uint32_t next() noexcept {
    const std::uint32_t vertex = vertex_of(entries_[cursor_]);
    entries_[cursor_] |= kExpandedBit;
    do ++cursor_;
    while (cursor_ < size_ && (entries_[cursor_] & kExpandedBit));
    return vertex;
  }
  // The vertex that next() would give now; only while has_next().
  std::uint32_t peek() const noexcept { return vertex_of(entries_[cursor_]); }

 private:
  std::vector<Candidate> entries_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;  // nothing before it waits for expansion
};

}  // namespace segue
