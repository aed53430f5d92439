#pragma once
// Fails a test whose code asks for much more memory than its input justifies.
//
//   AllocationLimit limit(64 << 20);
//   load(damaged file)...
//   EXPECT_TRUE(limit.kept());
//
// Plain builds: the address space may grow by that much and no further, so a giant allocation fails; look for
// kOutOfMemory where the code turns that into a status. Under a sanitizer, which needs the address space itself: every allocation is watched. One at a time.

#include <cstddef>

namespace segue::test {

class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t bytes);
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
  ~AllocationLimit();

  // Whether no single allocation was larger. Always true in a plain build, where the allocation itself fails.
  bool kept() const noexcept;

 private:
  std::size_t bytes_;
  std::size_t former_ = 0;
};

}  // namespace segue::test
