#pragma once
// A file that lies in memory and has a path: one for the whole program, with other contents each time.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string>

namespace segue::test {

inline std::string scratch_path(std::span<const unsigned char> contents) {
  static int file = -1;
  // A new one each time: the one before may still be mapped.
  if (file >= 0) ::close(file);
  file = ::memfd_create("segue-fuzz", MFD_CLOEXEC);
  if (file < 0) std::abort();
  for (std::size_t at = 0; at < contents.size();) {
    const ::ssize_t written = ::write(file, contents.data() + at, contents.size() - at);
    if (written <= 0) std::abort();
    at += static_cast<std::size_t>(written);
  }
  return "/proc/self/fd/" + std::to_string(file);
}

}  // namespace segue::test
