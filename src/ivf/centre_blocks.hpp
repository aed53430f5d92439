#pragma once
// CentreBlocks: the centres of lists as blocks of eight-bit codes, for the question which lists a query should visit.
//
// Blocks are scanned as those of rows are (kernels/kernel_table.hpp): four queries at once, and only what may be among the
// best is looked at again. A query's limit rises with the blocks that it has seen, of which there are few to begin with.
// 2,000 centres of 128 dimensions take a query 3 microseconds where it comes alone. A near tie may fall the wrong way. Of
// 16,384 centres or more a query looks at those in the groups that promise most (ivf/centre_groups.hpp).
//
// Immutable once made; reading is safe from any number of threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "codes/code_query.hpp"
#include "codes/scan_piece.hpp"
#include "ivf/centre_groups.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/candidate.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// What a list is worth to a query q: its product with the centre plus its bonus, or `by_norm` |q| times that; and no list that
// is barred is one of the best.
struct ListWorth {
  std::span<const float> bonus;  // by place: CentreBlocks::places() of them
  bool by_norm = false;
  // The same of centres as they are, where codes are of centres less their mean.
  std::span<const float> exact_bonus = {};
  std::span<const unsigned char> barred = {};  // empty: none is; else 1 where a list is
  // By group, what its lists have on average. Empty: groups are ranked by nearness.
  std::span<const float> group_bonus = {};
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
  std::unique_ptr<RankMemory> of_groups;
  std::vector<std::uint32_t> groups;
};

class CentreBlocks {
 public:
  CentreBlocks(const kernels::KernelTable& table, std::size_t dim) : table_(&table), dim_(dim) {}
  // Fewer have no groups.
  static constexpr std::size_t kLeastGrouped = 2048;

  // As they are.
  void assign(MatrixView centres);
  // Leading coordinates of the centres of another, in the places that they have there.
  void assign(MatrixView heads, const CentreBlocks& of);

  std::size_t size() const noexcept { return size_; }
  // Null: a centre's place is its number.
  const CentreGroups* groups() const noexcept { return groups_.get(); }
  // As many, and up to the end of the last block, or that of each group.
  std::size_t places() const noexcept { return scales_.size(); }
  std::size_t place_of(std::size_t centre) const noexcept { return groups_ == nullptr ? centre : groups_->place_of(centre); }
  // CentreGroups::kNoCentre where there is none.
  std::size_t centre_at(std::size_t place) const noexcept {
    if (groups_ != nullptr) return groups_->centre_at(place);
    return place < size_ ? place : CentreGroups::kNoCentre;
  }
  // The best `count` lists of each of at most kQueriesAPiece queries, best first, equal ones by number, one query after the
  // other. count is at most size(), less what is barred.
  void rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count, RankMemory& memory,
            std::uint32_t* lists) const;
  // About how many centres it takes to rank so many.
  std::size_t looked_at(std::size_t count) const noexcept;
  std::size_t memory_usage() const noexcept {
    return codes_.memory_usage() + scales_.memory_usage() + (groups_ == nullptr ? 0 : groups_->memory_usage());
  }

  // Whether ranking so many looks at some groups alone.
  bool goes_by_groups(std::size_t count) const noexcept;

 private:
  void lay_out(MatrixView centres);
  void scan(std::size_t block, std::size_t blocks, std::size_t first, std::size_t n, const ListWorth& worth,
            std::size_t count, RankMemory& memory) const;
  void scan_groups(const float* query, std::size_t q, const ListWorth& worth, std::size_t count, RankMemory& memory) const;
  void leave_out(const ListWorth& worth, std::size_t block, kernels::BlockHits& hits) const;

  const kernels::KernelTable* table_;
  std::size_t dim_;
  std::size_t size_ = 0;
  std::shared_ptr<const CentreGroups> groups_;
  Buffer<unsigned char> codes_;
  Buffer<float> scales_;
};

}  // namespace segue
