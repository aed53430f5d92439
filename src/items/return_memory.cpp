#include "items/return_memory.hpp"

#include <cstdlib>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace segue {

void return_freed_memory(std::size_t rows) noexcept {
  // Fewer are added in less time than this takes where a process has a large heap.
  constexpr std::size_t kMany = 16384;
  if (rows < kMany) return;
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace segue
