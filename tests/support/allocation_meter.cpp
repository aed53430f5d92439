#include "support/allocation_meter.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "support/sanitized.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::int64_t> held{0}, most_held{0};

#if !defined(SEGUE_TEST_SANITIZED) && defined(__GLIBC__)
void add(std::int64_t bytes) noexcept {
  if (!counting.load(std::memory_order_relaxed)) return;
  const std::int64_t now = held.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::int64_t seen = most_held.load(std::memory_order_relaxed);
  while (now > seen && !most_held.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
}

// `memory` was asked for as so many bytes: what is not given counts as if it had been, for a moment.
void* counted(void* memory, std::size_t bytes) noexcept {
  if (memory != nullptr) {
    add(static_cast<std::int64_t>(::malloc_usable_size(memory)));
  } else if (bytes < std::size_t{1} << 62) {
    add(static_cast<std::int64_t>(bytes));
    add(-static_cast<std::int64_t>(bytes));
  }
  return memory;
}
#endif

}  // namespace

#if !defined(SEGUE_TEST_SANITIZED) && defined(__GLIBC__)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) { return counted(__libc_malloc(bytes), bytes); }
void* calloc(std::size_t count, std::size_t bytes) { return counted(__libc_calloc(count, bytes), count * bytes); }
void* memalign(std::size_t alignment, std::size_t bytes) { return counted(__libc_memalign(alignment, bytes), bytes); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  void* given = memalign(alignment, bytes);
  if (given == nullptr) return ENOMEM;
  *memory = given;
  return 0;
}
void* realloc(void* memory, std::size_t bytes) {
  const std::size_t before = ::malloc_usable_size(memory);
  void* given = __libc_realloc(memory, bytes);
  if (given != nullptr || bytes == 0) add(-static_cast<std::int64_t>(before));
  return counted(given, bytes);
}
void free(void* memory) {
  if (memory != nullptr) add(-static_cast<std::int64_t>(::malloc_usable_size(memory)));
  __libc_free(memory);
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) {
  void* mapped = reinterpret_cast<void*>(::syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
  // What is given back with munmap is not: tests look at less than what is large enough to be mapped.
  if (file < 0 && bytes < std::size_t{1} << 62) add(static_cast<std::int64_t>(bytes));
  return mapped;
}
}
#endif

namespace segue::test {

AllocationMeter::AllocationMeter() {
  held = 0;
  most_held = 0;
  counting = true;
}

AllocationMeter::~AllocationMeter() { counting = false; }

std::size_t AllocationMeter::most() const noexcept { return static_cast<std::size_t>(most_held.load()); }

bool AllocationMeter::counts() noexcept {
#if !defined(SEGUE_TEST_SANITIZED) && defined(__GLIBC__)
  return true;
#else
  return false;
#endif
}

}  // namespace segue::test
