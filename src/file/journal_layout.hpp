#pragma once
// The bytes of a segment of a journal, as plain structs. docs/file_format.md tells the same in prose; the two change
// together.
//
//   0            64
//   | header 64  | record 40 + payload | record 40 + payload | ...
//
// All numbers are little endian. Payloads are whole multiples of 8 bytes, so every record starts at one.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace segue::journal_layout {

static_assert(std::endian::native == std::endian::little, "payloads are used in place: little endian only");

inline constexpr std::uint32_t kVersion = 1;
// As in index files: no text, and broken visibly by a transfer that took it for text.
inline constexpr char kMagic[8] = {'\x89', 'S', 'E', 'G', 'L', 'O', 'G', '\n'};
// What every record begins with: what zeros, text and floats hardly hold.
inline constexpr std::uint32_t kMarker = 0xd7a9c35b;
inline constexpr std::uint64_t kAlignment = 8;

struct FileHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t header_bytes;    // 64
  std::uint64_t identity;        // drawn when the directory was made; the same in all its files
  std::uint64_t first_sequence;  // of the records that follow
  std::uint8_t zero[24];
  std::uint64_t checksum;  // of the 56 bytes before
};
static_assert(sizeof(FileHeader) == 64 && offsetof(FileHeader, checksum) == 56);
static_assert(std::is_trivially_copyable_v<FileHeader>);

struct RecordHeader {
  std::uint32_t marker;
  std::uint32_t type;
  std::uint64_t sequence;  // one more than that of the record before; a mark has the same
  std::uint64_t synced;    // all records up to this one were durable when it was written
  std::uint64_t bytes;     // of the payload, a multiple of 8
  std::uint64_t checksum;  // of the identity, the 32 bytes before, and the payload
};
static_assert(sizeof(RecordHeader) == 40 && offsetof(RecordHeader, checksum) == 32);
static_assert(std::is_trivially_copyable_v<RecordHeader>);

// Written when a journal is closed: it takes no number of its own and says that all before it is durable.
inline constexpr std::uint32_t kMark = 1;
// What records are about is for those above this layer to say.
inline constexpr std::uint32_t kFirstType = 2;
inline constexpr std::uint32_t kLastType = 63;

}  // namespace segue::journal_layout
