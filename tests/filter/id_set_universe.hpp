#pragma once
// Random sets of ids of every shape that an IdSet stores differently.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "segue/filter.hpp"

namespace segue::test {

inline constexpr Id kLargestId = std::numeric_limits<Id>::max();

enum class Universe {
  kTiny,       // a handful of ids in one chunk: every pair of sets overlaps
  kDense,      // a catalogue: four chunks, direct directory, arrays and bitmaps
  kThreshold,  // one chunk around the 4,096 ids where an array becomes a bitmap
  kScattered,  // keys far apart: binary search, arrays of one or a few
  kHuge,       // up to and including the largest id
  kMixed,      // dense chunks among scattered ones
};

inline constexpr Universe kUniverses[] = {Universe::kTiny,      Universe::kDense, Universe::kThreshold,
                                          Universe::kScattered, Universe::kHuge,  Universe::kMixed};

using Random = std::mt19937_64;

inline std::size_t below(Random& random, std::size_t n) { return random() % n; }

// Every id of a chunk with probability `numerator` / 1024.
inline void add_share(Random& random, Id first, std::size_t range, unsigned numerator, std::set<Id>& out) {
  for (std::size_t i = 0; i < range; ++i) {
    if (below(random, 1024) < numerator) out.insert(out.end(), first + static_cast<Id>(i));
  }
}

inline std::set<Id> random_ids(Random& random, Universe universe) {
  std::set<Id> ids;
  switch (universe) {
    case Universe::kTiny:
      for (std::size_t n = below(random, 12); n > 0; --n) ids.insert(static_cast<Id>(below(random, 16)));
      break;
    case Universe::kDense:
      for (Id chunk = 0; chunk < 4; ++chunk) {
        const unsigned shares[] = {0, 1, 20, 64, 500, 1023, 1024};
        add_share(random, chunk << 16, 65536, shares[below(random, 7)], ids);
      }
      break;
    case Universe::kThreshold:
      // Between 4,094 and 4,098 of 4,200 neighbours: results of operators fall on both sides as well.
      for (Id id = 0; id < 4200; ++id) ids.insert(ids.end(), id);
      for (const std::size_t n = 4094 + below(random, 5); ids.size() > n;) ids.erase(static_cast<Id>(below(random, 4200)));
      break;
    case Universe::kScattered:
      for (std::size_t n = below(random, 400); n > 0; --n) ids.insert(static_cast<Id>(below(random, 600) * 1'000'003));
      break;
    case Universe::kHuge:
      for (std::size_t n = below(random, 200); n > 0; --n) ids.insert(kLargestId - static_cast<Id>(below(random, 100'000)));
      for (std::size_t n = below(random, 200); n > 0; --n) ids.insert(static_cast<Id>(random() >> 1));
      if (below(random, 2) == 0) ids.insert(kLargestId);
      break;
    case Universe::kMixed:
      for (std::size_t n = below(random, 6); n > 0; --n) {
        const Id chunk = static_cast<Id>(below(random, 5) * 1'000'000'007) << 16;
        add_share(random, chunk, 65536, static_cast<unsigned>(below(random, 1025)), ids);
      }
      break;
  }
  return ids;
}

inline IdSet make(const std::set<Id>& ids) {
  return IdSet::from_ids(std::vector<Id>(ids.begin(), ids.end())).value();
}

// Ids to ask about: members, their neighbours, the ends of chunks, and anything.
inline std::vector<Id> probes(Random& random, const std::set<Id>& ids) {
  std::vector<Id> out = {0, 1, 65535, 65536, 65537, 131071, kLargestId, kLargestId - 1, kLargestId - 65536};
  std::size_t i = 0;
  const std::size_t step = 1 + ids.size() / 500;
  for (const Id id : ids) {
    if (i++ % step != 0) continue;
    out.push_back(id);
    if (id > 0) out.push_back(id - 1);
    if (id < kLargestId) out.push_back(id + 1);
  }
  for (int n = 0; n < 500; ++n) out.push_back(static_cast<Id>(below(random, 300'000)));
  for (int n = 0; n < 100; ++n) out.push_back(static_cast<Id>(random() >> 1));
  std::shuffle(out.begin(), out.end(), random);
  return out;
}

}  // namespace segue::test
