#pragma once
// Publisher: the moments in which a change becomes visible to those who search.
//
// Whoever changes what others read prepares beside it, however long that takes, and hands over in pieces: each call runs
// its piece while no reader is inside. A piece takes some microseconds, and what readers find between two of them is
// whole. Where nobody reads yet, pieces just run, and need not be short.
//
// What needs no such moment: memory that no reader can reach, as the row of a slot that is in no list and has no id.

#include <cstddef>
#include <mutex>

#include "items/reader_mutex.hpp"

namespace segue {

class Publisher {
 public:
  // Nobody reads.
  Publisher() noexcept = default;
  explicit Publisher(ReaderMutex& readers) noexcept : readers_(&readers) {}

  bool has_readers() const noexcept { return readers_ != nullptr; }

  template <class Piece>
  void operator()(const Piece& piece) const {
    if (readers_ == nullptr) return piece();
    const std::unique_lock alone(*readers_);
    piece();
  }
  // piece(begin, end) for at most `size` of n at a time.
  template <class Piece>
  void in_pieces(std::size_t n, std::size_t size, const Piece& piece) const {
    if (readers_ == nullptr) return piece(std::size_t{0}, n);
    for (std::size_t begin = 0; begin < n; begin += size) {
      (*this)([&] { piece(begin, begin + size < n ? begin + size : n); });
    }
  }

 private:
  ReaderMutex* readers_ = nullptr;
};

}  // namespace segue
