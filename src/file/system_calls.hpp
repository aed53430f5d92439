#pragma once
// The calls of the operating system that reading and writing files make, behind one table, so that tests can let the
// n-th of them fail, write half, or be interrupted. Everything else uses the real ones.

#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "segue/status.hpp"

namespace segue {

struct SystemCalls {
  int (*open)(const char* path, int flags, mode_t mode);
  int (*close)(int fd);
  int (*fstat)(int fd, struct stat* status);
  int (*lstat)(const char* path, struct stat* status);
  ssize_t (*readlink)(const char* path, char* target, std::size_t size);
  ssize_t (*pread)(int fd, void* data, std::size_t bytes, off_t offset);
  ssize_t (*write)(int fd, const void* data, std::size_t bytes);
  ssize_t (*pwrite)(int fd, const void* data, std::size_t bytes, off_t offset);
  int (*fchown)(int fd, uid_t owner, gid_t group);
  int (*fchmod)(int fd, mode_t mode);
  int (*fsync)(int fd);
  // fsync where the system has no other.
  int (*fdatasync)(int fd);
  int (*ftruncate)(int fd, off_t bytes);
  // Makes a file longer, by zeros whose places are found now. ENOTSUP where the system cannot.
  int (*fallocate)(int fd, off_t offset, off_t bytes);
  int (*flock)(int fd, int operation);
  int (*mkdir)(const char* path, mode_t mode);
  int (*rename)(const char* from, const char* to);
  int (*unlink)(const char* path);
  void* (*mmap)(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset);
  int (*mprotect)(void* address, std::size_t bytes, int protection);
};

const SystemCalls& system_calls() noexcept;

// For tests. nullptr: the real ones again. Not to be called while another thread reads or writes files.
void replace_system_calls(const SystemCalls* calls) noexcept;

// Repeats a call for as long as signals interrupt it.
template <class Call>
auto retry_interrupted(Call call) noexcept {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// kIoError: "'<path>': <call> failed: <what errno means> (errno <n>)" and then `advice`.
Status system_error(std::string_view path, std::string_view call, int error, std::string_view advice = {});

// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { close(); }

  int get() const noexcept { return fd_; }
  bool open() const noexcept { return fd_ >= 0; }
  int release() noexcept;
  // What close() returned; 0 if nothing was open. Never repeated: after EINTR the descriptor is gone on Linux.
  int close() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace segue
