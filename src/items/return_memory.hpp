#pragma once
// Gives back to the system what a large change has allocated and freed.
//
// A bulk build frees some times what the index keeps. glibc holds on to freed memory up to twice the largest block that it
// ever freed (mallopt(3), M_MMAP_THRESHOLD), so a serving process would stay tens of megabytes larger than its index.

#include <cstddef>

namespace segue {

// After a change of so many rows; does nothing where they are few, or where the C library is another. O(free blocks).
// Safe from any thread.
void return_freed_memory(std::size_t rows) noexcept;

}  // namespace segue
