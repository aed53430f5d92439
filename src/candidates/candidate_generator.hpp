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
  // One request on its way; kept from call to call, as it holds memory.
  struct Asking {
    const Request* request = nullptr;
    Candidates* out = nullptr;
    const IdSet* allowed = nullptr;  // null: all
    IdSet both;                      // what `allowed` is, where it has to be kept
    Deadline deadline;
    std::size_t n = 0;  // asked of each source in the pass that comes
    Exclusions exclude;
    std::vector<Proposals> proposals;  // of each source
    std::vector<Quota> quotas;
  };
  // Of requests that are answered together.
  struct Memory {
    std::vector<Asking> asked;
    std::vector<Asking*> open;  // those that wait for a pass
    // One source's turn.
    std::vector<Asking*> turn;
    std::vector<Wanted> wanted;
    std::vector<Proposals> proposed;
    // One list's.
    Pool pool;
    Places places;
    DiverseMemory diverse;
    IdTable table;
  };

  Status check_request(const Request& request) const;
  Status answer_alone(const Request& request, Candidates& out, Memory& memory) const;
  void answer_together(std::span<const Request> requests, std::span<Candidates> out, std::span<Status> failures,
                       Memory& memory) const;
  // Into `open`, unless it is answered already.
  Status start(const Request& request, Candidates& out, Asking& asking, std::vector<Asking*>& open) const;
  // What the filter and the set of a request let through, or null for all; in `both` where it has to be kept.
  Result<const IdSet*> allow(const Request& request, IdSet& both) const;
  // All that are open. Those whose deadline is limited come alone.
  void answer(Memory& memory) const;
  // Asks each source that has more for the n of each.
  void ask(Memory& memory) const;
  Wanted wanted(Asking& asking, std::size_t source, std::size_t n, const IdSet* allowed) const;
  Status propose(const Wanted& wanted, std::size_t source, SourceReport& report, Proposals& out) const;
  // Of those whose turn it is; false: it has to be asked one by one.
  bool propose_together(std::size_t source, Memory& memory) const;
  void ask_for_quotas(Asking& asking, Memory& memory) const;
  // Whether a quota is not met and sources have more for it; it asks for more the next time.
  static bool widen_quotas(Asking& asking, const Places& places);
  void pick(const Asking& asking, Memory& memory) const;
  void move_scores(const CatalogRows& rows, Pool& pool) const;
  void finish(Asking& asking, Memory& memory) const;

  GeneratorOptions options_;
  std::vector<std::size_t> order_;  // of asking: what is there at once comes first
  std::vector<CapColumn> caps_;
  std::size_t freshness_column_ = 0;
  std::size_t popularity_column_ = 0;
  mutable ScratchPool<Memory> scratch_;
};

}  // namespace segue
