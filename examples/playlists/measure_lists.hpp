#pragma once
// How good lists are, by the definitions of docs/evaluation.md; in Python segue.evaluate measures the same and more.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "segue/segue.hpp"

namespace playlists {

using Lists = std::vector<std::vector<segue::Id>>;

struct Figures {
  // Means over those who took anything.
  double hit_rate = 0;  // whether the list has one of what they took
  double recall = 0;    // which part of it the list has
  double ndcg = 0;      // the same, but what stands higher counts more
  // Of all lists.
  double coverage = 0;   // which part of the catalogue is in any list
  double novelty = 0;    // bits, the more the rarer; mean over the lists
  double diversity = 0;  // 1 - mean cosine of the pairs of a list; mean over the lists
};

// The first k places of each list against what its listener took; `plays`: how often each item was taken before; the
// catalogue is what the index holds.
segue::Result<Figures> measure_lists(const Lists& lists, const Lists& taken, std::size_t k,
                                     const std::vector<std::int64_t>& plays, const segue::Index& index);

// A header and a row of a table, with `name` in the first column.
void print_figures_header(std::size_t k);
void print_figures(const std::string& name, const Figures& figures);

}  // namespace playlists
