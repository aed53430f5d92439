#pragma once
// Counts what a program asks the allocator for.
//
//   AllocationMeter meter;
//   load(damaged file)...
//   EXPECT_LE(meter.most(), 2 * file.size());
//
// A program that has one gets malloc, its relatives and mmap (of memory, not of files) from here. One at a time; all
// threads are counted. Under a sanitizer, which has an allocator of its own, most() is always 0: there AllocationLimit
// looks.

#include <cstddef>

namespace segue::test {

class AllocationMeter {
 public:
  AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;
  ~AllocationMeter();

  // By how many bytes what was held grew at most since the meter was made; of a request that was refused its size.
  std::size_t most() const noexcept;
  // Whether this build can count at all.
  static bool counts() noexcept;
};

}  // namespace segue::test
