#pragma once
// What all files that this library writes have in common: how they are made, and how bytes get into them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "file/system_calls.hpp"

namespace segue {

// "." where the path has none.
std::string folder_of(const std::string& path);

// A new file in the folder, named .segue-<pid>-<n>.tmp: independent of the target's name, which may already be as long as
// a name can be. `access` is O_WRONLY or O_RDWR. Not open: errno says why.
FileDescriptor open_new_file(const std::string& folder, int access, std::string& path);

// All of them, at `offset` or where the last write ended; 0, or the errno of the write that failed.
int write_whole(int fd, std::span<const std::byte> bytes, std::optional<std::uint64_t> offset = {}) noexcept;

}  // namespace segue
