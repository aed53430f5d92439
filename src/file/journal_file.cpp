#include "file/journal_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "file/checksum.hpp"
#include "file/journal_layout.hpp"
#include "file/new_file.hpp"

namespace segue {
namespace {

using journal_layout::FileHeader;
using journal_layout::RecordHeader;

// A payload up to here is joined with its header into one write.
constexpr std::size_t kJoined = std::size_t{256} << 10;
constexpr std::string_view kUntouched = "nothing was changed";

}  // namespace

Result<JournalFile> JournalFile::create(const std::string& path, std::uint64_t identity,
                                        std::uint64_t first_sequence) {
  const SystemCalls& calls = system_calls();
  FileDescriptor fd(retry_interrupted(
      [&] { return calls.open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666); }));
  if (!fd.open()) return system_error(path, "open of a new file", errno, kUntouched);
  FileHeader header = {};
  std::memcpy(header.magic, journal_layout::kMagic, sizeof(header.magic));
  header.version = journal_layout::kVersion;
  header.header_bytes = sizeof(FileHeader);
  header.identity = identity;
  header.first_sequence = first_sequence;
  const auto bytes = std::as_bytes(std::span<const FileHeader, 1>(&header, 1));
  header.checksum = checksum_of(bytes.first(offsetof(FileHeader, checksum)));
  JournalFile file(path, identity, first_sequence, std::move(fd), 0);
  const Status written = file.write(bytes, file.size_);
  if (!written.ok()) {
    calls.unlink(path.c_str());
    return written;
  }
  return file;
}

Result<JournalFile> JournalFile::open(const std::string& path, std::uint64_t identity, std::uint64_t first_sequence,
                                      std::uint64_t bytes) {
  FileDescriptor fd(retry_interrupted(
      [&] { return system_calls().open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0); }));
  if (!fd.open()) return system_error(path, "open", errno, kUntouched);
  return JournalFile(path, identity, first_sequence, std::move(fd), bytes);
}

Status JournalFile::append(const RecordName& name, std::span<const std::span<const std::byte>> payload) {
  SEGUE_RETURN_IF_ERROR(cut_if_torn());
  RecordHeader header = {};
  header.marker = journal_layout::kMarker;
  header.type = name.type;
  header.sequence = name.sequence;
  header.synced = name.synced;
  for (const std::span<const std::byte> piece : payload) header.bytes += piece.size();
  assert(header.bytes % journal_layout::kAlignment == 0);
  const auto header_bytes = std::as_bytes(std::span<const RecordHeader, 1>(&header, 1));
  Checksum sum;
  sum.update(std::as_bytes(std::span<const std::uint64_t, 1>(&identity_, 1)));
  sum.update(header_bytes.first(offsetof(RecordHeader, checksum)));
  for (const std::span<const std::byte> piece : payload) sum.update(piece);
  header.checksum = sum.digest();

  allocate(sizeof(header) + header.bytes);
  std::uint64_t at = size_;
  Status written;
  if (header.bytes <= kJoined) {
    std::vector<std::byte> joined;
    joined.reserve(sizeof(header) + static_cast<std::size_t>(header.bytes));
    joined.insert(joined.end(), header_bytes.begin(), header_bytes.end());
    for (const std::span<const std::byte> piece : payload) joined.insert(joined.end(), piece.begin(), piece.end());
    written = write(joined, at);
  } else {
    written = write(header_bytes, at);
    for (std::size_t i = 0; written.ok() && i < payload.size(); ++i) written = write(payload[i], at);
  }
  if (written.ok()) {
    size_ = at;
    return {};
  }
  torn_ = true;
  (void)cut_if_torn();  // the next append tries again, and says so if it cannot
  return written;
}

Status JournalFile::cut(std::uint64_t size) {
  size_ = size;
  torn_ = true;
  return cut_if_torn();
}

Status JournalFile::cut_if_torn() {
  if (!torn_) return {};
  if (retry_interrupted([&] { return system_calls().ftruncate(fd_.get(), static_cast<off_t>(size_)); }) != 0) {
    return system_error(path_, "ftruncate", errno,
                        "a record that was not accepted could not be cut off, so nothing can be written after it; "
                        "nothing was changed");
  }
  torn_ = false;
  allocated_ = size_;
  return {};
}

// Where it fails, the write itself finds its place, or says why not.
void JournalFile::allocate(std::uint64_t bytes) noexcept {
  if (ahead_ == 0 || size_ + bytes <= allocated_) return;
  const std::uint64_t from = std::max(size_, allocated_);
  const std::uint64_t more = std::max(bytes, ahead_);
  if (system_calls().fallocate(fd_.get(), static_cast<off_t>(from), static_cast<off_t>(more)) == 0) {
    allocated_ = from + more;
  } else if (errno == EOPNOTSUPP || errno == ENOTSUP || errno == ENOSYS) {
    ahead_ = 0;
  }
}

Status JournalFile::trim() {
  if (allocated_ <= size_) return {};
  torn_ = true;
  return cut_if_torn();
}

Status JournalFile::sync() const {
  if (retry_interrupted([&] { return system_calls().fdatasync(fd_.get()); }) == 0) return {};
  return system_error(path_, "fdatasync", errno);
}

Status JournalFile::close() {
  if (fd_.close() != 0 && errno != EINTR) return system_error(path_, "close", errno);
  return {};
}

Status JournalFile::write(std::span<const std::byte> bytes, std::uint64_t& at) const {
  const int error = write_whole(fd_.get(), bytes, at);
  if (error == 0) {
    at += bytes.size();
    return {};
  }
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return system_error(path_, "pwrite", error,
                      (full ? "the journal has no room for " + std::to_string(bytes.size()) + " bytes more; "
                            : std::string()) +
                          std::string(kUntouched));
}

}  // namespace segue
