#pragma once
// From untrusted bytes to a checked table of sections. Reads header, table and footer only, whatever the file's size.
//
// What it promises about a file that it lets through: the length is what the header says; names are well formed and
// distinct; sections lie inside the file, in order, apart, aligned; each holds whole elements; metric, storages and
// dimension are known values; there are no more items than bytes. It allocates at most 16 KiB.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "file/layout.hpp"
#include "segue/status.hpp"

namespace segue {

// Random access to the bytes of a file or of memory.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // How errors call it: "'/srv/tracks.segue'".
  virtual const std::string& name() const noexcept = 0;
  virtual std::uint64_t size() const noexcept = 0;
  // All of `bytes`, or an error. [offset, offset + bytes.size()) lies within size().
  virtual Status read(std::uint64_t offset, std::span<std::byte> bytes) const = 0;
};

struct ParsedSection {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t element_size = 0;
  std::uint64_t checksum = 0;
};

struct ParsedFile {
  std::uint32_t format_version = 0;
  std::uint64_t bytes = 0;
  FileIdentity identity;
  std::vector<ParsedSection> sections;
};

// kCorruptFile says what is wrong, where, and what to do; kIoError comes from the source.
Result<ParsedFile> parse_file(const ByteSource& source);

// "'<path>': <what>", as every kCorruptFile of this folder reads.
Status corrupt(std::string_view source_name, std::string_view what);

}  // namespace segue
