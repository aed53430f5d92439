#pragma once
// Centroids: the centres of the lists, and which of them a row belongs to or a query should visit.
//
// Eight-bit codes of the centres find what comes into question: in tiles for rows, of which there are many; in blocks for
// queries. The centres in float32 decide: among those that codes cannot tell apart, and among somewhat more lists than a
// scan visits (ivf/scan_lists.cpp).
//
// Of many centres both look at some groups alone (ivf/centre_groups.hpp).
//
// Immutable once made; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <span>

#include "ivf/centre_blocks.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// How much it matters that a row's list is that of the nearest centre. kRough: the nearest by codes, as is enough while centres
// still move. kNear: near ties are decided in float32. kExact: as kNear, and all centres are looked at, however many.
enum class Assignment { kRough, kNear, kExact };

class Centroids {
 public:
  // Of many centres in groups so many rows are assigned together, at most: enough that a tile of them visits each group.
  static constexpr std::size_t kGroupedAtOnce = 1024;

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
  void assign(MatrixView rows, std::uint32_t* lists, int threads, Assignment how = Assignment::kNear) const;

  // The `count` lists that each query should visit, as CentreBlocks::rank() does, of any number of queries. Where the worth
  // is nearness() they are those with the nearest centres.
  void rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count, RankMemory& memory,
            std::uint32_t* lists) const;
  // Half the squared length of each centre less the mean, negated, by place; and of each as it is, by number.
  std::span<const float> nearness() const noexcept { return nearness_.span(); }
  std::span<const float> exact_nearness() const noexcept { return exact_nearness_.span(); }
  // What a worth has room for, and where in it a centre stands.
  std::size_t places() const noexcept { return blocks_.places(); }
  std::size_t place_of(std::size_t centre) const noexcept { return blocks_.place_of(centre); }
  const CentreGroups* groups() const noexcept { return blocks_.groups(); }
  std::size_t looked_at(std::size_t count) const noexcept { return blocks_.looked_at(count); }
  // Codes of what centres differ by from the mean.
  const CentreBlocks& blocks() const noexcept { return blocks_; }

  std::size_t memory_usage() const noexcept {
    return rows_.memory_usage() + codes_.memory_usage() + blocks_.memory_usage() + grains_.memory_usage() + mean_.memory_usage() +
           nearness_.memory_usage() + exact_nearness_.memory_usage();
  }

 private:
  // How long numbers are, and how coarse their codes.
  struct Grain {
    float length = 0;
    float step = 0;
  };
  struct AssignMemory;
  struct GroupedMemory;
  static Grain grain_of(const float* x, std::size_t dim) noexcept;
  void move(const float* x, float* to) const noexcept;
  void prepare(MatrixView rows, AssignMemory& memory) const;
  const float* products(const unsigned char* queries, std::size_t n, std::size_t place, std::size_t places,
                        AssignMemory& memory) const;
  std::size_t nearest_by_codes(const float* scores, std::size_t place, std::size_t places, AssignMemory& memory) const;
  float doubt(const float* row, std::size_t place, AssignMemory& memory) const;
  std::uint32_t nearest(const float* row, std::size_t by_codes, const float* scores, AssignMemory& memory) const;
  std::uint32_t nearest_of_near(const float* row, AssignMemory& memory) const;
  void nearest_few(MatrixView rows, std::size_t few, std::uint32_t* centres, AssignMemory& memory) const;
  void assign_in_groups(MatrixView rows, std::uint32_t* lists, Assignment how, GroupedMemory& memory) const;

  VectorStore rows_;
  VectorStore codes_;  // less the mean, as are blocks; by place
  CentreBlocks blocks_;
  Buffer<Grain> grains_;  // of codes_
  Buffer<float> mean_;
  Buffer<float> nearness_;
  Buffer<float> exact_nearness_;
};

}  // namespace segue
