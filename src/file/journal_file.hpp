#pragma once
// JournalFile: a segment of a journal that is being written.
//
//   Result<JournalFile> file = JournalFile::create(path, identity, first_sequence);
//   SEGUE_RETURN_IF_ERROR(file->append({.type = 2, .sequence = n, .synced = m}, pieces));
//   SEGUE_RETURN_IF_ERROR(file->sync());
//
// A record is in it whole, or an error says that it is not: what a failed write left behind is cut off, at once or before
// anything else is written. append() and cut() one thread at a time; sync() beside them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "file/system_calls.hpp"
#include "segue/status.hpp"

namespace segue {

struct RecordName {
  std::uint32_t type = 0;
  std::uint64_t sequence = 0;
  std::uint64_t synced = 0;
};

class JournalFile {
 public:
  // A new file; kIoError where there is one of that name. Its name is durable once the folder is synced.
  static Result<JournalFile> create(const std::string& path, std::uint64_t identity, std::uint64_t first_sequence);
  // To write on after the first `bytes` of a segment that was read.
  static Result<JournalFile> open(const std::string& path, std::uint64_t identity, std::uint64_t first_sequence,
                                  std::uint64_t bytes);

  // From now on the file is longer than what is in it, by up to so many bytes of zeros: a sync then has no new length to
  // write down, and takes a third of the time (docs/decisions/0016-journal.md). trim() takes them off.
  void allocate_ahead(std::uint64_t bytes) noexcept { ahead_ = bytes; }
  Status trim();

  const std::string& path() const noexcept { return path_; }
  std::uint64_t first_sequence() const noexcept { return first_sequence_; }
  std::uint64_t size() const noexcept { return size_; }

  // The payload is all the pieces, a multiple of 8 bytes together.
  Status append(const RecordName& name, std::span<const std::span<const std::byte>> payload);
  // Back to the size that it had before the last append.
  Status cut(std::uint64_t size);
  // What was appended survives a power cut. After a failure nobody knows what is on the disk, and asking again would not
  // tell: the system may have forgotten the pages that it could not write.
  Status sync() const;
  Status close();

 private:
  JournalFile(std::string path, std::uint64_t identity, std::uint64_t first_sequence, FileDescriptor fd,
              std::uint64_t size)
      : path_(std::move(path)),
        identity_(identity),
        first_sequence_(first_sequence),
        fd_(std::move(fd)),
        size_(size) {}
  Status write(std::span<const std::byte> bytes, std::uint64_t& at) const;
  Status cut_if_torn();
  void allocate(std::uint64_t bytes) noexcept;

  std::string path_;
  std::uint64_t identity_;
  std::uint64_t first_sequence_;
  FileDescriptor fd_;
  std::uint64_t size_;
  std::uint64_t ahead_ = 0;
  std::uint64_t allocated_ = 0;  // where the zeros end; not less than size_ if there are any
  bool torn_ = false;            // there are bytes after size_ that are not zero
};

}  // namespace segue
