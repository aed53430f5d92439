#pragma once
// shrink: the fewest elements of a list that still fail, by delta debugging (Zeller and Hildebrandt, "Simplifying and
// isolating failure-inducing input", TSE 2002, section 3: ddmin).

#include <algorithm>
#include <cstddef>
#include <vector>

namespace segue::test {

// `fails` says of a list whether it fails; of `list` it did. What comes back fails, and does not where any one element
// is taken away, unless `runs` calls were not enough to find that out.
template <class T, class Fails>
std::vector<T> shrink(std::vector<T> list, Fails fails, std::size_t runs = 1'000) {
  std::size_t parts = 2;
  while (list.size() >= 2) {
    const std::size_t length = (list.size() + parts - 1) / parts;
    bool smaller = false;
    for (std::size_t begin = 0; begin < list.size() && !smaller; begin += length) {
      if (runs-- == 0) return list;
      std::vector<T> rest(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(begin));
      rest.insert(rest.end(), list.begin() + static_cast<std::ptrdiff_t>(std::min(list.size(), begin + length)),
                  list.end());
      smaller = fails(rest);
      if (smaller) list = std::move(rest);
    }
    if (smaller) {
      parts = std::max<std::size_t>(parts - 1, 2);
    } else {
      if (length == 1) break;
      parts = std::min(list.size(), 2 * parts);
    }
  }
  return list;
}

}  // namespace segue::test
