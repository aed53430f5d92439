#pragma once
// LayeredGraph: the links of an HNSW index. Knows no vectors.
//
// Layout: level 0 is one array of `degree0` links a vertex, ended early by kNoVertex; with m = 16 a list is exactly two
// cache lines. A vertex above level 0 owns a block in `upper`: its level, then `degree` links for each level from 1 up.
// Its level is a function of the seed and the slot, so a slot that is used again finds its block as large as it needs,
// and nothing is ever moved or freed.
//
// Invariants: a link names another vertex below size() that is in the graph on that level; no link twice in a list.
// Readers stop at the first link that is not below size(): that is the end marker, and it makes a damaged file harmless
// without a further test.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "segue/core/buffer.hpp"
#include "segue/status.hpp"

namespace segue {

inline constexpr std::uint32_t kNoVertex = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::size_t kMaxLevel = 15;

class LayeredGraph {
 public:
  LayeredGraph(std::size_t degree, std::uint64_t seed) noexcept : degree_(degree), seed_(seed) {}

  std::size_t degree(std::size_t level) const noexcept { return level == 0 ? 2 * degree_ : degree_; }
  // Slots, in the graph or not.
  std::size_t size() const noexcept { return upper_at_.size(); }
  std::uint32_t entry() const noexcept { return entry_; }
  std::size_t entry_level() const noexcept { return entry_ == kNoVertex ? 0 : level(entry_); }
  bool empty() const noexcept { return entry_ == kNoVertex; }
  void set_entry(std::uint32_t vertex) noexcept { entry_ = vertex; }

  // Geometric with mean 1 / ln(m), as in the paper (section 4.1), from a hash instead of a generator.
  std::size_t draw_level(std::uint32_t slot) const noexcept;
  // The level of a slot that has been given one.
  std::size_t level(std::uint32_t vertex) const noexcept;

  void reserve(std::size_t slots);
  // While others read; see Buffer.
  template <class Publish>
  void reserve(std::size_t slots, const Publish& publish) {
    links0_.reserve(slots * 2 * degree_, publish);
    upper_at_.reserve(slots, publish);
  }
  // So that open() of these moves nothing.
  template <class Publish>
  void reserve_upper(std::span<const std::uint32_t> slots, const Publish& publish) {
    upper_.reserve(upper_.size() + upper_places(slots), publish);
  }
  void resize(std::size_t slots);
  // Gives the slot its level, with empty lists. Not thread-safe.
  void open(std::uint32_t slot);
  // Whether open() would do nothing.
  bool is_open(std::uint32_t slot) const noexcept { return upper_at_[slot] != 0 || draw_level(slot) == 0; }
  // Empties the lists of the vertex.
  void close(std::uint32_t vertex) noexcept;
  // Drops all slots.
  void clear();

  // The list with its unused places; only for levels that the vertex has.
  std::span<std::uint32_t> places(std::uint32_t vertex, std::size_t level) noexcept;
  std::span<const std::uint32_t> places(std::uint32_t vertex, std::size_t level) const noexcept;
  // The links alone.
  std::span<const std::uint32_t> links(std::uint32_t vertex, std::size_t level) const noexcept;
  void set_links(std::uint32_t vertex, std::size_t level, std::span<const std::uint32_t> links) noexcept;
  const std::uint32_t* level0(std::uint32_t vertex) const noexcept { return links0_.data() + vertex * 2 * degree_; }

  // For files.
  const Buffer<std::uint32_t>& links0() const noexcept { return links0_; }
  const Buffer<std::uint32_t>& upper_at() const noexcept { return upper_at_; }
  const Buffer<std::uint32_t>& upper() const noexcept { return upper_; }
  void adopt(Buffer<std::uint32_t> links0, Buffer<std::uint32_t> upper_at, Buffer<std::uint32_t> upper,
             std::uint32_t entry) noexcept;

  std::size_t memory_usage() const noexcept {
    return links0_.memory_usage() + upper_at_.memory_usage() + upper_.memory_usage();
  }
  // Shape alone: ranges, levels, no repeated link. O(size * degree^2).
  Status validate() const;

 private:
  std::size_t upper_places(std::span<const std::uint32_t> slots) const noexcept;

  std::size_t degree_;
  std::uint64_t seed_;
  std::uint32_t entry_ = kNoVertex;
  Buffer<std::uint32_t> links0_;
  Buffer<std::uint32_t> upper_at_;  // where the slot's block begins in upper_, plus one; 0: on level 0 alone
  Buffer<std::uint32_t> upper_;
};

}  // namespace segue
