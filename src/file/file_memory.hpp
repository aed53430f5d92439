#pragma once
// Where a file's bytes live while an index uses them: a private mapping, or the heap.
//
// Both are writable and neither leads back to the file: a mapped page is copied when it is first written. Where a limit on
// the process's data (RLIMIT_DATA, strict overcommit) counts such pages and has no room for all of them, the mapping is for
// reading alone until somebody wants to write.

#include <atomic>
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

  enum class Pages { kWritableIfPossible, kReadOnly };
  // Maps the file; nullptr where its file system cannot (ENODEV), then read it. Costs microseconds and no memory.
  static Result<std::shared_ptr<FileMemory>> map(int fd, std::uint64_t bytes, const std::string& path,
                                                 Pages pages = Pages::kWritableIfPossible);
  // Allocates exactly `bytes` at an address as aligned as a mapping's, and reads them from the source.
  static Result<std::shared_ptr<FileMemory>> read(const ByteSource& source);

  // What keeps `part` valid, and gives its pages back to the system when it is let go of while others are still used: an index
  // that grows copies one array after the other and needs none twice. Each byte is lent once. Pages that are only partly in
  // it stay.
  static std::shared_ptr<void> lend(const std::shared_ptr<FileMemory>& memory, std::span<const std::byte> part) noexcept;

  std::byte* data() const noexcept { return data_; }
  std::uint64_t size() const noexcept { return bytes_; }
  bool writable() const noexcept { return writable_.load(std::memory_order_acquire); }
  // 0, or errno: ENOMEM where there is no room for copies of the pages. Safe from any number of threads.
  int make_writable() noexcept;

  // Hints for a pass over everything, and for what comes after it.
  void expect_sequential_use() const noexcept;
  void expect_random_use() const noexcept;
  // Brings some pages of a mapping in, and into the page table, so that who uses them waits for nothing. `offset` is a
  // multiple of the page size. 0, or errno: EFAULT where the file cannot be read, or has become shorter.
  int populate(std::uint64_t offset, std::uint64_t bytes) const noexcept;
  // Lets go of some pages of a mapping that nobody uses any more. `offset` is a multiple of the page size.
  void drop_pages(std::uint64_t offset, std::uint64_t bytes) noexcept;

 private:
  FileMemory(std::byte* data, std::uint64_t bytes, bool mapped, bool writable) noexcept
      : data_(data), bytes_(bytes), mapped_(mapped), writable_(writable) {}

  std::byte* data_;
  std::uint64_t bytes_;
  bool mapped_;
  std::atomic<bool> writable_;
};

}  // namespace segue
