#pragma once
// The true nearest of some queries among rows that come piece by piece, and how many of them had been found.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "segue/core/vector_store.hpp"
#include "segue/filter.hpp"
#include "segue/types.hpp"

namespace segue {

// A query as it was asked, and its answer. Owns all of it.
class ScanQuery {
 public:
  ScanQuery(std::span<const float> query, std::size_t k, const IdSet* filter, std::span<const Id> exclude,
            std::span<const Id> found);

  // How many there were to find, at most k; and how many answers were no worse than the last of those: of items that tie
  // with it any is right.
  std::size_t wanted() const noexcept { return best_.size(); }
  std::size_t hits() const noexcept;

 private:
  friend class ExactScan;

  bool accepts(Id id) const noexcept;
  // An item at most as dear as worst().
  void offer(float cost, Id id);
  float worst() const noexcept;

  std::vector<float> query_;
  std::size_t k_;
  IdSet filter_;
  bool filtered_;
  std::vector<Id> exclude_;                     // ascending
  std::vector<Id> found_;                       // ascending, none missing
  std::vector<float> found_costs_;              // of those seen that may be hits
  std::vector<std::pair<float, Id>> best_;      // a heap, the worst on top; each id once
};

class ExactScan {
 public:
  // `queries` stay until the scan has ended.
  ExactScan(std::size_t dim, Metric metric, std::span<ScanQuery* const> queries);
  // At most kMaxScoreList of them.
  void take(std::span<const Id> ids, std::span<const float> rows);

 private:
  std::span<ScanQuery* const> queries_;
  VectorStore rows_;
  RowMetric metric_;
  std::vector<PreparedQuery> prepared_;
  std::vector<std::uint32_t> slots_;
  std::vector<float> costs_;
};

}  // namespace segue
