#pragma once
// The vectors of some ids, of which an index may not hold all, or lose one at any moment.

#include <span>
#include <vector>

#include "segue/index.hpp"

namespace segue {

// Those that are there, one after the other, into `rows`; which of `ids` they belong to into `which`, ascending.
inline void read_vectors(const Index& index, std::span<const Id> ids, std::vector<float>& rows,
                         std::vector<std::uint32_t>& which) {
  rows.clear();
  which.clear();
  if (Result<std::vector<float>> all = index.get(ids); all.ok()) {
    rows = std::move(*all);
    for (std::size_t i = 0; i < ids.size(); ++i) which.push_back(static_cast<std::uint32_t>(i));
    return;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Result<std::vector<float>> one = index.get(ids.subspan(i, 1));
    if (!one.ok()) continue;
    rows.insert(rows.end(), one->begin(), one->end());
    which.push_back(static_cast<std::uint32_t>(i));
  }
}

}  // namespace segue
