#pragma once
// Rows as inverted lists keep them: the list's centre, the code of what a row differs by from it, and what both leave over,
// where that is kept (a store of kSq8, one a slot). With all three a row is good to about 2^-16 of what it differs by from
// its centre; without the last, to what codes of eight bits and the directions left out make of it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codes/code_query.hpp"
#include "items/exact_costs.hpp"
#include "ivf/centroids.hpp"
#include "ivf/list_blocks.hpp"

namespace segue {

struct ListRows {
  const Centroids& centroids;
  const ListBlocks& blocks;
  const VectorStore* rests;  // or null
};

struct ReadListRowMemory {
  ListBlocks::ExpandMemory expanding;
  std::vector<float> heads;
  std::vector<float> part;
};

// The vectors that slots stand for, one after the other; zero where a damaged file has one nowhere. O(head * dim) each; several
// at once take a third of the time.
void read_list_rows(const ListRows& rows, std::span<const std::uint32_t> slots, float* out, ReadListRowMemory& memory);

// What one query costs against them, as good as in float32. Memory is kept between queries.
class ListScorer final : public ExactScorer {
 public:
  // `coded`: the query as the blocks prepared it; null: is done here.
  void reset(const ListRows& rows, const float* query, const CodedQuery* coded);
  void score(std::vector<Candidate>& candidates) override;

 private:
  struct Views {
    const Centroids* centroids = nullptr;
    const ListBlocks* blocks = nullptr;
    const VectorStore* rests = nullptr;
  };

  void score_block(Candidate* candidates, std::size_t n);
  void prepare_for_rests(const VectorStore& rests);
  void add_head_products(const float* scales, double* sums);
  void score_decoded(Candidate* candidates, std::size_t n);
  void score_centres(const std::uint32_t* lists, std::size_t n, float* out) const;

  Views rows_;
  const float* query_ = nullptr;
  bool covered_ = true;
  CodedQuery own_;
  CodeQueryMemory coding_;
  CodeLevels to_heads_;
  Buffer<float> scaled_;         // the query's head in the steps of planes
  Buffer<signed char> in_place_;  // and its codes where planes have them
  PreparedQuery to_centres_;
  PreparedQuery to_rests_[3];  // codes of the query, and of what those get wrong
  std::size_t rest_levels_ = 2;
  std::optional<VectorStore> query_rows_;
  Buffer<unsigned char> codes_;
  ReadListRowMemory reading_;
  std::vector<float> row_, left_;
};

}  // namespace segue
