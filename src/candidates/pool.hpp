#pragma once
// Pool: what the sources of a request proposed, duplicates merged, scores on one scale, best first.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "candidates/id_table.hpp"
#include "segue/candidates/generator.hpp"
#include "segue/core/id_map.hpp"

namespace segue {

struct PoolItem {
  Id id;
  double score;
  std::uint32_t place;          // as it came
  std::uint32_t row = kNoSlot;  // of the catalog, once it has been looked up
};

class Pool {
 public:
  // From the proposals of each source. O(proposals log proposals).
  void blend(std::span<const Proposals> proposals, const GeneratorOptions& options);

  std::size_t size() const noexcept { return items_.size(); }
  std::vector<PoolItem>& items() noexcept { return items_; }
  const std::vector<PoolItem>& items() const noexcept { return items_; }
  // After scores have changed.
  void sort();
  // Provenance of the candidates that these items, in this order, became: the CSR of `out`. Of the proposals that were
  // blended last.
  void trace(std::span<const Proposals> proposals, std::span<const std::uint32_t> taken, Candidates& out);

 private:
  // worth(i): what the i-th is worth.
  template <class Worth>
  void add_source(std::span<const Id> ids, const Worth& worth);
  // The item that an id is, new or there already.
  std::uint32_t place_of(Id id);

  std::vector<PoolItem> items_;
  std::vector<std::uint32_t> proposed_;  // the place of each proposal, source by source
  IdTable places_;
  bool alone_ = false;  // there is one source: no id comes twice
  std::vector<std::uint32_t> traced_;
};

// Adds what is new in `more` to `all`, by score where both have them: what one quota brings in may be better than what
// another did.
void append(const Proposals& more, Proposals& all);

}  // namespace segue
