#include "segue/core/buffer.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <new>

namespace segue {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSmallAlignment = 64;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  if (bytes > std::numeric_limits<std::size_t>::max() - unit) throw std::bad_alloc();
  return (bytes + unit - 1) / unit * unit;
}

bool is_mapped(std::size_t bytes) noexcept { return bytes >= kHugePage; }

// Maps one huge page more than asked and gives the unaligned ends back.
void* map_aligned(std::size_t bytes) {
  const std::size_t wanted = round_up(bytes, kHugePage);
  void* mapped = mmap(nullptr, wanted + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* begin = static_cast<char*>(mapped);
  const std::size_t head = (kHugePage - reinterpret_cast<std::size_t>(begin) % kHugePage) % kHugePage;
  if (head != 0) munmap(begin, head);
  if (head != kHugePage) munmap(begin + head + wanted, kHugePage - head);
  madvise(begin + head, wanted, MADV_HUGEPAGE);
  return begin + head;
}

}  // namespace

bool moves_by_pages(std::size_t bytes) noexcept {
#ifdef MREMAP_FIXED
  return is_mapped(bytes);
#else
  static_cast<void>(bytes);
  return false;
#endif
}

void* allocate_pages(std::size_t bytes) {
  if (is_mapped(bytes)) return map_aligned(bytes);
  const std::size_t wanted = round_up(bytes == 0 ? 1 : bytes, kSmallAlignment);
  void* memory = std::aligned_alloc(kSmallAlignment, wanted);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, wanted);
  return memory;
}

void free_pages(void* memory, std::size_t bytes) noexcept {
  if (is_mapped(bytes)) {
    munmap(memory, (bytes + kHugePage - 1) / kHugePage * kHugePage);
  } else {
    std::free(memory);
  }
}

void* reallocate_pages(void* memory, std::size_t old_bytes, std::size_t new_bytes) {
  if (is_mapped(old_bytes) && round_up(new_bytes, kHugePage) == round_up(old_bytes, kHugePage)) return memory;
  void* fresh = allocate_pages(new_bytes);
  const std::size_t kept = old_bytes < new_bytes ? old_bytes : new_bytes;
#ifdef MREMAP_FIXED
  // Moving page tables costs microseconds where copying gigabytes costs seconds; needs a target that is aligned.
  if (is_mapped(old_bytes) && is_mapped(new_bytes)) {
    const std::size_t whole = round_up(kept, kHugePage);
    if (mremap(memory, whole, whole, MREMAP_MAYMOVE | MREMAP_FIXED, fresh) != MAP_FAILED) return fresh;
  }
#endif
  std::memcpy(fresh, memory, kept);
  free_pages(memory, old_bytes);
  return fresh;
}

}  // namespace segue
