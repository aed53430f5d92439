#pragma once
// The exact scan of FlatIndex: every row is scored, what may be among the answers is kept, and decided by exact scores.
//
// One query streams over blocks of rows. Several queries share each block through the tile kernel, which sums in
// another order (and, for l2, cancels); sq8 rounds the query too. Both passes therefore keep what lies within a proven
// error of the k-th best, and exact_costs() decides. So one query and a batch give the same answers.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "flat/top_collector.hpp"
#include "items/exact_costs.hpp"
#include "items/gate.hpp"
#include "segue/core/buffer.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/vector_store.hpp"
#include "segue/core/walk.hpp"

namespace segue {

inline constexpr std::size_t kScanRows = 256;      // rows of a block: with their scores they stay in L1 and L2
inline constexpr std::size_t kScanQueries = 128;   // queries of a tile: enough to pay for packing the rows
inline constexpr std::size_t kTileFrom = 4;        // fewer queries than this are faster one by one

struct ScanMemory {
  PreparedQuery prepared;
  Buffer<unsigned char> tile_queries;
  Buffer<unsigned char> tile_scratch;
  std::vector<float> normalized;
  ExactCostMemory rescoring;
  std::vector<float> scores;
  std::vector<std::uint32_t> selected;
  std::vector<TopCollector> tops;
  std::vector<Candidate> exact;
  VisitedSet excluded;
  std::vector<VisitedSet> tile_excluded;
};

// A view of what is scanned.
struct ScanTarget {
  const VectorStore& store;
  RowMetric metric;
  std::size_t rows;
  float max_norm;  // no stored row is longer

  // Bounds |first-pass cost - exact cost| for a query; `tiled` for the tile kernel.
  float error(const float* query, bool tiled) const noexcept;
  bool first_pass_is_exact(bool tiled) const noexcept;
};

// The k best accepted slots of one query; `subset` empty: all rows, otherwise only these slots. The result, sorted by
// cost and then by id, is in memory.exact.
void scan_one(const ScanTarget& target, const float* query, std::size_t k, const Gate& gate, const IdMap& ids,
              const std::vector<std::uint32_t>* subset, const Deadline& deadline, ScanMemory& memory,
              WalkStats& stats);

// The same for several queries at once; results(i) is called with memory.exact filled for query i.
void scan_tile(const ScanTarget& target, const float* queries, std::size_t count, std::size_t k,
               std::span<const Gate> gates, const IdMap& ids, ScanMemory& memory,
               const std::function<void(std::size_t query)>& results);

// Every accepted slot with a cost of at most `bound`, sorted by cost and then by id, in memory.exact.
void scan_range(const ScanTarget& target, const float* query, float bound, const Gate& gate, const IdMap& ids,
                const Deadline& deadline, ScanMemory& memory, WalkStats& stats);

}  // namespace segue
