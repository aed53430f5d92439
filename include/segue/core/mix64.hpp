#pragma once
// mix64: the finaliser of splitmix64 (Steele, Lea, Flood 2014). Neighbouring numbers land far apart. Its values are part
// of the file format: id tables, levels and insertion orders follow from them.

#include <cstdint>

namespace segue {

inline constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15u;

constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace segue
