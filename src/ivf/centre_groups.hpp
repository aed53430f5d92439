#pragma once
// CentreGroups: which of many centres lie together, so that a row or a query need not look at all of them.
//
// A tree of two levels: about as many groups as the square root of the number of centres, by a few rounds of k-means over
// the centres themselves. What is nearest to a row nearly always lies in the few groups whose own centres are. Centres have
// places, group after group, each from a new block on, so that a group is scanned as rows are: of a thousand centres that
// takes as long as a graph takes for fifty.
//
// Immutable once made.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "segue/core/buffer.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

namespace kernels {
struct KernelTable;
}
class Centroids;

class CentreGroups {
 public:
  static constexpr std::uint32_t kNoCentre = ~std::uint32_t{0};

  // At least one centre.
  CentreGroups(const kernels::KernelTable& table, MatrixView centres);

  // The groups' own centres.
  const Centroids& top() const noexcept { return *top_; }
  std::size_t size() const noexcept { return sizes_.size(); }
  // Group g lies in the blocks first_block(g) .. first_block(g + 1).
  std::size_t first_block(std::size_t group) const noexcept { return first_block_[group]; }
  std::size_t blocks(std::size_t group) const noexcept { return first_block_[group + 1] - first_block_[group]; }
  // How many centres it has.
  std::size_t centres(std::size_t group) const noexcept { return sizes_[group]; }

  std::size_t places() const noexcept { return centre_at_.size(); }
  // kNoCentre behind the last of a group.
  std::uint32_t centre_at(std::size_t place) const noexcept { return centre_at_[place]; }
  std::size_t place_of(std::size_t centre) const noexcept { return place_of_[centre]; }
  std::size_t group_of(std::size_t centre) const noexcept { return group_of_[centre]; }
  std::size_t memory_usage() const noexcept;

 private:
  std::shared_ptr<const Centroids> top_;
  Buffer<std::uint32_t> first_block_;
  Buffer<std::uint32_t> sizes_;
  Buffer<std::uint32_t> centre_at_;
  Buffer<std::uint32_t> place_of_;
  Buffer<std::uint32_t> group_of_;
};

}  // namespace segue
