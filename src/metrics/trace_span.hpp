#pragma once
// TraceSpan: from its making to its end one span of the trace hooks, if there are any.
//
//   TraceSpan span("segue.add");     // before any lock is taken
//   ...
//   span.end(status);                // after they are let go; a destructor ends it as kOk

#include <atomic>
#include <memory>

#include "segue/trace.hpp"

namespace segue {

namespace trace_detail {
inline std::atomic<bool> hooks_set{false};
}  // namespace trace_detail

inline bool tracing() noexcept { return trace_detail::hooks_set.load(std::memory_order_relaxed); }

class TraceSpan {
 public:
  // A name of static storage.
  explicit TraceSpan(const char* name) noexcept {
    if (tracing()) start(name);
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  ~TraceSpan() {
    if (hooks_ != nullptr) end(Status());
  }

  void end(const Status& status) noexcept {
    if (hooks_ != nullptr) finish(status);
  }

 private:
  void start(const char* name) noexcept;
  void finish(const Status& status) noexcept;

  std::shared_ptr<const TraceHooks> hooks_;  // null: nobody wants to know, or it has ended
  void* span_ = nullptr;
};

}  // namespace segue
