#include "support/allocation_limit.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "support/sanitized.hpp"

#ifdef SEGUE_TEST_SANITIZED
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));
#endif

namespace segue::test {
namespace {

std::atomic<std::size_t> largest{0};

#ifdef SEGUE_TEST_SANITIZED
void watch() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t bytes) {
        std::size_t seen = largest.load(std::memory_order_relaxed);
        while (bytes > seen && !largest.compare_exchange_weak(seen, bytes, std::memory_order_relaxed)) {
        }
      },
      [](const volatile void*) {});
  (void)installed;
}
#endif

}  // namespace

AllocationLimit::AllocationLimit(std::size_t bytes) : bytes_(bytes) {
  largest = 0;
#ifdef SEGUE_TEST_SANITIZED
  watch();
#else
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  rlimit limit = {};
  if (!(statm >> pages) || ::getrlimit(RLIMIT_AS, &limit) != 0) return;
  former_ = limit.rlim_cur;
  limit.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_AS, &limit) != 0) former_ = 0;
#endif
}

AllocationLimit::~AllocationLimit() {
  rlimit limit = {};
  if (former_ == 0 || ::getrlimit(RLIMIT_AS, &limit) != 0) return;
  limit.rlim_cur = former_;
  (void)::setrlimit(RLIMIT_AS, &limit);
}

bool AllocationLimit::kept() const noexcept { return largest <= bytes_; }

}  // namespace segue::test
