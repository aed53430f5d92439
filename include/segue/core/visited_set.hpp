#pragma once
// VisitedSet: which vertices a walk has seen.
//
// A bit a vertex: 200,000 vertices fit into 25 KB, so the test hits L1 or L2 where a stamp of two bytes a vertex would
// miss. Clearing undoes what was set, vertex by vertex, unless so much was set that wiping everything is cheaper.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace segue {

class VisitedSet {
 public:
  // Room for vertices below `size`; empties the set.
  void reset(std::size_t size) {
    const std::size_t words = (size + 63) / 64;
    if (marked_ * 4 < words_.size()) {
      for (std::size_t i = 0; i < marked_; ++i) words_[log_[i] >> 6] = 0;
    } else if (marked_ != 0) {
      std::memset(words_.data(), 0, words_.size() * sizeof(std::uint64_t));
    }
    marked_ = 0;
    make_room(1);  // so that there always is an address to copy to
    if (words_.size() < words) words_.resize(words + words / 4, 0);
  }

  // Marks the vertex; whether it was new.
  bool insert(std::uint32_t vertex) {
    make_room(1);
    const bool fresh = mark(vertex);
    log_[marked_] = vertex;
    marked_ += fresh;
    return fresh;
  }
  // Marks those of `links` before the first that is not below `size`; the new ones go to `fresh`, in order. How many.
  // Whether a link is new is a coin toss, so nothing here branches on it.
  // `meet` is called for each of them, new or not.
  template <class Meet>
  std::size_t insert_links(std::span<const std::uint32_t> links, std::size_t size, std::uint32_t* fresh,
                           const Meet& meet) {
    make_room(links.size());
    std::size_t n = 0;
    for (const std::uint32_t to : links) {
      if (to >= size) break;
      meet(to);
      fresh[n] = to;
      n += mark(to);
    }
    std::memcpy(log_.data() + marked_, fresh, n * sizeof(std::uint32_t));
    marked_ += n;
    return n;
  }
  bool contains(std::uint32_t vertex) const noexcept { return (words_[vertex >> 6] >> (vertex & 63)) & 1; }

 private:
  void make_room(std::size_t more) {
    if (log_.size() < marked_ + more) log_.resize(2 * (marked_ + more) + 1024);
  }
  bool mark(std::uint32_t vertex) noexcept {
    std::uint64_t& word = words_[vertex >> 6];
    const std::uint64_t before = word;
    word = before | std::uint64_t{1} << (vertex & 63);
    return ((before >> (vertex & 63)) & 1) == 0;
  }

  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> log_;  // what was marked, in its first marked_ places
  std::size_t marked_ = 0;
};

}  // namespace segue
