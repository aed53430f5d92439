#pragma once
// Centroids: the centres of the lists, and which of them a row belongs to or a query should visit.
//
// Both by eight-bit codes of the centres: in tiles for rows, of which there are many; in blocks for queries. What a scan
// needs exactly (products and distances to the centres that it visits) it takes from the rows in float32.
//
// Immutable once made; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <span>

#include "ivf/centre_blocks.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

class Centroids {
 public:
  Centroids(const kernels::KernelTable& table, std::size_t dim)
      : rows_(table, Storage::kF32, dim), codes_(table, Storage::kSq8, dim), blocks_(table, dim) {}
  Centroids(const kernels::KernelTable& table, MatrixView centres);

  std::size_t size() const noexcept { return rows_.size(); }
  std::size_t dim() const noexcept { return rows_.dim(); }
  const VectorStore& rows() const noexcept { return rows_; }
  // Of the centres, where nearly all are nearer to it than to zero; else zero. Codes are of what centres differ by from it,
  // which is finer then; but rows whose lengths are decades apart would, where they are short, all look like its opposite.
  const float* mean() const noexcept { return mean_.data(); }

  // lists[i]: the centre nearest to row i.
  void assign(MatrixView rows, std::uint32_t* lists, int threads) const;

  // The `count` lists that each query should visit, as CentreBlocks::rank() does, of any number of queries. Where the worth
  // is nearness() they are those with the nearest centres.
  void rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count, RankMemory& memory,
            std::uint32_t* lists) const;
  // Half the squared length of each centre less the mean, negated.
  std::span<const float> nearness() const noexcept { return nearness_.span(); }
  // What a worth has room for.
  std::size_t places() const noexcept { return blocks_.places(); }

  std::size_t memory_usage() const noexcept {
    return rows_.memory_usage() + codes_.memory_usage() + blocks_.memory_usage() + mean_.memory_usage() +
           nearness_.memory_usage();
  }

 private:
  struct AssignMemory;
  const float* products(MatrixView rows, AssignMemory& memory) const;

  VectorStore rows_;
  VectorStore codes_;  // less the mean, as are blocks
  CentreBlocks blocks_;
  Buffer<float> mean_;
  Buffer<float> nearness_;
};

}  // namespace segue
