#pragma once
// Lets the system calls of reading and writing files fail, one at a time.
//
//   FaultyCalls faults({.at = n, .error = ENOSPC});   // the n-th call, counted from 0, fails
//   Status status = write_file(...);
//   faults.count(), faults.fired(), faults.failed_call()
//
// One at a time. Threads may make calls meanwhile; which of them is the n-th is then theirs to know.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace segue::test {

struct Fault {
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  std::size_t at = kNever;
  int error = 0;
  // Every call from `at` on fails, as when a disk breaks; otherwise only that one.
  bool lasting = false;
  // Only calls of this name are counted ("write"); empty: all.
  std::string only = {};
  // write, pwrite and pread move at most so many bytes a call. 0: as many as asked.
  std::size_t largest_transfer = 0;
  // Every call that can be is interrupted once before it works.
  bool interrupt = false;
};

class FaultyCalls {
 public:
  explicit FaultyCalls(const Fault& fault);
  FaultyCalls(const FaultyCalls&) = delete;
  FaultyCalls& operator=(const FaultyCalls&) = delete;
  ~FaultyCalls();

  std::size_t count() const;  // calls made
  bool fired() const;
  std::string failed_call() const;  // the first that failed: "write", ...
  std::vector<std::string> calls() const;  // by name, in order, those counted
  std::uint64_t bytes_written() const;
};

}  // namespace segue::test
