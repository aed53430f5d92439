#pragma once
// ShadowRecall: chosen queries answered a second time, exactly, and compared with what was answered before.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "metrics/exact_scan.hpp"
#include "segue/index.hpp"
#include "segue/metrics.hpp"

namespace segue {

class MetricsBody;

class ShadowRecall {
 public:
  // `metrics` outlives it.
  ShadowRecall(const ShadowRecallOptions& options, const MetricsBody& metrics);
  ShadowRecall(const ShadowRecall&) = delete;
  ShadowRecall& operator=(const ShadowRecall&) = delete;
  ~ShadowRecall();

  // Of the queries just answered, whose numbers are `first` and so on, those that are chosen are copied into the queue, or
  // dropped. Any thread; never waits. `source`: by what number the metrics know the index.
  void offer(std::uint64_t first, std::uint64_t source, MatrixView queries, std::size_t k, const SearchOptions& options,
             const Id* ids) noexcept;
  RecallEstimate estimate() const;

 private:
  struct Job {
    std::uint64_t source;
    ScanQuery query;
  };

  bool chosen(std::uint64_t number) const noexcept;
  void take(std::uint64_t source, std::span<const float> query, std::size_t k, const IdSet* filter,
            std::span<const Id> exclude, std::span<const Id> found) noexcept;
  void run();
  void answer(std::vector<Job>& jobs);
  bool scan(std::uint64_t source, std::span<ScanQuery* const> queries);
  // Sleeps as long as the share of a core asks; false: it is time to end.
  bool pause();

  const ShadowRecallOptions options_;
  const MetricsBody& metrics_;
  const std::uint64_t threshold_;
  std::mutex mutex_;  // held for a swap or a push
  std::condition_variable wake_;
  std::vector<Job> waiting_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> sampled_{0}, dropped_{0};
  std::chrono::steady_clock::time_point awake_since_;
  std::chrono::steady_clock::duration worked_{};  // since it last slept

  mutable std::mutex figures_mutex_;
  RecallEstimate figures_;  // measured, skipped, wanted, found
  double recalls_ = 0;      // sum of those measured
  std::thread thread_;
};

}  // namespace segue
