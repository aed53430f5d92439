#pragma once
// The two places that bytes come from: a regular file, and memory.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "file/parse.hpp"
#include "file/system_calls.hpp"

namespace segue {

class FileSource final : public ByteSource {
 public:
  // Refuses whatever is no regular file, without waiting for it: a fifo, a device, a folder.
  static Result<FileSource> open(const std::string& path);

  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return size_; }
  Status read(std::uint64_t offset, std::span<std::byte> bytes) const override;

  const std::string& path() const noexcept { return path_; }
  int fd() const noexcept { return fd_.get(); }

 private:
  FileSource(std::string path, FileDescriptor fd, std::uint64_t size);

  std::string path_;
  std::string name_;
  FileDescriptor fd_;
  std::uint64_t size_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  Status read(std::uint64_t offset, std::span<std::byte> bytes) const override;

 private:
  std::string name_ = "the given bytes";
  std::span<const std::byte> bytes_;
};

// "a directory", "a fifo", ... for a mode that is not a regular file's.
std::string_view describe_file_type(mode_t mode) noexcept;

}  // namespace segue
