#include "candidates/pool.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace segue {
namespace {

// Of reciprocal rank fusion, as its authors found it.
constexpr double kRankConstant = 60;

// What a source's i-th proposal is worth on its own scale: 1 for the best, 1 / n for the last.
double worth(const Proposals& proposals, std::size_t i) {
  const auto n = static_cast<double>(proposals.ids.size());
  double part = 1 - static_cast<double>(i) / n;
  if (!proposals.scores.empty()) {
    const auto [low, high] = std::minmax(proposals.scores.front(), proposals.scores.back());
    const double best = proposals.larger_is_better ? high : low;
    const double last = proposals.larger_is_better ? low : high;
    part = best == last ? 1 : (static_cast<double>(proposals.scores[i]) - last) / (best - last);
    part = 1 / n + (1 - 1 / n) * std::clamp(part, 0.0, 1.0);
  }
  return part;
}

}  // namespace

void Pool::add_source(const Proposals& proposals, const SourceSpec& spec, Blend blend) {
  for (std::size_t i = 0; i < proposals.ids.size(); ++i) {
    const double own = blend == Blend::kReciprocalRank ? 1 / (kRankConstant + 1 + static_cast<double>(i)) : worth(proposals, i);
    const std::uint32_t place = places_.insert(proposals.ids[i], static_cast<std::uint32_t>(items_.size()));
    if (place == items_.size()) items_.push_back({proposals.ids[i], 0});
    items_[place].score += static_cast<double>(spec.weight) * own;
  }
}

void Pool::blend(std::span<const Proposals> proposals, const GeneratorOptions& options) {
  std::size_t most = 0;
  for (const Proposals& p : proposals) most += p.ids.size();
  items_.clear();
  places_.reset(most);
  for (std::size_t s = 0; s < proposals.size(); ++s) add_source(proposals[s], options.sources[s], options.blend);
}

void Pool::sort() {
  std::sort(items_.begin(), items_.end(), [](const PoolItem& a, const PoolItem& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
}

void append(const Proposals& more, Proposals& all) {
  IdTable known;
  known.reset(all.ids.size());
  for (const Id id : all.ids) known.insert(id, 0);
  if (all.ids.empty()) all.larger_is_better = more.larger_is_better;
  const bool scored = all.scores.size() == all.ids.size() && more.scores.size() == more.ids.size();
  if (!scored) all.scores.clear();
  for (std::size_t i = 0; i < more.ids.size(); ++i) {
    if (known.find(more.ids[i]) != IdTable::kNone) continue;
    all.ids.push_back(more.ids[i]);
    if (scored) all.scores.push_back(more.scores[i]);
  }
  if (!scored) return;
  std::vector<std::pair<float, Id>> both;
  for (std::size_t i = 0; i < all.ids.size(); ++i)
    both.emplace_back(all.larger_is_better ? -all.scores[i] : all.scores[i], all.ids[i]);
  std::stable_sort(both.begin(), both.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < both.size(); ++i) {
    all.ids[i] = both[i].second;
    all.scores[i] = all.larger_is_better ? -both[i].first : both[i].first;
  }
}

void trace(std::span<const Proposals> proposals, IdTable& places, Candidates& out) {
  const std::size_t n = out.ids.size();
  places.reset(n);
  for (std::size_t i = 0; i < n; ++i) places.insert(out.ids[i], static_cast<std::uint32_t>(i));
  out.offsets.assign(n + 1, 0);
  const auto for_each = [&](const auto& f) {
    for (std::size_t s = 0; s < proposals.size(); ++s) {
      for (std::size_t rank = 0; rank < proposals[s].ids.size(); ++rank) {
        const std::uint32_t place = places.find(proposals[s].ids[rank]);
        if (place != IdTable::kNone) f(place, s, rank);
      }
    }
  };
  for_each([&](std::uint32_t place, std::size_t, std::size_t) { ++out.offsets[place + 1]; });
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  std::vector<std::uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  out.sources.resize(out.offsets.back());
  out.ranks.resize(out.offsets.back());
  out.source_scores.resize(out.offsets.back());
  for_each([&](std::uint32_t place, std::size_t s, std::size_t rank) {
    const std::uint32_t at = next[place]++;
    out.sources[at] = static_cast<std::uint16_t>(s);
    out.ranks[at] = static_cast<std::uint32_t>(rank);
    out.source_scores[at] =
        proposals[s].scores.empty() ? std::numeric_limits<float>::quiet_NaN() : proposals[s].scores[rank];
  });
}

}  // namespace segue
