#include "candidates/pick.hpp"

#include <algorithm>
#include <limits>

namespace segue {

void pick_best(std::size_t items, Places& places) {
  for (std::uint32_t i = 0; i < items && places.left() > 0; ++i) {
    if (!places.is_taken(i) && places.may_take(i)) places.take(i);
  }
  // What quotas wanted and caps do not let in.
  for (std::uint32_t i = 0; i < items && places.left() > 0; ++i) {
    if (!places.is_taken(i) && places.fits(i)) places.take(i);
  }
}

void pick_in_turns(const Pool& pool, std::span<const Proposals> proposals, std::span<const SourceSpec> sources,
                   IdTable& positions, Places& places) {
  positions.reset(pool.size());
  for (std::uint32_t i = 0; i < pool.size(); ++i) positions.insert(pool.items()[i].id, i);
  std::vector<double> shares;
  double all = 0;
  std::size_t open = 0;
  for (const SourceSpec& source : sources) {
    all += static_cast<double>(source.share);
    open += source.share == 0;
  }
  // Those without a share divide what the others leave.
  const double rest = open == 0 ? 0 : std::max(0.0, 1 - all) / static_cast<double>(open);
  for (const SourceSpec& source : sources) shares.push_back(source.share == 0 ? rest : static_cast<double>(source.share));
  // Twice: quotas come first, then whatever fits.
  for (const bool strict : {true, false}) {
    std::vector<std::size_t> next(sources.size(), 0), taken(sources.size(), 0);
    while (places.left() > 0) {
      std::size_t turn = sources.size();
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t s = 0; s < sources.size(); ++s) {
        if (next[s] == proposals[s].ids.size()) continue;
        // Without any share: after all that have one.
        const double has = shares[s] > 0 ? static_cast<double>(taken[s] + 1) / shares[s] : std::numeric_limits<double>::max();
        if (has < least) {
          least = has;
          turn = s;
        }
      }
      if (turn == sources.size()) break;
      const std::uint32_t item = positions.find(proposals[turn].ids[next[turn]++]);
      if (places.is_taken(item) || !(strict ? places.may_take(item) : places.fits(item))) continue;
      places.take(item);
      ++taken[turn];
    }
  }
}

}  // namespace segue
