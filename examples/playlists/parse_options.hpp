#pragma once
// What the command line of continue_playlists asks for.

#include <cstddef>
#include <cstdint>
#include <string>

#include "segue/status.hpp"
#include "segue/types.hpp"

namespace playlists {

struct Options {
  std::string data;  // folder of the playlists; the project's own unless named
  std::string out = ".";
  std::size_t dim = 64;
  segue::Metric metric = segue::Metric::kCosine;
  std::uint64_t seed = 0;
  bool quick = false;
  bool help = false;
};

inline constexpr const char* kUsage =
    "continue_playlists [--data DIR] [--out DIR] [--dim N] [--metric M] [--seed N] [--quick]\n"
    "\n"
    "Holds back a part of 250 public playlists, makes song vectors of the rest, indexes them and\n"
    "continues the playlists.\n"
    "\n"
    "  --data DIR   where the playlists are (default: data/playlists of the project)\n"
    "  --out DIR    where the index and the picture go (default: here; made where it is missing)\n"
    "  --dim N      dimensions of the vectors, 8 to 200 (default 64)\n"
    "  --metric M   cosine, ip or l2 (default cosine, which hits most)\n"
    "  --seed N     of the split, the embedding and the index (default 0)\n"
    "  --quick      fewer timing rounds\n";

// kInvalidArgument names the argument that is not understood.
segue::Result<Options> parse_options(int argc, const char* const* argv);

}  // namespace playlists
