#include "support/power_cut.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "file/system_calls.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<unsigned char>;

constexpr std::size_t kPage = 512;

struct State {
  std::string folder;
  std::function<std::uint64_t()> mark;
  std::map<ino_t, Bytes> synced;                                   // by file
  std::map<std::string, ino_t> synced_names;
  std::map<ino_t, std::shared_ptr<const PowerCut::File>> last;      // as it was in the last moment
  std::vector<PowerCut::Moment> moments;
};

State state;
std::mutex state_mutex;

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::map<std::string, ino_t> current_names() {
  std::map<std::string, ino_t> names;
  for (const auto& entry : fs::directory_iterator(state.folder)) {
    struct stat status = {};
    if (::stat(entry.path().c_str(), &status) == 0) names[entry.path().filename()] = status.st_ino;
  }
  return names;
}

void note(const char* call) {
  const std::lock_guard lock(state_mutex);
  PowerCut::Moment moment{call, state.mark(), {}, {}};
  const std::map<std::string, ino_t> names = current_names();
  for (const auto& [name, file] : names) {
    PowerCut::File fresh{state.synced[file], read_file(state.folder + "/" + name)};
    std::shared_ptr<const PowerCut::File>& last = state.last[file];
    if (last == nullptr || last->now != fresh.now || last->synced != fresh.synced) {
      last = std::make_shared<const PowerCut::File>(std::move(fresh));
    }
    moment.names[name] = last;
  }
  for (const auto& [name, file] : state.synced_names) moment.synced_names[name] = state.last[file];
  state.moments.push_back(std::move(moment));
}

void note_sync(int fd) {
  const std::lock_guard lock(state_mutex);
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return;
  if (S_ISDIR(status.st_mode)) {
    state.synced_names = current_names();
    return;
  }
  for (const auto& [name, file] : current_names()) {
    if (file == status.st_ino) state.synced[file] = read_file(state.folder + "/" + name);
  }
}

constexpr SystemCalls kRecording = {
    .open =
        [](const char* path, int flags, mode_t mode) {
          const bool fresh = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
          const int fd = ::open(path, flags, mode);
          if (fd >= 0 && fresh) {
            struct stat status = {};
            ::fstat(fd, &status);
            {
              const std::lock_guard lock(state_mutex);
              // A number that another file had. Where the disk may still know that by a name, it gets one that is no file's.
              for (auto& [name, file] : state.synced_names) {
                static ino_t retired = ~ino_t{0};
                if (file != status.st_ino) continue;
                state.last[retired] = state.last[file];
                file = retired--;
              }
              state.synced.erase(status.st_ino);
              state.last.erase(status.st_ino);
            }
            note("open");
          }
          return fd;
        },
    .close = [](int fd) { return ::close(fd); },
    .fstat = [](int fd, struct stat* status) { return ::fstat(fd, status); },
    .lstat = [](const char* path, struct stat* status) { return ::lstat(path, status); },
    .readlink = [](const char* path, char* target, std::size_t size) { return ::readlink(path, target, size); },
    .pread = [](int fd, void* data, std::size_t bytes, off_t offset) { return ::pread(fd, data, bytes, offset); },
    .write =
        [](int fd, const void* data, std::size_t bytes) {
          const ssize_t written = ::write(fd, data, bytes);
          note("write");
          return written;
        },
    .pwrite =
        [](int fd, const void* data, std::size_t bytes, off_t offset) {
          const ssize_t written = ::pwrite(fd, data, bytes, offset);
          note("pwrite");
          return written;
        },
    .fchown = [](int fd, uid_t owner, gid_t group) { return ::fchown(fd, owner, group); },
    .fchmod = [](int fd, mode_t mode) { return ::fchmod(fd, mode); },
    .fsync =
        [](int fd) {
          note_sync(fd);
          note("fsync");
          return 0;
        },
    .fdatasync =
        [](int fd) {
          note_sync(fd);
          note("fdatasync");
          return 0;
        },
    .ftruncate =
        [](int fd, off_t bytes) {
          const int result = ::ftruncate(fd, bytes);
          note("ftruncate");
          return result;
        },
    .fallocate =
        [](int fd, off_t offset, off_t bytes) {
          const int result = ::fallocate(fd, 0, offset, bytes);
          note("fallocate");
          return result;
        },
    .flock = [](int fd, int operation) { return ::flock(fd, operation); },
    .mkdir =
        [](const char* path, mode_t mode) {
          return ::mkdir(path, mode);
        },
    .rename =
        [](const char* from, const char* to) {
          const int result = std::rename(from, to);
          note("rename");
          return result;
        },
    .unlink =
        [](const char* path) {
          const int result = ::unlink(path);
          note("unlink");
          return result;
        },
    .mmap = [](void* address, std::size_t bytes, int protection, int flags, int fd,
               off_t offset) { return ::mmap(address, bytes, protection, flags, fd, offset); },
    .mprotect = [](void* address, std::size_t bytes, int protection) { return ::mprotect(address, bytes, protection); },
};

// As now; in pages that differ from what was synced, every second is `fill`, or old where that is negative.
Bytes mix(const PowerCut::File& file, int fill) {
  Bytes mixed = file.now;
  for (std::size_t page = 0; page < mixed.size(); page += 2 * kPage) {
    const std::size_t end = std::min(page + kPage, mixed.size());
    bool differs = end > file.synced.size();
    for (std::size_t i = page; i < end && !differs; ++i) differs = file.synced[i] != mixed[i];
    for (std::size_t i = page; i < end && differs; ++i) {
      const bool old = i < file.synced.size();
      mixed[i] = old ? file.synced[i] : static_cast<unsigned char>(fill);
    }
  }
  return mixed;
}

}  // namespace

std::string PowerCut::describe(std::size_t variant) {
  constexpr const char* kBytes[] = {"synced bytes", "all bytes", "zeros in every second page", "old bytes in every second page"};
  return std::string(variant / 4 == 0 ? "synced names" : "all names") + ", " + kBytes[variant % 4];
}

void PowerCut::Moment::restore(std::size_t variant, const std::string& to) const {
  for (const auto& entry : fs::directory_iterator(to)) fs::remove(entry.path());
  for (const auto& [name, file] : variant / 4 == 0 ? synced_names : names) {
    if (file == nullptr) continue;
    Bytes bytes;
    if (variant % 4 == 0) bytes = file->synced;
    if (variant % 4 == 1) bytes = file->now;
    if (variant % 4 == 2) bytes = mix(*file, 0);
    if (variant % 4 == 3) bytes = mix(*file, 0x5b);
    std::ofstream out(to + "/" + name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
}

PowerCut::PowerCut(std::string folder, std::function<std::uint64_t()> mark) {
  state = {std::move(folder), std::move(mark), {}, {}, {}, {}};
  // What is there now is on the disk.
  for (const auto& [name, file] : current_names()) {
    state.synced[file] = read_file(state.folder + "/" + name);
    state.last[file] = std::make_shared<const File>(File{state.synced[file], state.synced[file]});
    state.synced_names[name] = file;
  }
  replace_system_calls(&kRecording);
}

PowerCut::~PowerCut() { replace_system_calls(nullptr); }

const std::vector<PowerCut::Moment>& PowerCut::moments() const { return state.moments; }

}  // namespace segue::test
