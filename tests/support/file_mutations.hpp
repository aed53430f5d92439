#pragma once
// Damages index files in seeded, repeatable ways, and makes their checksums right again where a test wants the checks
// behind the checksums exercised.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace segue::test {

using Bytes = std::vector<unsigned char>;

// xorshift64*; the same numbers everywhere, unlike std::uniform_int_distribution.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0xD1B54A32D192ED03u) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  // 0 to limit - 1; limit > 0.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>((next() >> 8) % limit); }

 private:
  std::uint64_t state_;
};

// One to four changes out of: a flipped bit, a random byte, a number (2, 4 or 8 bytes, at a multiple of its size)
// replaced by 0, a power of two, a huge or a nearby one, a run copied, zeroed or swapped, the end cut off, bytes
// appended. Half of them hit header, table and footer. Never gives back `file` itself.
Bytes mutate(const Bytes& file, Random& random);

// The same, but nothing that changes the length, and only within the sections; half of the changes pick a section first.
Bytes mutate_sections(const Bytes& file, Random& random);

// Makes length, section sums, header sum and footer sum right, as far as the table still makes sense.
void fix_checksums(Bytes& file);

}  // namespace segue::test
