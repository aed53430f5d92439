#include "file/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "file/new_file.hpp"
#include "file/source.hpp"

namespace segue {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20;
constexpr int kMostLinks = 40;  // as Linux follows

constexpr std::string_view kUntouched = "nothing was changed";

// Follows the links that `path` itself is; those in its folders are followed by every call anyhow. `existing` becomes
// the status of the file at the end, if there is one.
Result<std::string> resolve(const std::string& path, struct stat& existing, bool& exists) {
  const SystemCalls& calls = system_calls();
  std::string target = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    exists = calls.lstat(target.c_str(), &existing) == 0;
    if (!exists) {
      if (errno == ENOENT) return target;
      return system_error(path, "lstat", errno, kUntouched);
    }
    if (!S_ISLNK(existing.st_mode)) return target;
    char link[4096];
    const ssize_t length = calls.readlink(target.c_str(), link, sizeof(link));
    if (length < 0) return system_error(path, "readlink", errno, kUntouched);
    const std::string_view leads_to(link, static_cast<std::size_t>(length));
    target = leads_to.starts_with('/') ? std::string(leads_to) : folder_of(target) + "/" + std::string(leads_to);
  }
  return system_error(path, "readlink", ELOOP, kUntouched);
}

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string target, std::string temporary, FileDescriptor fd,
                       std::uint64_t bytes_to_come)
    : path_(std::move(path)),
      target_(std::move(target)),
      temporary_(std::move(temporary)),
      fd_(std::move(fd)),
      bytes_to_come_(bytes_to_come) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)),
      bytes_to_come_(other.bytes_to_come_),
      buffer_(std::move(other.buffer_)) {}

AtomicFile::~AtomicFile() {
  fd_.close();
  if (!temporary_.empty()) system_calls().unlink(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(const std::string& path, std::uint64_t bytes_to_come) {
  if (path.empty()) return invalid_argument("cannot save to an empty path");
  if (path.find('\0') != std::string::npos) return invalid_argument("cannot save to a path with a zero byte in it");
  const SystemCalls& calls = system_calls();
  struct stat existing = {};
  bool exists = false;
  Result<std::string> target = resolve(path, existing, exists);
  if (!target.ok()) return target.status();
  if (exists && !S_ISREG(existing.st_mode)) {
    return io_error("'" + path + "' is " + std::string(describe_file_type(existing.st_mode)) +
                    "; an index is saved as a regular file, " + std::string(kUntouched));
  }

  const std::string folder = folder_of(*target);
  std::string temporary;
  FileDescriptor fd = open_new_file(folder, O_WRONLY, temporary);
  if (!fd.open()) return system_error(path, "open of a new file in '" + folder + "'", errno, kUntouched);

  AtomicFile file(path, std::move(*target), std::move(temporary), std::move(fd), bytes_to_come);
  if (exists) {
    // Root keeps the owner of a file that it saves over; others own it already or cannot give it away.
    if (existing.st_uid != ::geteuid() || existing.st_gid != ::getegid()) {
      (void)calls.fchown(file.fd_.get(), existing.st_uid, existing.st_gid);
    }
    if (calls.fchmod(file.fd_.get(), existing.st_mode & 07777) != 0) return file.failed("fchmod", errno);
  }
  return file;
}

Status AtomicFile::append(std::span<const std::byte> bytes) {
  if (bytes.size() >= kBuffer) {
    SEGUE_RETURN_IF_ERROR(flush());
    return write_all(bytes);
  }
  if (buffer_.size() + bytes.size() > kBuffer) SEGUE_RETURN_IF_ERROR(flush());
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

Status AtomicFile::flush() {
  Status status = write_all(buffer_);
  buffer_.clear();
  return status;
}

Status AtomicFile::write_all(std::span<const std::byte> bytes) {
  const int error = write_whole(fd_.get(), bytes);
  return error == 0 ? Status() : failed("write", error);
}

Status AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  const int error = write_whole(fd_.get(), bytes, offset);
  return error == 0 ? Status() : failed("pwrite", error);
}

Status AtomicFile::commit() {
  SEGUE_RETURN_IF_ERROR(flush());
  const SystemCalls& calls = system_calls();
  if (retry_interrupted([&] { return calls.fsync(fd_.get()); }) != 0) return failed("fsync", errno);
  // A network file system may report only now that it could not write. Interrupted is closed all the same.
  if (fd_.close() != 0 && errno != EINTR) return failed("close", errno);

  // The folder is opened before the rename, so that all that can be refused is refused while the target is whole.
  const std::string folder = folder_of(target_);
  FileDescriptor directory(
      retry_interrupted([&] { return calls.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); }));
  if (!directory.open()) return failed("open of the folder '" + folder + "'", errno);
  if (calls.rename(temporary_.c_str(), target_.c_str()) != 0) return failed("rename", errno);
  temporary_.clear();
  if (retry_interrupted([&] { return calls.fsync(directory.get()); }) != 0 && errno != EINVAL) {  // EINVAL: cannot be
    return system_error(path_, "fsync of the folder '" + folder + "'", errno,
                        "the new file is in place, but a power cut may still bring back the old one");
  }
  return {};
}

Status AtomicFile::failed(std::string_view call, int error) const {
  std::string advice(kUntouched);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    advice = "the file needs " + std::to_string(bytes_to_come_) + " bytes in '" + folder_of(target_) +
             "', beside the old one; " + advice;
  }
  return system_error(path_, call, error, advice);
}

}  // namespace segue
