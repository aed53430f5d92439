#pragma once
// Numbers that look random and are the same on every machine and in every language (SplitMix64; Steele, Lea and Flood,
// OOPSLA 2014). The generators of <random> are fixed by the standard, their distributions are not.

#include <cstdint>

namespace playlists {

constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace playlists
