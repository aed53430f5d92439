#include "serving/stand_back.hpp"

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <exception>
#include <system_error>
#include <thread>

namespace segue {
namespace {

// Of this thread alone, as Linux has it; what it refuses is left as it is.
void lower_priority(int niceness) noexcept {
#if defined(__linux__)
  if (niceness == 0) return;
  const auto self = static_cast<id_t>(::syscall(SYS_gettid));
  if (niceness >= kOnlyIdle) {
    // Whoever wakes up pushes it aside at once. From niceness 19 the scheduler first lets it end its slice of some
    // milliseconds, which half idle cores show at p99.
    const sched_param none = {};
    ::sched_setscheduler(static_cast<pid_t>(self), SCHED_IDLE, &none);
  } else {
    ::setpriority(PRIO_PROCESS, self, niceness);
  }
#ifdef SYS_ioprio_set
  // linux/ioprio.h, which not all have: IOPRIO_WHO_PROCESS, and the best-effort class (2) at its last level (7).
  constexpr long kWhoProcess = 1;
  constexpr long kBestEffortLast = (2L << 13) | 7;
  ::syscall(SYS_ioprio_set, kWhoProcess, static_cast<long>(self), kBestEffortLast);
#endif
#else
  static_cast<void>(niceness);
#endif
}

}  // namespace

void stand_back(int niceness, const std::function<void()>& work) {
  std::exception_ptr thrown;
  std::thread thread;
  try {
    thread = std::thread([&] {
      lower_priority(niceness);
      try {
        work();
      } catch (...) {
        thrown = std::current_exception();
      }
    });
  } catch (const std::system_error&) {
    return work();
  }
  thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace segue
