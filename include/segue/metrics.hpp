#pragma once
// Metrics: what indexes do, counted and timed, for dashboards and alarms.
//
//   auto metrics = segue::Metrics::create({.labels = {{"index", "tracks"}}}).value();
//   index->set_metrics(metrics);                                  // also of a LiveIndex or a Serving; one for several
//   ...
//   segue::MetricsSnapshot now = metrics->snapshot();             // p99: now.search.latency.quantile(0.99)
//   std::string page = metrics->prometheus();                     // what Prometheus scrapes
//
// Counters only rise, from the making of a Metrics to its end, whatever is attached to it, detached or swapped meanwhile.
// Latencies are those of whole calls: what the caller waited for, a batch of queries counted once. They are kept in buckets
// a sixteenth of their value wide, so that a quantile is off by at most 1/32 of itself (below 128 ns by 4 ns), from 8 ns to
// 137 s.
//
// Costs: an index without metrics loads a flag. With them a search reads the clock twice and adds to some counters of its
// thread's share: some 0.2 us (docs/decisions/0018-observability.md). 150 kB each. snapshot() takes some 40 us, prometheus()
// 220, and both ask what is attached for its gauges; nobody waits for them but who attaches or ends an index.
//
// Shadow queries estimate the recall that is served: see ShadowRecallOptions.
//
// Thread-safety: everything may be called from any thread. Figures of a snapshot are each true, and may be some
// nanoseconds apart from each other. An index holds its metrics; metrics hold no index.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "segue/status.hpp"

namespace segue {

// A share of the queries is answered a second time, exactly, by a scan of all that the index holds, in a thread of the
// metrics' own, and compared with what was answered before: the same filter, the same exclusions, the same k. It reads the
// index piece by piece beside everything else; nobody waits for it. A query that comes while the queue is full is dropped.
// One scan serves all that wait. What changes in an index between a query and its scan counts against the query. A scan
// reads every row: for an index larger than memory that is every page of its file, from disk.
struct ShadowRecallOptions {
  double rate = 0;          // the share, 0 to 1; 0: no thread
  std::uint64_t seed = 0;   // of the choice: in one thread the same seed chooses the same queries
  std::size_t queue = 64;   // queries that may wait, 1 to 65,536
  double load = 0.1;        // the share of a core that the scans may take, above 0 to 1; it sleeps in between
};

struct MetricsOptions {
  // On every line of prometheus(). Names: letters, digits and underscores, no digit first, none twice, none of "le" and
  // "op", none that begins with "__"; values: any.
  std::vector<std::pair<std::string, std::string>> labels = {};
  // The buckets of prometheus(), in seconds, above 0 and ascending; a bucket counts what lies below its bound to within
  // 1/32 of the bound. Empty: 8.192 us, and twice as much each, to 17.2 s, which are exact.
  std::vector<double> latency_bounds = {};
  ShadowRecallOptions shadow = {};
};

// How long calls took.
struct LatencyHistogram {
  std::uint64_t count = 0;
  double seconds = 0;                  // of all together
  std::vector<std::uint64_t> buckets;  // what quantile() reads

  // The latency that a share `q` (0 to 1) of the calls did not exceed, in seconds; 0 where there are none. O(buckets).
  double quantile(double q) const noexcept;
  // How many took at most so many seconds, as of MetricsOptions::latency_bounds.
  std::uint64_t at_most(double bound) const noexcept;
  // Of two processes, or two moments: what came in between. `earlier` is of the same Metrics.
  LatencyHistogram since(const LatencyHistogram& earlier) const;
};

struct OperationMetrics {
  std::uint64_t calls = 0;   // that succeeded
  std::uint64_t errors = 0;  // that did not; they count nowhere else
  std::uint64_t items = 0;   // queries of searches; vectors of changes; of a removal those that were there
  LatencyHistogram latency;  // of those that succeeded
};

struct RecallEstimate {
  std::uint64_t sampled = 0;   // queries chosen
  std::uint64_t measured = 0;  // compared
  std::uint64_t dropped = 0;   // the queue was full, or memory was
  std::uint64_t skipped = 0;   // nothing was to be found, or the index has gone
  std::uint64_t wanted = 0;    // true answers of those measured, and how many of them had been found
  std::uint64_t found = 0;
  // Mean recall@k of those measured, k as each asked; with a 95 % interval (Wilson's for as many yes-or-no answers, which
  // vary more than recalls do). Since the beginning; for the last hour compare `found` and `wanted` an hour apart.
  double recall = 0;
  double low = 0;
  double high = 1;
};

// What indexes hold at the moment; of several the sum, or the largest where it is an age.
struct LiveGauges {
  std::uint64_t journal_lag = 0;    // changes that the disk does not have yet
  std::uint64_t journal_bytes = 0;  // since the last snapshot: what opening would replay
  double snapshot_age = 0;          // seconds
};
struct ServingGauges {
  std::uint64_t generation = 0;  // the largest
  std::uint64_t held = 0;        // snapshots in memory
  double age = 0;                // seconds since the one that serves began to
};

struct MetricsSnapshot {
  OperationMetrics search, range_search;
  std::uint64_t distances = 0;  // of all queries; see QueryStats
  std::uint64_t visited = 0;
  std::uint64_t cut = 0;        // queries that a deadline ended
  OperationMetrics add, upsert, remove;  // of a LiveIndex with the wait for its journal
  OperationMetrics snapshot;             // of a LiveIndex; items: bytes
  OperationMetrics swap;                 // of a Serving; items: items of the new indexes
  RecallEstimate recall;                 // what shadow queries say

  std::uint64_t indexes = 0;  // attached
  std::uint64_t items = 0;    // in them
  std::uint64_t memory = 0;   // bytes, mapped files included
  std::optional<LiveGauges> live;        // where a LiveIndex is attached
  std::optional<ServingGauges> serving;  // where a Serving is
};

class Metrics {
 public:
  // kInvalidArgument: options outside what they say. kOutOfMemory, also where no thread can be started.
  static Result<std::shared_ptr<Metrics>> create(MetricsOptions options = {});
  // Ends the thread of shadow queries, after at most some milliseconds.
  virtual ~Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  virtual const MetricsOptions& options() const noexcept = 0;
  virtual MetricsSnapshot snapshot() const = 0;
  // The same in the text format of Prometheus (version 0.0.4; also what OpenMetrics scrapers take): every line with a HELP
  // and a TYPE before it, names that begin with segue_.
  virtual std::string prometheus() const = 0;

 private:
  friend class MetricsBody;
  Metrics() = default;
};

// A snapshot in that format. `bounds` as MetricsOptions::latency_bounds.
std::string to_prometheus(const MetricsSnapshot& snapshot,
                          const std::vector<std::pair<std::string, std::string>>& labels = {},
                          const std::vector<double>& bounds = {});

}  // namespace segue
