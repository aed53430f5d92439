#pragma once
// Centroids: the centres of the lists, and which of them a row belongs to or a query should visit.
//
// Both are products of eight-bit codes of the centres, as tiles: 2,000 centres of 128 dimensions take a microsecond a
// query. That a near tie may fall the wrong way costs nothing that a scan of lists would notice; what a
// scan needs exactly (products and distances to the centres that it visits) it takes from the rows in float32.
//
// Immutable once made; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "segue/core/vector_store.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// What ranking works in; kept between calls.
struct RankMemory {
  Buffer<float> moved;
  Buffer<unsigned char> queries;
  Buffer<unsigned char> scratch;
  Buffer<float> scores;
  std::vector<float> lanes;
  std::vector<std::uint64_t> keys;
};

class Centroids {
 public:
  Centroids(const kernels::KernelTable& table, std::size_t dim) : rows_(table, Storage::kF32, dim), codes_(table, Storage::kSq8, dim) {}
  Centroids(const kernels::KernelTable& table, MatrixView centres);

  std::size_t size() const noexcept { return rows_.size(); }
  std::size_t dim() const noexcept { return rows_.dim(); }
  const VectorStore& rows() const noexcept { return rows_; }
  // Of the centres, where nearly all are nearer to it than to zero; else zero. Codes are of what centres differ by from it,
  // which is finer then; but rows whose lengths are decades apart would, where they are short, all look like its opposite.
  const float* mean() const noexcept { return mean_.data(); }

  // lists[i]: the centre nearest to row i.
  void assign(MatrixView rows, std::uint32_t* lists, int threads) const;

  // What a list is worth to a query q: its product with the centre plus bias[list] plus |q| * spread[list]; spread may
  // be empty. The best `count` (at most size()) lists of each query, best first, equal ones by number, one query after
  // the other.
  struct Worth {
    std::span<const float> bias;
    std::span<const float> spread;
  };
  void rank(std::span<const float* const> queries, const Worth& worth, std::size_t count, RankMemory& memory,
            std::uint32_t* lists) const;
  // Half the squared length of each centre less their mean, negated: the bias under which the nearest is the best.
  std::span<const float> nearness() const noexcept { return nearness_.span(); }

  std::size_t memory_usage() const noexcept {
    return rows_.memory_usage() + codes_.memory_usage() + mean_.memory_usage() + nearness_.memory_usage();
  }

 private:
  // Products of at most kAtOnce rows with all centres; the rows are moved by the mean first where `move` is set.
  const float* products(std::span<const float* const> rows, bool move, RankMemory& memory) const;

  VectorStore rows_;
  VectorStore codes_;
  Buffer<float> mean_;
  Buffer<float> nearness_;
};

}  // namespace segue
