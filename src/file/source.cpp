#include "file/source.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace segue {
namespace {

// Linux moves at most 2 GiB - 4 KiB a call; smaller pieces let signals through and cost nothing.
constexpr std::size_t kLargestRead = std::size_t{64} << 20;

}  // namespace

std::string_view describe_file_type(mode_t mode) noexcept {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a fifo";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "no regular file";
}

FileSource::FileSource(std::string path, FileDescriptor fd, std::uint64_t size)
    : path_(std::move(path)), name_("'" + path_ + "'"), fd_(std::move(fd)), size_(size) {}

Result<FileSource> FileSource::open(const std::string& path) {
  if (path.find('\0') != std::string::npos) return invalid_argument("a path with a zero byte in it names no file");
  const SystemCalls& calls = system_calls();
  // NONBLOCK: opening a fifo that nobody writes to would wait for ever.
  FileDescriptor fd(
      retry_interrupted([&] { return calls.open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0); }));
  if (!fd.open()) {
    const int error = errno;
    if (error == ENOENT) return not_found("'" + path + "': no such file");
    return system_error(path, "open", error);
  }
  struct stat status = {};
  if (calls.fstat(fd.get(), &status) != 0) return system_error(path, "fstat", errno);
  if (!S_ISREG(status.st_mode)) {
    return io_error("'" + path + "' is " + std::string(describe_file_type(status.st_mode)) +
                    "; expected a regular file");
  }
  return FileSource(path, std::move(fd), static_cast<std::uint64_t>(status.st_size));
}

Status FileSource::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  const SystemCalls& calls = system_calls();
  while (!bytes.empty()) {
    const std::size_t wanted = std::min(bytes.size(), kLargestRead);
    const ssize_t got = retry_interrupted(
        [&] { return calls.pread(fd(), bytes.data(), wanted, static_cast<off_t>(offset)); });
    if (got < 0) return system_error(path_, "pread", errno, "at byte " + std::to_string(offset));
    if (got == 0) {
      return corrupt(name_, "truncated while it was read: it had " + std::to_string(size_) + " bytes and now ends at " +
                                std::to_string(offset));
    }
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Status MemorySource::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (!bytes.empty()) std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
  return {};
}

}  // namespace segue
