#pragma once
// Index files: open, look at, check. docs/file_format.md has the bytes.
//
//   auto index = segue::load("tracks.segue");                       // mapped, all checksums verified
//   auto index = segue::load("tracks.segue", {.verify = false});    // opens in microseconds, whatever the size
//
// Loading never executes anything from a file and trusts nothing in it. A file that is not whole is kCorruptFile and
// the message names the section. With verify off, a damaged file may give wrong answers, but never a crash, a hang or
// an allocation beyond the file's size.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "segue/index.hpp"

namespace segue {

struct LoadOptions {
  // Map the file: pages are read when first used and shared between processes. Changes to the index stay in memory and
  // never reach the file. The file must not be truncated or written in place while it is mapped (save() never does).
  // false: read it into memory at once.
  bool mmap = true;
  // Check all sums and the range of every link before returning. Reads the whole file. Without it, the first change of
  // the index checks the links and ranges first, and fails with kCorruptFile where they are wrong.
  bool verify = true;
};

struct FileSection {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

struct FileInfo {
  std::uint32_t format_version = 0;
  std::string kind;
  Metric metric = Metric::kL2;
  Storage storage = Storage::kF32;
  std::size_t dim = 0;
  std::size_t size = 0;  // items
  std::uint64_t bytes = 0;
  std::vector<FileSection> sections;
};

// kNotFound: no such file. kIoError: it cannot be read (a directory, no permission). kCorruptFile: it is not a whole
// index; messages tell an empty file, a git-lfs pointer, a truncated file and a file of another kind apart.
Result<std::unique_ptr<Index>> load(const std::string& path, const LoadOptions& options = {});
// From bytes that to_bytes() made; they are copied.
Result<std::unique_ptr<Index>> load_bytes(std::span<const unsigned char> bytes, bool verify = true);
// The header and the section table, without reading the sections.
Result<FileInfo> inspect(const std::string& path);
// All sums, and every range and link, without keeping the index.
Status verify(const std::string& path);

}  // namespace segue
