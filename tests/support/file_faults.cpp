#include "support/file_faults.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string_view>

#include "file/system_calls.hpp"

namespace segue::test {
namespace {

struct State {
  Fault fault;
  std::size_t count = 0;
  bool fired = false;
  bool interrupted = false;  // the call before this one was
  std::string failed_call;
  std::vector<std::string> calls;
  std::uint64_t bytes_written = 0;
};

State state;
std::mutex state_mutex;  // a LiveIndex syncs in a thread of its own

// Whether the call about to be made shall fail; sets errno.
bool fails(std::string_view call, bool can_be_interrupted = false) {
  const std::lock_guard lock(state_mutex);
  if (state.fault.interrupt && can_be_interrupted) {
    state.interrupted = !state.interrupted;
    if (state.interrupted) {
      errno = EINTR;
      return true;
    }
  }
  if (!state.fault.only.empty() && state.fault.only != call) return false;
  const std::size_t n = state.count++;
  state.calls.emplace_back(call);
  if (n != state.fault.at && !(state.fault.lasting && n > state.fault.at)) return false;
  if (!state.fired) state.failed_call = call;
  state.fired = true;
  errno = state.fault.error;
  return true;
}

void count_written(ssize_t written) {
  const std::lock_guard lock(state_mutex);
  if (written > 0) state.bytes_written += static_cast<std::uint64_t>(written);
}

std::size_t limited(std::size_t bytes) {
  return state.fault.largest_transfer == 0 ? bytes : std::min(bytes, state.fault.largest_transfer);
}

constexpr SystemCalls kFaulty = {
    .open = [](const char* path, int flags,
               mode_t mode) { return fails("open", true) ? -1 : ::open(path, flags, mode); },
    // A close that fails has closed all the same.
    .close =
        [](int fd) {
          const bool failing = fails("close");
          const int error = errno;
          const int result = ::close(fd);
          if (failing) errno = error;
          return failing ? -1 : result;
        },
    .fstat = [](int fd, struct stat* status) { return fails("fstat") ? -1 : ::fstat(fd, status); },
    .lstat = [](const char* path, struct stat* status) { return fails("lstat") ? -1 : ::lstat(path, status); },
    .readlink = [](const char* path, char* target,
                   std::size_t size) { return fails("readlink") ? -1 : ::readlink(path, target, size); },
    .pread = [](int fd, void* data, std::size_t bytes,
                off_t offset) { return fails("pread", true) ? -1 : ::pread(fd, data, limited(bytes), offset); },
    .write =
        [](int fd, const void* data, std::size_t bytes) {
          if (fails("write", true)) return ssize_t{-1};
          const ssize_t written = ::write(fd, data, limited(bytes));
          count_written(written);
          return written;
        },
    .pwrite =
        [](int fd, const void* data, std::size_t bytes, off_t offset) {
          if (fails("pwrite", true)) return ssize_t{-1};
          const ssize_t written = ::pwrite(fd, data, limited(bytes), offset);
          count_written(written);
          return written;
        },
    .fchown = [](int fd, uid_t owner, gid_t group) { return fails("fchown") ? -1 : ::fchown(fd, owner, group); },
    .fchmod = [](int fd, mode_t mode) { return fails("fchmod") ? -1 : ::fchmod(fd, mode); },
    .fsync = [](int fd) { return fails("fsync", true) ? -1 : ::fsync(fd); },
    .fdatasync = [](int fd) { return fails("fdatasync", true) ? -1 : ::fdatasync(fd); },
    .ftruncate = [](int fd, off_t bytes) { return fails("ftruncate", true) ? -1 : ::ftruncate(fd, bytes); },
    .fallocate = [](int fd, off_t offset,
                    off_t bytes) { return fails("fallocate") ? -1 : ::fallocate(fd, 0, offset, bytes); },
    .flock = [](int fd, int operation) { return fails("flock", true) ? -1 : ::flock(fd, operation); },
    .mkdir = [](const char* path, mode_t mode) { return fails("mkdir") ? -1 : ::mkdir(path, mode); },
    .rename = [](const char* from, const char* to) { return fails("rename") ? -1 : std::rename(from, to); },
    // Cleaning up always works: what a test asks is whether it is tried.
    .unlink = [](const char* path) { return ::unlink(path); },
    .mmap = [](void* address, std::size_t bytes, int protection, int flags, int fd,
               off_t offset) {
      return fails("mmap") ? MAP_FAILED : ::mmap(address, bytes, protection, flags, fd, offset);
    },
    .mprotect = [](void* address, std::size_t bytes,
                   int protection) { return fails("mprotect") ? -1 : ::mprotect(address, bytes, protection); },
};

}  // namespace

FaultyCalls::FaultyCalls(const Fault& fault) {
  {
    const std::lock_guard lock(state_mutex);
    state = {};
    state.fault = fault;
  }
  replace_system_calls(&kFaulty);
}

FaultyCalls::~FaultyCalls() { replace_system_calls(nullptr); }

std::size_t FaultyCalls::count() const {
  const std::lock_guard lock(state_mutex);
  return state.count;
}
bool FaultyCalls::fired() const {
  const std::lock_guard lock(state_mutex);
  return state.fired;
}
std::string FaultyCalls::failed_call() const {
  const std::lock_guard lock(state_mutex);
  return state.failed_call;
}
std::vector<std::string> FaultyCalls::calls() const {
  const std::lock_guard lock(state_mutex);
  return state.calls;
}
std::uint64_t FaultyCalls::bytes_written() const {
  const std::lock_guard lock(state_mutex);
  return state.bytes_written;
}

}  // namespace segue::test
