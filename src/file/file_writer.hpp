#pragma once
// Writing a Segue file: to a path, atomically, or to memory. The same input gives the same bytes, always: no times, no
// names, no addresses.
//
//   SectionToWrite sections[] = {make_section<Id>("ids", ids), make_section<float>("vectors", vectors)};
//   SEGUE_RETURN_IF_ERROR(write_file(path, identity, sections));
//
// Costs one pass over the sections for their checksums and one to write them; copies none of them.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "file/layout.hpp"
#include "segue/status.hpp"

namespace segue {

// Its content is `bytes`, then all of `pieces`, with nothing between them. Borrowed.
struct SectionToWrite {
  std::string_view name;  // 1 to 16 of a-z, 0-9 and _
  std::size_t element_size = 1;
  std::span<const std::byte> bytes;
  std::vector<std::span<const std::byte>> pieces;
};

template <class T>
SectionToWrite make_section(std::string_view name, std::span<const T> elements) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {name, sizeof(T), std::as_bytes(elements), {}};
}

// Called once with all that a file holds; what the sections borrow lives as long as the call.
using WriteSections = std::function<void(const FileIdentity& identity, std::span<const SectionToWrite> sections)>;

// `path` holds its old content or all of the new, whatever happens, and survives a power cut once this returns ok.
// A symbolic link is followed, the permissions of a file that was there are kept. kIoError names the call that failed;
// no temporary file stays behind unless the process is killed. kInvalidArgument: sections or identity that the format
// does not take.
Status write_file(const std::string& path, const FileIdentity& identity, std::span<const SectionToWrite> sections);
// The bytes that write_file would write. kOutOfMemory where they do not fit.
Result<std::vector<unsigned char>> write_bytes(const FileIdentity& identity, std::span<const SectionToWrite> sections);

}  // namespace segue
