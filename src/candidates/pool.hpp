#pragma once
// Pool: what the sources of a request proposed, duplicates merged, scores on one scale, best first.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "candidates/id_table.hpp"
#include "segue/candidates/generator.hpp"

namespace segue {

struct PoolItem {
  Id id;
  double score;
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

 private:
  void add_source(const Proposals& proposals, const SourceSpec& spec, Blend blend);

  std::vector<PoolItem> items_;
  IdTable places_;
};

// Adds what is new in `more` to `all`, by score where both have them: what one quota brings in may be better than what
// another did.
void append(const Proposals& more, Proposals& all);

// Provenance of the candidates in `out.ids`: the CSR of `out`.
void trace(std::span<const Proposals> proposals, IdTable& places, Candidates& out);

}  // namespace segue
