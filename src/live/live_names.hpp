#pragma once
// The names of the files of a live index. They are made of numbers and of nothing else: no name that was read from a file
// ever reaches the file system.
//
//   LOCK                                    who writes
//   snapshot-00000000000000000042.segue     an index file: all changes up to number 42
//   journal-00000000000000000043.log        a segment: the changes from number 43 on

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "segue/status.hpp"

namespace segue {

std::string snapshot_path(const std::string& directory, std::uint64_t sequence);
std::string segment_path(const std::string& directory, std::uint64_t first_sequence);
std::string lock_path(const std::string& directory);

struct LiveFiles {
  std::vector<std::uint64_t> snapshots;    // ascending
  std::vector<std::uint64_t> segments;     // ascending, by their first number
  std::vector<std::string> temporary;      // names that a killed writer left
  std::vector<std::string> others;         // what is none of this library's
};

// kNotFound: no such directory.
Result<LiveFiles> list_live_files(const std::string& directory);

}  // namespace segue
