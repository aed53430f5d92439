#include "file/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "file/new_file.hpp"

namespace segue {
namespace {

constexpr std::size_t kMostHolderBytes = 256;

// What the holder wrote, as far as it can be shown.
std::string read_holder(int fd) {
  char text[kMostHolderBytes];
  const ssize_t got = retry_interrupted([&] { return system_calls().pread(fd, text, sizeof(text), 0); });
  std::string holder(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  holder = holder.substr(0, holder.find('\n'));
  const bool printable = std::all_of(holder.begin(), holder.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return holder.empty() || !printable ? "a process that did not say which" : holder;
}

std::string describe_self() {
  char host[128] = {};
  if (::gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  return "process " + std::to_string(::getpid()) + " on host " + (host[0] == '\0' ? "(unnamed)" : host) + "\n";
}

}  // namespace

Status make_directory(const std::string& path) {
  if (path.empty()) return invalid_argument("the directory's path is empty");
  if (path.find('\0') != std::string::npos) return invalid_argument("a path with a zero byte in it names no directory");
  if (system_calls().mkdir(path.c_str(), 0777) == 0) {
    const std::size_t end = path.find_last_not_of('/');
    return sync_directory(folder_of(end == std::string::npos ? path : path.substr(0, end + 1)));
  }
  if (errno == EEXIST) return {};
  return system_error(path, "mkdir", errno, errno == ENOENT ? "its parent has to be there; nothing was changed" : "");
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (directory == nullptr) {
    if (errno == ENOENT) return not_found("'" + path + "': no such directory");
    return system_error(path, "opendir", errno);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return system_error(path, "readdir", errno);
  return names;
}

Status sync_directory(const std::string& path) {
  const SystemCalls& calls = system_calls();
  const FileDescriptor directory(
      retry_interrupted([&] { return calls.open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); }));
  if (!directory.open()) return system_error(path, "open of the directory", errno);
  if (retry_interrupted([&] { return calls.fsync(directory.get()); }) == 0 || errno == EINVAL) return {};  // cannot be
  return system_error(path, "fsync of the directory", errno);
}

Status remove_file(const std::string& path) {
  if (system_calls().unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return system_error(path, "unlink", errno);
}

Result<LockFile> LockFile::acquire(const std::string& path) {
  const SystemCalls& calls = system_calls();
  FileDescriptor fd(retry_interrupted(
      [&] { return calls.open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666); }));
  if (!fd.open()) return system_error(path, "open", errno);
  if (retry_interrupted([&] { return calls.flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return system_error(path, "flock", errno);
    return already_exists("'" + path + "' is held by " + read_holder(fd.get()) +
                          "; one writer at a time: close it there, or open it read-only here");
  }
  // Only for messages: that it cannot be written (a full disk) is no reason to refuse.
  const std::string self = describe_self();
  if (calls.ftruncate(fd.get(), 0) == 0) {
    (void)write_whole(fd.get(), std::as_bytes(std::span(self.data(), self.size())), 0);
  }
  return LockFile(std::move(fd));
}

}  // namespace segue
