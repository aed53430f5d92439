#include "file/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace segue {
namespace {

constexpr std::size_t kLargestWrite = std::size_t{64} << 20;
constexpr int kMostNames = 1000;

}  // namespace

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

FileDescriptor open_new_file(const std::string& folder, int access, std::string& path) {
  static std::atomic<unsigned> counter{0};
  FileDescriptor fd;
  for (int tries = 0; !fd.open() && tries <= kMostNames; ++tries) {
    path = folder + "/.segue-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1)) + ".tmp";
    fd = FileDescriptor(retry_interrupted(
        [&] { return system_calls().open(path.c_str(), access | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
    if (!fd.open() && errno != EEXIST) break;
  }
  return fd;
}

int write_whole(int fd, std::span<const std::byte> bytes, std::optional<std::uint64_t> offset) noexcept {
  const SystemCalls& calls = system_calls();
  while (!bytes.empty()) {
    const std::size_t wanted = std::min(bytes.size(), kLargestWrite);
    const ssize_t written = retry_interrupted([&] {
      return offset ? calls.pwrite(fd, bytes.data(), wanted, static_cast<off_t>(*offset))
                    : calls.write(fd, bytes.data(), wanted);
    });
    if (written < 0) return errno;
    if (written == 0) return EIO;  // no progress and no reason: trying again might never end
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    if (offset) *offset += static_cast<std::uint64_t>(written);
  }
  return 0;
}

}  // namespace segue
