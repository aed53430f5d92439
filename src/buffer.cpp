#include "segue/core/buffer.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEGUE_CLANG_ASAN
#endif
#endif

namespace segue {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
// From here on blocks are mapped. Of malloc a thread's heap would keep what is freed, for that thread alone, and glibc before
// 2.38 seldom finds an aligned block again where one was freed: a copy of 1.3 MB, made and freed again and again, took new
// memory nearly each time.
#if defined(__SANITIZE_ADDRESS__) || defined(SEGUE_CLANG_ASAN)
constexpr std::size_t kMapped = kHugePage;  // what lies beside a block of malloc's is watched
#else
constexpr std::size_t kMapped = std::size_t{256} << 10;
#endif
// A multiple of any system's pages.
constexpr std::size_t kPages = std::size_t{64} << 10;
constexpr std::size_t kSmallAlignment = 64;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  if (bytes > std::numeric_limits<std::size_t>::max() - unit) throw std::bad_alloc();
  return (bytes + unit - 1) / unit * unit;
}

bool is_mapped(std::size_t bytes) noexcept { return bytes >= kMapped; }
bool is_huge(std::size_t bytes) noexcept { return bytes >= kHugePage; }

// What is mapped for so many bytes.
std::size_t mapped_length(std::size_t bytes) { return round_up(bytes, is_huge(bytes) ? kHugePage : kPages); }

void* map(std::size_t bytes) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  return mapped;
}

// Maps one huge page more than asked and gives the unaligned ends back.
void* map_aligned(std::size_t bytes) {
  const std::size_t wanted = mapped_length(bytes);
  if (wanted > std::numeric_limits<std::size_t>::max() - kHugePage) throw std::bad_alloc();
  char* begin = static_cast<char*>(map(wanted + kHugePage));
  const std::size_t head = (kHugePage - reinterpret_cast<std::size_t>(begin) % kHugePage) % kHugePage;
  if (head != 0) munmap(begin, head);
  if (head != kHugePage) munmap(begin + head + wanted, kHugePage - head);
  madvise(begin + head, wanted, MADV_HUGEPAGE);
  return begin + head;
}

}  // namespace

bool moves_by_pages(std::size_t bytes) noexcept {
#ifdef MREMAP_FIXED
  return is_huge(bytes);
#else
  static_cast<void>(bytes);
  return false;
#endif
}

void* allocate_pages(std::size_t bytes) {
  if (is_huge(bytes)) return map_aligned(bytes);
  if (is_mapped(bytes)) return map(mapped_length(bytes));
  const std::size_t wanted = round_up(bytes == 0 ? 1 : bytes, kSmallAlignment);
  void* memory = std::aligned_alloc(kSmallAlignment, wanted);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, wanted);
  return memory;
}

void free_pages(void* memory, std::size_t bytes) noexcept {
  if (is_mapped(bytes)) {
    munmap(memory, mapped_length(bytes));
  } else {
    std::free(memory);
  }
}

void* reallocate_pages(void* memory, std::size_t old_bytes, std::size_t new_bytes) {
  if (is_mapped(old_bytes) && is_mapped(new_bytes) && mapped_length(new_bytes) == mapped_length(old_bytes)) return memory;
  void* fresh = allocate_pages(new_bytes);
  const std::size_t kept = old_bytes < new_bytes ? old_bytes : new_bytes;
#ifdef MREMAP_FIXED
  // Moving page tables costs microseconds where copying gigabytes costs seconds; needs a target that is aligned.
  if (is_huge(old_bytes) && is_huge(new_bytes)) {
    const std::size_t whole = round_up(kept, kHugePage);
    if (mremap(memory, whole, whole, MREMAP_MAYMOVE | MREMAP_FIXED, fresh) != MAP_FAILED) return fresh;
  }
#endif
  std::memcpy(fresh, memory, kept);
  free_pages(memory, old_bytes);
  return fresh;
}

}  // namespace segue
