#pragma once
// Regions: which part of space each slot's row lies in; what a search under a filter goes by instead of links.
//
// Links lead from vertex to vertex whether a filter lets them through or not. Regions do not: those that hold matches are
// visited nearest first, and nothing but matches is looked at (hnsw/match_plan.hpp). Twice the square root of the items,
// by a few rounds of k-means over rows as a walk reads them: 200,000 codes of 52 directions take a fiftieth of what their
// graph does, and two bytes each.
//
// There are none of few items, nor under inner product, where a search goes by falling norm. A row that comes joins the
// nearest; at each fourfold growth all are drawn anew. Safe to read from any number of threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "items/publisher.hpp"
#include "ivf/centroids.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {

class Regions {
 public:
  // How many there are; 0: none have been drawn.
  std::size_t size() const noexcept { return centres_ == nullptr ? 0 : centres_->size(); }
  // Only of slots of items. In a damaged file it may be any.
  std::uint32_t of(std::uint32_t slot) const noexcept {
    return slot < of_.size() && of_[slot] < size() ? of_[slot] : 0;
  }
  const Centroids& centres() const noexcept { return *centres_; }

  // Of the first rows of all, which lie in slots 0 .. n-1.
  void start(const VectorStore& rows, std::size_t n, std::uint64_t seed, int threads);
  // Of the rows in these slots, whatever is due.
  void draw_anew(const VectorStore& rows, std::span<const std::uint32_t> slots, std::uint64_t seed, int threads) {
    draw(rows, slots, seed, threads);
  }
  // Slot i becomes what slot from[i] was; there are as many as those then.
  void permute(std::span<const std::uint32_t> from);
  // There are that many slots now; reserve() before, so that this moves nothing.
  void reserve(std::size_t slots, const Publisher& publish) { of_.reserve(slots, publish); }
  void resize(std::size_t slots) { of_.resize(slots); }
  // After rows of these slots, which are held, have come: draws regions where they are due, else says where the new ones
  // lie. Short of memory there are none. Whether all are others now.
  bool take(const VectorStore& rows, const IdMap& ids, std::span<const std::uint32_t> fresh, std::uint64_t seed,
            int threads, const Publisher& publish);
  // Rows mean something else now.
  void clear() noexcept;

  // For files. False where they do not fit together.
  const Buffer<std::uint16_t>& slot_array() const noexcept { return of_; }
  std::vector<float> centre_rows() const;
  bool adopt(const VectorStore& rows, Buffer<std::uint16_t> slots, std::span<const float> centres);
  std::size_t memory_usage() const noexcept {
    return of_.memory_usage() + (centres_ == nullptr ? 0 : centres_->memory_usage());
  }

 private:
  void draw(const VectorStore& rows, std::span<const std::uint32_t> slots, std::uint64_t seed, int threads);
  void put(const VectorStore& rows, std::span<const std::uint32_t> slots, int threads);

  std::shared_ptr<const Centroids> centres_;  // of the numbers that rows stand for
  Buffer<std::uint16_t> of_;                  // by slot
};

}  // namespace segue
