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
    const std::uint32_t place = place_of(proposals.ids[i]);
    if (place == items_.size()) items_.push_back({proposals.ids[i], 0, place});
    items_[place].score += static_cast<double>(spec.weight) * own;
    proposed_.push_back(place);
  }
}

std::uint32_t Pool::place_of(Id id) {
  const auto next = static_cast<std::uint32_t>(items_.size());
  return alone_ ? next : places_.insert(id, next);
}

void Pool::blend(std::span<const Proposals> proposals, const GeneratorOptions& options) {
  std::size_t most = 0;
  for (const Proposals& p : proposals) most += p.ids.size();
  items_.clear();
  proposed_.clear();
  alone_ = proposals.size() == 1;
  if (!alone_) places_.reset(most);
  for (std::size_t s = 0; s < proposals.size(); ++s) add_source(proposals[s], options.sources[s], options.blend);
}

void Pool::sort() {
  const auto better = [](const PoolItem& a, const PoolItem& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  };
  // As the proposals of one source are.
  if (!std::is_sorted(items_.begin(), items_.end(), better)) std::sort(items_.begin(), items_.end(), better);
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

void Pool::trace(std::span<const Proposals> proposals, std::span<const std::uint32_t> taken, Candidates& out) {
  constexpr std::uint32_t kLeft = 0xffffffff;
  const std::size_t n = taken.size();
  traced_.assign(items_.size(), kLeft);
  for (std::size_t i = 0; i < n; ++i) traced_[items_[taken[i]].place] = static_cast<std::uint32_t>(i);
  out.offsets.assign(n + 1, 0);
  for (const std::uint32_t place : proposed_) {
    if (traced_[place] != kLeft) ++out.offsets[traced_[place] + 1];
  }
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  out.sources.resize(out.offsets.back());
  out.ranks.resize(out.offsets.back());
  out.source_scores.resize(out.offsets.back());
  // While it is filled an offset is where the next goes, so in the end each is the one of the next candidate.
  const std::uint32_t* place = proposed_.data();
  for (std::size_t s = 0; s < proposals.size(); ++s) {
    for (std::size_t rank = 0; rank < proposals[s].ids.size(); ++rank, ++place) {
      if (traced_[*place] == kLeft) continue;
      const std::uint32_t at = out.offsets[traced_[*place]]++;
      out.sources[at] = static_cast<std::uint16_t>(s);
      out.ranks[at] = static_cast<std::uint32_t>(rank);
      out.source_scores[at] =
          proposals[s].scores.empty() ? std::numeric_limits<float>::quiet_NaN() : proposals[s].scores[rank];
    }
  }
  std::rotate(out.offsets.begin(), out.offsets.end() - 1, out.offsets.end());
  out.offsets.front() = 0;
}

}  // namespace segue
