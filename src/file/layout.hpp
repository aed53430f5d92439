#pragma once
// The bytes of a Segue file, as plain structs. docs/file_format.md tells the same in prose; the two change together.
//
//   0                128                      128 + 64 * sections                             file_bytes - 24
//   | header (128)   | table (64 a section)   | section | zeros | section | zeros | ...       | footer (24) |
//
// All numbers are little endian. Sections lie in the order of the table, each at a multiple of 64 (large ones at a
// multiple of 4,096, so that rows of a power of two never straddle a page), and between them are zeros, less than a
// page. So every byte is either covered by a checksum or has only one legal value.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "segue/types.hpp"

namespace segue {

// What a file is, beside its sections.
struct FileIdentity {
  std::string kind;  // "flat", "hnsw", ...: 1 to 16 of a-z, 0-9 and _
  Metric metric = Metric::kL2;
  Storage storage = Storage::kF32;
  Storage rerank = Storage::kAuto;  // kAuto: no finer copy is kept
  std::uint64_t dim = 0;
  std::uint64_t size = 0;  // items

  bool operator==(const FileIdentity&) const = default;
};

}  // namespace segue

namespace segue::layout {

static_assert(std::endian::native == std::endian::little, "sections are used in place: little endian only");

inline constexpr std::uint32_t kFormatVersion = 1;

// As in PNG: the first byte is no text, and the line end shows a transfer that took the file for text.
inline constexpr char kMagic[8] = {'\x89', 'S', 'E', 'G', 'U', 'E', '\r', '\n'};
inline constexpr char kFooterMagic[8] = {'S', 'E', 'G', 'U', 'E', 'E', 'N', 'D'};

inline constexpr std::size_t kNameBytes = 16;
inline constexpr std::uint32_t kMaxSections = 256;
inline constexpr std::uint64_t kMaxDim = 65'536;
inline constexpr std::uint64_t kAlignment = 64;
inline constexpr std::uint64_t kPage = 4'096;
// Sections of at least this size start on a page; below, the padding would weigh more than it brings.
inline constexpr std::uint64_t kPageAlignedFrom = 65'536;

struct Header {
  char magic[8];
  std::uint32_t format_version;
  std::uint32_t header_bytes;  // 128
  std::uint64_t file_bytes;
  std::uint32_t section_count;
  std::uint32_t section_entry_bytes;  // 64
  char kind[kNameBytes];              // zero padded
  std::uint8_t metric;
  std::uint8_t storage;
  std::uint8_t rerank;
  std::uint8_t zero_a[5];
  std::uint64_t dim;
  std::uint64_t size;
  std::uint8_t zero_b[48];
  std::uint64_t checksum;  // of the 120 bytes before
};
static_assert(sizeof(Header) == 128 && offsetof(Header, kind) == 32 && offsetof(Header, metric) == 48);
static_assert(offsetof(Header, dim) == 56 && offsetof(Header, checksum) == 120);
static_assert(std::is_trivially_copyable_v<Header>);

struct SectionEntry {
  char name[kNameBytes];  // zero padded
  std::uint64_t offset;   // from the start of the file
  std::uint64_t bytes;
  std::uint64_t element_size;
  std::uint64_t checksum;  // of the section's bytes, without padding
  std::uint8_t zero[16];
};
static_assert(sizeof(SectionEntry) == 64 && offsetof(SectionEntry, checksum) == 40);
static_assert(std::is_trivially_copyable_v<SectionEntry>);

struct Footer {
  char magic[8];
  std::uint64_t file_bytes;
  std::uint64_t checksum;  // of header and table
};
static_assert(sizeof(Footer) == 24);
static_assert(std::is_trivially_copyable_v<Footer>);

inline constexpr std::uint64_t kSmallestFile = sizeof(Header) + sizeof(Footer);

constexpr std::uint64_t alignment_of(std::uint64_t section_bytes) noexcept {
  return section_bytes >= kPageAlignedFrom ? kPage : kAlignment;
}

// The next multiple of a power of two. False where it would not fit 64 bits.
constexpr bool align_up(std::uint64_t value, std::uint64_t alignment, std::uint64_t& aligned) noexcept {
  if (value > std::numeric_limits<std::uint64_t>::max() - (alignment - 1)) return false;
  aligned = (value + alignment - 1) & ~(alignment - 1);
  return true;
}

}  // namespace segue::layout
