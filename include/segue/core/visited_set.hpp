#pragma once
// VisitedSet: which vertices a walk has seen.
//
// A bit a vertex: 200,000 vertices fit into 25 KB, so the test hits L1 or L2 where a stamp of two bytes a vertex would
// miss. Clearing undoes what was set, word by word, unless so much was set that wiping everything is cheaper.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace segue {

class VisitedSet {
 public:
  // Room for vertices below `size`; empties the set.
  void reset(std::size_t size) {
    const std::size_t words = (size + 63) / 64;
    if (touched_.size() * 8 < words_.size()) {
      for (const std::uint32_t word : touched_) words_[word] = 0;
    } else if (!touched_.empty()) {
      std::memset(words_.data(), 0, words_.size() * sizeof(std::uint64_t));
    }
    touched_.clear();
    if (words_.size() < words) words_.resize(words + words / 4, 0);
  }

  // Marks the vertex; whether it was new.
  bool insert(std::uint32_t vertex) {
    std::uint64_t& word = words_[vertex >> 6];
    const std::uint64_t bit = std::uint64_t{1} << (vertex & 63);
    if (word & bit) return false;
    if (word == 0) touched_.push_back(vertex >> 6);
    word |= bit;
    return true;
  }
  bool contains(std::uint32_t vertex) const noexcept { return (words_[vertex >> 6] >> (vertex & 63)) & 1; }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> touched_;  // words that are not 0
};

}  // namespace segue
