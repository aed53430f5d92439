#pragma once
// CentreBlocks: the centres of lists as blocks of eight-bit codes, for the question which lists a query should visit.
//
// Blocks are scanned as those of rows are (kernels/kernel_table.hpp): four queries at once, and only what may be among the
// best is looked at again. A query's limit rises with the blocks that it has seen, of which there are few to begin with.
// 2,000 centres of 128 dimensions take a query 3 microseconds where it comes alone. A near tie may fall the wrong way.
//
// Immutable once made; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codes/code_query.hpp"
#include "codes/scan_piece.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/candidate.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// What a list is worth to a query q: its product with the centre plus bonus[list], or `by_norm` |q| * bonus[list]; and no
// list that is barred is one of the best. There is a bonus for each of CentreBlocks::places().
struct ListWorth {
  std::span<const float> bonus;
  bool by_norm = false;
  // The same of centres as they are, where codes are of centres less their mean.
  std::span<const float> exact_bonus = {};
  std::span<const unsigned char> barred = {};  // empty: none is; else 1 where a list is
};

struct RankMemory {
  struct Query {
    CodeLevels codes;
    kernels::BlockQuery view;
    std::vector<Candidate> best;
  };
  Query queries[kQueriesAPiece];
  Buffer<float> moved;
  Buffer<std::uint32_t> positions;
  Buffer<float> values;
  Buffer<float> work;
  Buffer<std::uint32_t> passed;
};

class CentreBlocks {
 public:
  CentreBlocks(const kernels::KernelTable& table, std::size_t dim) : table_(&table), dim_(dim) {}
  // Row after row, as they are.
  void assign(MatrixView centres);

  std::size_t size() const noexcept { return size_; }
  // As many, and up to the end of the last block.
  std::size_t places() const noexcept { return scales_.size(); }
  // The best `count` lists of each of at most kQueriesAPiece queries, best first, equal ones by number, one query after the
  // other. count is at most size(), less what is barred.
  void rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count, RankMemory& memory,
            std::uint32_t* lists) const;
  std::size_t memory_usage() const noexcept { return codes_.memory_usage() + scales_.memory_usage(); }

 private:
  void leave_out(const ListWorth& worth, std::size_t first, kernels::BlockHits& hits) const;

  const kernels::KernelTable* table_;
  std::size_t dim_;
  std::size_t size_ = 0;
  Buffer<unsigned char> codes_;
  Buffer<float> scales_;
};

}  // namespace segue
