#pragma once
// ScratchFile: bytes that do not fit memory for a while. It has no name, so nothing is left of it however the process ends.
//
//   Result<ScratchFile> file = ScratchFile::create(path);   // in the folder of `path`, where there has to be room anyhow
//   SEGUE_RETURN_IF_ERROR(file->append(bytes));
//   SEGUE_RETURN_IF_ERROR(file->read(offset, bytes));
//
// One thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "file/file_memory.hpp"
#include "file/system_calls.hpp"
#include "segue/status.hpp"

namespace segue {

class ScratchFile {
 public:
  static Result<ScratchFile> create(const std::string& beside);

  std::uint64_t size() const noexcept { return size_; }
  Status append(std::span<const std::byte> bytes);
  // [offset, offset + bytes.size()) lies within size().
  Status read(std::uint64_t offset, std::span<std::byte> bytes) const;
  // All of it, to be read; it is not empty. The pages are the file's: the system takes them back as it likes.
  Result<std::shared_ptr<FileMemory>> map() const;

 private:
  ScratchFile(std::string beside, FileDescriptor fd) : beside_(std::move(beside)), fd_(std::move(fd)) {}
  Status failed(std::string_view call, int error) const;

  std::string beside_;  // for messages
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
};

}  // namespace segue
