#pragma once
// The body of a CandidateGenerator: passes of asking and picking, wider each time, until a list is full.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "candidates/exclusions.hpp"
#include "candidates/pick.hpp"
#include "candidates/places.hpp"
#include "candidates/pool.hpp"
#include "segue/candidates/generator.hpp"
#include "segue/core/scratch_pool.hpp"

namespace segue {

class CandidateGeneratorBody final : public CandidateGenerator {
 public:
  static Status check(const GeneratorOptions& options);
  explicit CandidateGeneratorBody(GeneratorOptions options);

  const GeneratorOptions& options() const noexcept override { return options_; }
  Result<Candidates> generate(const Request& request) const override;
  Result<std::vector<Candidates>> generate(std::span<const Request> requests, int threads) const override;

 private:
  struct Memory {
    Exclusions exclude;
    std::vector<Proposals> proposals;
    Proposals more;
    Pool pool;
    Places places;
    DiverseMemory diverse;
    IdTable table;
    std::vector<Quota> quotas;
  };
  // One request on its way.
  struct Asking {
    const Request& request;
    const IdSet* allowed;
    Deadline deadline;
    Candidates& out;
    Memory& memory;
  };

  Status check_request(const Request& request) const;
  Result<Candidates> answer(const Request& request, Memory& memory) const;
  // What the filter and the set of a request let through, or null for all; in `both` where it has to be kept.
  Result<const IdSet*> allow(const Request& request, IdSet& both) const;
  // Asks each source that has more for n.
  void ask(const Asking& asking, std::size_t n) const;
  Status propose(const Asking& asking, std::size_t source, std::size_t n, const IdSet* allowed, Proposals& out) const;
  void ask_for_quotas(const Asking& asking) const;
  // Whether a quota is not met and sources have more for it; it asks for more the next time.
  bool widen_quotas(const Asking& asking) const;
  void pick(const Asking& asking) const;
  void move_scores(const CatalogRows& rows, Pool& pool) const;
  void finish(const Asking& asking) const;

  GeneratorOptions options_;
  std::vector<std::size_t> order_;  // of asking: what is there at once comes first
  std::vector<CapColumn> caps_;
  std::size_t freshness_column_ = 0;
  std::size_t popularity_column_ = 0;
  mutable ScratchPool<Memory> scratch_;
};

}  // namespace segue
