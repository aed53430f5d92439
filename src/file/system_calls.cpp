#include "file/system_calls.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <system_error>
#include <utility>

namespace segue {
namespace {

constexpr SystemCalls kReal = {
    .open = [](const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); },
    .close = [](int fd) { return ::close(fd); },
    .fstat = [](int fd, struct stat* status) { return ::fstat(fd, status); },
    .lstat = [](const char* path, struct stat* status) { return ::lstat(path, status); },
    .readlink = [](const char* path, char* target, std::size_t size) { return ::readlink(path, target, size); },
    .pread = [](int fd, void* data, std::size_t bytes, off_t offset) { return ::pread(fd, data, bytes, offset); },
    .write = [](int fd, const void* data, std::size_t bytes) { return ::write(fd, data, bytes); },
    .pwrite = [](int fd, const void* data, std::size_t bytes,
                 off_t offset) { return ::pwrite(fd, data, bytes, offset); },
    .fchown = [](int fd, uid_t owner, gid_t group) { return ::fchown(fd, owner, group); },
    .fchmod = [](int fd, mode_t mode) { return ::fchmod(fd, mode); },
    .fsync = [](int fd) { return ::fsync(fd); },
#if defined(__linux__)
    .fdatasync = [](int fd) { return ::fdatasync(fd); },
#else
    .fdatasync = [](int fd) { return ::fsync(fd); },
#endif
    .ftruncate = [](int fd, off_t bytes) { return ::ftruncate(fd, bytes); },
#if defined(__linux__)
    .fallocate = [](int fd, off_t offset, off_t bytes) { return ::fallocate(fd, 0, offset, bytes); },
#else
    .fallocate =
        [](int, off_t, off_t) {
          errno = ENOTSUP;
          return -1;
        },
#endif
    .flock = [](int fd, int operation) { return ::flock(fd, operation); },
    .mkdir = [](const char* path, mode_t mode) { return ::mkdir(path, mode); },
    .rename = [](const char* from, const char* to) { return std::rename(from, to); },
    .unlink = [](const char* path) { return ::unlink(path); },
    .mmap = [](void* address, std::size_t bytes, int protection, int flags, int fd,
               off_t offset) { return ::mmap(address, bytes, protection, flags, fd, offset); },
    .mprotect = [](void* address, std::size_t bytes,
                   int protection) { return ::mprotect(address, bytes, protection); },
};

std::atomic<const SystemCalls*> current{&kReal};

}  // namespace

const SystemCalls& system_calls() noexcept { return *current.load(std::memory_order_acquire); }

void replace_system_calls(const SystemCalls* calls) noexcept {
  current.store(calls == nullptr ? &kReal : calls, std::memory_order_release);
}

Status system_error(std::string_view path, std::string_view call, int error, std::string_view advice) {
  std::string message = "'" + std::string(path) + "': " + std::string(call) +
                        " failed: " + std::generic_category().message(error) + " (errno " + std::to_string(error) + ")";
  if (!advice.empty()) message.append("; ").append(advice);
  return io_error(std::move(message));
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() noexcept { return std::exchange(fd_, -1); }

int FileDescriptor::close() noexcept {
  const int fd = release();
  return fd < 0 ? 0 : system_calls().close(fd);
}

}  // namespace segue
