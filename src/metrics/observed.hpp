#pragma once
// A call that is timed, counted and traced where somebody watches; for calls so long that a lock does not matter.

#include <chrono>
#include <cstdint>
#include <memory>

#include "metrics/metrics_body.hpp"
#include "metrics/trace_span.hpp"

namespace segue {

// work() -> Status, with no lock held before or after; `items` is looked at afterwards.
template <class Items, class Work>
Status observed(const MetricsLink& link, Operation operation, const Items& items, const Work& work) {
  TraceSpan span(span_name(operation));
  const auto start = std::chrono::steady_clock::now();
  Status done = work();
  const auto took = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start);
  span.end(done);
  if (const std::shared_ptr<Metrics> metrics = link.get()) {
    if (done.ok()) body_of(*metrics).record(operation, static_cast<std::uint64_t>(took.count()), items);
    else body_of(*metrics).record_error(operation);
  }
  return done;
}

}  // namespace segue
