#pragma once
// IndexWatch: whoever watches an index, and calls that are timed and counted while somebody does.
//
//   if (!watch.on()) return work();                 // two flags are all that it costs
//   return watch.change(Operation::kAdd, n, work);
//
// The metrics are changed as all of an index is that others read: while no reader is inside. So whoever records holds the
// readers' lock for as long as that takes, and nobody counts references. No lock is held while a call does its work, or
// while trace hooks run.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <utility>
#include <vector>

#include "items/check_input.hpp"
#include "items/publisher.hpp"
#include "items/reader_mutex.hpp"
#include "metrics/metrics_body.hpp"
#include "metrics/trace_span.hpp"

namespace segue {

class IndexWatch {
 public:
  explicit IndexWatch(ReaderMutex& readers) noexcept : readers_(readers) {}

  bool on() const noexcept { return attached_.load(std::memory_order_relaxed) || tracing(); }
  std::shared_ptr<Metrics> metrics() const { return link_.get(); }

  // Null: none. Without `changes` only searches are watched. `source`: the index.
  void set(std::shared_ptr<Metrics> metrics, bool changes, const MetricsSource& source) {
    const std::lock_guard one_at_a_time(setting_);
    Metrics* const next = metrics.get();
    std::uint64_t number = 0;
    // Those before stay until nobody can be raising their counters.
    const std::shared_ptr<Metrics> before = link_.set(std::move(metrics), source, number);
    Publisher{readers_}([&] {
      recorder_ = next == nullptr ? nullptr : &body_of(*next);
      number_ = number;
    });
    changes_.store(changes, std::memory_order_relaxed);
    attached_.store(next != nullptr, std::memory_order_relaxed);
  }
  // See MetricsLink.
  void leave() noexcept { link_.leave(); }

  // work() -> Status; `items` is looked at afterwards.
  template <class Work>
  Status change(Operation operation, const std::size_t& items, const Work& work) const {
    if (!on() || !changes_.load(std::memory_order_relaxed)) return work();
    TraceSpan span(span_name(operation));
    const auto start = std::chrono::steady_clock::now();
    Status done = work();
    const std::uint64_t took = nanoseconds_since(start);
    span.end(done);
    record([&](MetricsBody& metrics) {
      if (done.ok()) metrics.record(operation, took, items);
      else metrics.record_error(operation);
    });
    return done;
  }

  // work(options) -> Status, with options that ask for stats if those given do not; offer(shadow, number of the first query,
  // number of the index) for shadow queries.
  template <class Work, class Offer>
  Status search(Operation operation, MatrixView queries, const SearchOptions& options, const Work& work,
                const Offer& offer) const {
    std::array<QueryStats, 8> few;
    std::vector<QueryStats> many;
    SearchOptions measured = options;
    if (options.stats.empty() && attached_.load(std::memory_order_relaxed)) {
      if (queries.rows() > few.size()) {
        const Status room = guard_memory([&]() -> Status {
          many.resize(queries.rows());
          return {};
        });
        if (!room.ok()) return room;
      }
      measured.stats = queries.rows() > few.size() ? std::span(many) : std::span(few).first(queries.rows());
    }
    TraceSpan span(span_name(operation));
    const auto start = std::chrono::steady_clock::now();
    Status done = work(measured);
    const std::uint64_t took = nanoseconds_since(start);
    span.end(done);
    record([&](MetricsBody& metrics) {
      if (!done.ok()) return metrics.record_error(operation);
      const std::uint64_t first = metrics.record_search(operation, took, queries.rows(), measured.stats);
      if (metrics.shadow() != nullptr) offer(*metrics.shadow(), first, number_);
    });
    return done;
  }

 private:
  static std::uint64_t nanoseconds_since(std::chrono::steady_clock::time_point start) noexcept {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  }
  template <class Record>
  void record(const Record& record_in) const noexcept {
    const std::shared_lock lock(readers_);
    if (recorder_ != nullptr) record_in(*recorder_);
  }

  ReaderMutex& readers_;
  std::mutex setting_;
  MetricsLink link_;
  // Changed while no reader is inside.
  MetricsBody* recorder_ = nullptr;
  std::uint64_t number_ = 0;  // by which they know the index
  // Hints for those who hold no lock.
  std::atomic<bool> attached_{false};
  std::atomic<bool> changes_{true};
};

}  // namespace segue
