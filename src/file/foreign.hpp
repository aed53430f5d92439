#pragma once
// Tells what a file is that is no Segue file, so that an error can say more than "wrong magic".

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace segue {

// From the first bytes (up to 128 are looked at) and the file's whole size: "a git-lfs pointer; ...",
// "an index of FAISS", ... Never empty.
std::string describe_foreign(std::span<const std::byte> start, std::uint64_t file_bytes);

}  // namespace segue
