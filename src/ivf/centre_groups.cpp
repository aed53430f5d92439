#include "ivf/centre_groups.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "codes/block_arrays.hpp"
#include "ivf/centroids.hpp"
#include "ivf/train_centroids.hpp"

namespace segue {
namespace {

using kernels::kBlockRows;

// Of k-means over centres, which are even by themselves.
constexpr std::size_t kRounds = 4;
constexpr std::size_t kGroupsARoot = 2;

}  // namespace

CentreGroups::CentreGroups(const kernels::KernelTable& table, MatrixView centres) {
  const std::size_t n = centres.rows();
  // So few that these have no groups themselves.
  const std::size_t most = std::min(n, CentreBlocks::kLeastGrouped - 1);
  const std::size_t wanted = std::min(most, kGroupsARoot * static_cast<std::size_t>(std::sqrt(static_cast<double>(n))));
  // In one thread, and without progress: it cannot fail, and is a small part of what made the centres.
  const Result<std::vector<float>> own =
      train_centroids(table, centres, {.lists = wanted, .threads = 1, .rounds = kRounds});
  top_ = std::make_shared<const Centroids>(table, MatrixView(*own, centres.cols()));
  // Fewer than were wanted where many centres are the same.
  const std::size_t count = top_->size();
  group_of_.resize(n);
  top_->assign(centres, group_of_.data(), 1, Assignment::kRough);

  sizes_.resize(count);
  std::fill_n(sizes_.data(), count, 0u);
  for (std::size_t i = 0; i < n; ++i) ++sizes_[group_of_[i]];
  first_block_.resize(count + 1);
  first_block_[0] = 0;
  for (std::size_t g = 0; g < count; ++g) {
    first_block_[g + 1] = first_block_[g] + static_cast<std::uint32_t>(blocks_for(sizes_[g]));
  }
  centre_at_.resize(first_block_[count] * kBlockRows);
  std::fill_n(centre_at_.data(), centre_at_.size(), kNoCentre);
  place_of_.resize(n);
  std::vector<std::uint32_t> next(count);
  for (std::size_t g = 0; g < count; ++g) next[g] = first_block_[g] * static_cast<std::uint32_t>(kBlockRows);
  for (std::size_t i = 0; i < n; ++i) {
    place_of_[i] = next[group_of_[i]]++;
    centre_at_[place_of_[i]] = static_cast<std::uint32_t>(i);
  }
}

std::size_t CentreGroups::memory_usage() const noexcept {
  return top_->memory_usage() + first_block_.memory_usage() + sizes_.memory_usage() +
         centre_at_.memory_usage() + place_of_.memory_usage() + group_of_.memory_usage();
}

}  // namespace segue
