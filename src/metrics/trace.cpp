#include <mutex>
#include <utility>

#include "metrics/trace_span.hpp"

namespace segue {
namespace {

// The hooks are read under a lock: whoever has set some pays for two callbacks already, and a shared pointer that is read
// without one is a lock in disguise.
std::mutex& hooks_mutex() {
  static auto* const mutex = new std::mutex;  // spans may end while static objects are destroyed
  return *mutex;
}
std::shared_ptr<const TraceHooks>& hooks() {
  static auto* const current = new std::shared_ptr<const TraceHooks>;
  return *current;
}

std::atomic<std::uint64_t> failures{0};
// This thread is in a callback.
thread_local bool inside = false;

template <class Callback>
bool call(const Callback& callback) noexcept {
  inside = true;
  bool done = false;
  try {
    callback();
    done = true;
  } catch (...) {
    failures.fetch_add(1, std::memory_order_relaxed);
  }
  inside = false;
  return done;
}

}  // namespace

void set_trace_hooks(TraceHooks given) {
  std::shared_ptr<const TraceHooks> next;
  if (given.start) next = std::make_shared<const TraceHooks>(std::move(given));
  {
    const std::lock_guard lock(hooks_mutex());
    hooks().swap(next);
    trace_detail::hooks_set.store(hooks() != nullptr, std::memory_order_relaxed);
  }
  // `next`, which are the old ones now, go without the lock: what they hold may be anybody's.
}

std::uint64_t trace_failures() noexcept { return failures.load(std::memory_order_relaxed); }

void TraceSpan::start(const char* name) noexcept {
  if (inside) return;
  {
    const std::lock_guard lock(hooks_mutex());
    hooks_ = hooks();
  }
  if (hooks_ != nullptr && !call([&] { span_ = hooks_->start(name); })) hooks_ = nullptr;
}

void TraceSpan::finish(const Status& status) noexcept {
  const std::shared_ptr<const TraceHooks> started_with = std::move(hooks_);
  hooks_ = nullptr;
  if (started_with->end) call([&] { started_with->end(span_, status); });
}

}  // namespace segue
