#pragma once
// Trace hooks: two callbacks around what the library does, to tie it to OpenTelemetry, to a profiler or to a log.
//
//   segue::set_trace_hooks({
//       .start = [](std::string_view name) -> void* { return new Span(tracer.start(name)); },
//       .end = [](void* span, const segue::Status& status) { static_cast<Span*>(span)->end(status.ok()); ... }});
//
// Spans, each from the entry of a call to its return, in the thread of the call:
//   segue.search  segue.range_search  segue.add  segue.upsert  segue.remove     of an index or a LiveIndex
//   segue.snapshot  segue.replace                                               of a LiveIndex; snapshots mostly in its thread
//   segue.replay                                                                of LiveIndex::open: from the snapshot on
//   segue.swap                                                                  of a Serving: opening, checking, switching
// No lock of the library is held while a callback runs. What a callback itself calls in the library makes no spans.
//
// Costs: without hooks one load of a flag; with them a copy of a shared pointer under a lock, and what the callbacks cost.
// Exceptions: one that leaves a callback is caught and counted (trace_failures); the call it belongs to goes on. A start
// that throws has no end.
// Thread-safety: set_trace_hooks may be called at any time. A span ends with the hooks it was started with, so that those
// may be called for a while after others were set; they are kept until then. Callbacks may run in any number of threads.

#include <cstdint>
#include <functional>
#include <string_view>

#include "segue/status.hpp"

namespace segue {

struct TraceHooks {
  // What it returns comes back in `end`; it may be null.
  std::function<void*(std::string_view name)> start = {};
  // How the call ended. Not called for an empty `end`.
  std::function<void(void* span, const Status& status)> end = {};
};

// For the whole process, in place of those there were. Without a start there are none.
void set_trace_hooks(TraceHooks hooks);

// How many callbacks threw, since the process began.
std::uint64_t trace_failures() noexcept;

}  // namespace segue
