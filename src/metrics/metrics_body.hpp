#pragma once
// The body of Metrics: counters that calls raise, the sources that are asked when somebody reads, the shadow queries.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "metrics/metrics_source.hpp"
#include "metrics/operation_counters.hpp"
#include "metrics/shadow_recall.hpp"
#include "segue/index.hpp"
#include "segue/metrics.hpp"

namespace segue {

enum class Operation : unsigned { kSearch, kRangeSearch, kAdd, kUpsert, kRemove, kSnapshot, kSwap };

// "segue.search", ...
const char* span_name(Operation operation) noexcept;

class MetricsBody final : public Metrics {
 public:
  explicit MetricsBody(MetricsOptions options);
  ~MetricsBody() override;

  const MetricsOptions& options() const noexcept override { return options_; }
  MetricsSnapshot snapshot() const override;
  std::string prometheus() const override;

  // ---- calls, any thread ----
  void record_error(Operation operation) noexcept { raise_by(counters(operation).errors, 1); }
  // Neither kSearch nor kRangeSearch.
  void record(Operation operation, std::uint64_t nanoseconds, std::uint64_t items) noexcept {
    counters(operation).succeed(nanoseconds, items);
  }
  // kSearch or kRangeSearch. `stats`: one a query. The number of the first of the queries, which no other has.
  std::uint64_t record_search(Operation operation, std::uint64_t nanoseconds, std::size_t queries,
                              std::span<const QueryStats> stats) noexcept;
  // Null: no query is answered twice.
  ShadowRecall* shadow() const noexcept { return shadow_.get(); }

  // ---- sources ----
  // By what number the source is known; 0: memory ran out, and it is not asked.
  std::uint64_t join(const MetricsSource& source) noexcept;
  void leave(std::uint64_t number) noexcept;
  // Calls use(source) while it cannot leave; false: it has left.
  template <class Use>
  bool with_source(std::uint64_t number, const Use& use) const {
    const std::lock_guard lock(sources_mutex_);
    for (const auto& [known, source] : sources_) {
      if (known != number) continue;
      use(*source);
      return true;
    }
    return false;
  }

 private:
  OperationCounters& counters(Operation operation) noexcept;

  const MetricsOptions options_;
  std::array<SearchCounters, kShares> shares_;
  // Of an index one at a time; several indexes may meet here.
  OperationCounters add_, upsert_, remove_, snapshot_, swap_;
  mutable std::mutex sources_mutex_;
  std::vector<std::pair<std::uint64_t, const MetricsSource*>> sources_;
  std::uint64_t next_source_ = 1;
  std::unique_ptr<ShadowRecall> shadow_;  // its thread reads the sources
};

// create() makes no others.
inline MetricsBody& body_of(Metrics& metrics) noexcept { return static_cast<MetricsBody&>(metrics); }

}  // namespace segue
