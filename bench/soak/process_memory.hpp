#pragma once
// How much memory this process has resident, from /proc; zeros where there is none.

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace segue::bench {

struct ProcessMemory {
  std::uint64_t resident = 0;   // bytes, pages of mapped files included
  std::uint64_t anonymous = 0;  // bytes that no file has
};

inline ProcessMemory process_memory() {
  ProcessMemory memory;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kilobytes = 0;
    words >> name >> kilobytes;
    if (name == "VmRSS:") memory.resident = kilobytes * 1024;
    if (name == "RssAnon:") memory.anonymous = kilobytes * 1024;
  }
  return memory;
}

}  // namespace segue::bench
