#pragma once
// Candidate: a vertex and its cost in one integer that sorts by cost, then by vertex.
//
// The high half is the cost's bits, mapped so that they ascend as the float does; the low half the vertex, shifted up
// by one to leave a bit for "expanded". One 64-bit comparison decides, and ties are decided the same way everywhere.

#include <bit>
#include <cstdint>

namespace segue {

using Candidate = std::uint64_t;

inline constexpr Candidate kExpandedBit = 1;
inline constexpr Candidate kWorstCandidate = ~Candidate{0};

constexpr std::uint32_t ordered_bits(float cost) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(cost + 0.0f);  // -0 becomes 0
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
constexpr float cost_of_bits(std::uint32_t ordered) noexcept {
  return std::bit_cast<float>(ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered);
}
constexpr Candidate make_candidate(float cost, std::uint32_t vertex) noexcept {
  return (static_cast<Candidate>(ordered_bits(cost)) << 32) | (static_cast<Candidate>(vertex) << 1);
}
constexpr float cost_of(Candidate c) noexcept { return cost_of_bits(static_cast<std::uint32_t>(c >> 32)); }
constexpr std::uint32_t vertex_of(Candidate c) noexcept { return static_cast<std::uint32_t>(c) >> 1; }

}  // namespace segue
