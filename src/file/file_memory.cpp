#include "file/file_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <utility>

namespace segue {
namespace {

// From here on the heap copy asks for huge pages: random access over it then misses the TLB less.
constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
// Linux 5.14; older headers do not know it, older kernels say EINVAL.
#if defined(__linux__) && !defined(MADV_POPULATE_READ)
#define MADV_POPULATE_READ 22
#endif

// A part of a file's memory in the hands of one array.
class Loan {
 public:
  Loan(std::shared_ptr<FileMemory> memory, std::span<const std::byte> part) noexcept
      : memory_(std::move(memory)), part_(part) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    if (memory_.use_count() == 1) return;  // all of it goes
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part_.data());
    const std::uintptr_t first = (begin + page - 1) / page * page;
    const std::uintptr_t last = (begin + part_.size()) / page * page;
    // Of the heap's memory too: the block stays the allocator's, its pages come back as zeros, and nobody reads them.
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

 private:
  std::shared_ptr<FileMemory> memory_;
  std::span<const std::byte> part_;
};

}  // namespace

std::shared_ptr<void> FileMemory::lend(const std::shared_ptr<FileMemory>& memory,
                                       std::span<const std::byte> part) noexcept {
  try {
    return std::make_shared<Loan>(memory, part);
  } catch (const std::bad_alloc&) {
    return memory;  // then it is freed with the rest
  }
}

FileMemory::~FileMemory() {
  if (mapped_) {
    ::munmap(data_, static_cast<std::size_t>(bytes_));
  } else {
    std::free(data_);
  }
}

Result<std::shared_ptr<FileMemory>> FileMemory::map(int fd, std::uint64_t bytes, const std::string& path, Pages pages) {
  // NORESERVE: pages that may be written count as memory promised, so that without it the kernel would refuse to map a
  // file larger than the machine's memory, though hardly a page of it will ever be written.
  const auto map_for = [&](int protection) {
    return system_calls().mmap(nullptr, static_cast<std::size_t>(bytes), protection, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
  };
  bool writable = pages == Pages::kWritableIfPossible;
  void* data = map_for(writable ? PROT_READ | PROT_WRITE : PROT_READ);
  if (data == MAP_FAILED && writable && errno == ENOMEM) {
    writable = false;
    data = map_for(PROT_READ);
  }
  if (data == MAP_FAILED) {
    const int error = errno;
    if (error == ENODEV) return std::shared_ptr<FileMemory>();
    if (error == ENOMEM) {
      return out_of_memory("'" + path + "': no address space to map " + std::to_string(bytes) + " bytes");
    }
    return system_error(path, "mmap", error, "loading without mmap may work");
  }
  auto* memory = new (std::nothrow) FileMemory(static_cast<std::byte*>(data), bytes, true, writable);
  if (memory == nullptr) {
    ::munmap(data, static_cast<std::size_t>(bytes));
    return out_of_memory("'" + path + "': no memory");
  }
  return std::shared_ptr<FileMemory>(memory);
}

Result<std::shared_ptr<FileMemory>> FileMemory::read(const ByteSource& source) {
  const std::uint64_t bytes = source.size();
  const auto too_large = [&] {
    return out_of_memory(source.name() + ": no memory to read " + std::to_string(bytes) +
                         " bytes at once; mapping the file needs none");
  };
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) return too_large();
  void* data = nullptr;
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : layout::kPage;
  if (::posix_memalign(&data, alignment, static_cast<std::size_t>(bytes)) != 0) return too_large();
  auto* memory = new (std::nothrow) FileMemory(static_cast<std::byte*>(data), bytes, false, true);
  if (memory == nullptr) {
    std::free(data);
    return too_large();
  }
  std::shared_ptr<FileMemory> owner(memory);
#ifdef MADV_HUGEPAGE
  if (bytes >= kHugePage) ::madvise(data, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);
#endif
  SEGUE_RETURN_IF_ERROR(source.read(0, std::span(memory->data(), static_cast<std::size_t>(bytes))));
  return owner;
}

int FileMemory::make_writable() noexcept {
  if (writable()) return 0;
  if (system_calls().mprotect(data_, static_cast<std::size_t>(bytes_), PROT_READ | PROT_WRITE) != 0) return errno;
  writable_.store(true, std::memory_order_release);
  return 0;
}

void FileMemory::expect_sequential_use() const noexcept {
  if (mapped_) ::madvise(data_, static_cast<std::size_t>(bytes_), MADV_SEQUENTIAL);
}

void FileMemory::expect_random_use() const noexcept {
  if (mapped_) ::madvise(data_, static_cast<std::size_t>(bytes_), MADV_NORMAL);
}

int FileMemory::populate(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  if (!mapped_) return 0;
  std::byte* const first = data_ + offset;
#ifdef MADV_POPULATE_READ
  if (::madvise(first, static_cast<std::size_t>(bytes), MADV_POPULATE_READ) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
#endif
  for (std::uint64_t i = 0; i < bytes; i += layout::kPage) static_cast<void>(*const_cast<const volatile std::byte*>(first + i));
  return 0;
}

void FileMemory::drop_pages(std::uint64_t offset, std::uint64_t bytes) noexcept {
  if (mapped_) ::madvise(data_ + offset, static_cast<std::size_t>(bytes), MADV_DONTNEED);
}

}  // namespace segue
