#pragma once
// Where a file's bytes live while an index uses them: a private mapping, or the heap.
//
// Both are writable and neither leads back to the file: a mapped page is copied when it is first written.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "file/parse.hpp"
#include "file/system_calls.hpp"

namespace segue {

class FileMemory {
 public:
  FileMemory(const FileMemory&) = delete;
  FileMemory& operator=(const FileMemory&) = delete;
  ~FileMemory();

  // Maps the file; nullptr where its file system cannot (ENODEV), then read it. Costs microseconds and no memory.
  static Result<std::shared_ptr<FileMemory>> map(int fd, std::uint64_t bytes, const std::string& path);
  // Allocates exactly `bytes` at an address as aligned as a mapping's, and reads them from the source.
  static Result<std::shared_ptr<FileMemory>> read(const ByteSource& source);

  std::byte* data() const noexcept { return data_; }
  std::uint64_t size() const noexcept { return bytes_; }

  // Hints for a pass over everything, and for what comes after it.
  void expect_sequential_use() const noexcept;
  void expect_random_use() const noexcept;

 private:
  FileMemory(std::byte* data, std::uint64_t bytes, bool mapped) noexcept : data_(data), bytes_(bytes), mapped_(mapped) {}

  std::byte* data_;
  std::uint64_t bytes_;
  bool mapped_;
};

}  // namespace segue
