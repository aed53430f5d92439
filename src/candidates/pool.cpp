#include "candidates/pool.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace segue {
namespace {

// Of reciprocal rank fusion, as its authors found it.
constexpr double kRankConstant = 60;

// What a source's proposals are worth, the i-th by the rank that it has.
class RankWorth {
 public:
  explicit RankWorth(const SourceSpec& spec) : weight_(spec.weight) {}
  double operator()(std::size_t i) const noexcept { return weight_ / (kRankConstant + 1 + static_cast<double>(i)); }

 private:
  double weight_;
};

// And on the source's own scale: 1 for the best, 1 / n for the last.
class ScaledWorth {
 public:
  ScaledWorth(const Proposals& proposals, const SourceSpec& spec)
      : scores_(proposals.scores), weight_(spec.weight), n_(static_cast<double>(proposals.ids.size())), least_(1 / n_) {
    if (scores_.empty()) return;
    const auto [low, high] = std::minmax(scores_.front(), scores_.back());
    last_ = proposals.larger_is_better ? low : high;
    span_ = (proposals.larger_is_better ? high : low) - last_;
  }
  double operator()(std::size_t i) const noexcept {
    if (scores_.empty()) return weight_ * (1 - static_cast<double>(i) / n_);
    const double part = span_ == 0 ? 1 : std::clamp((static_cast<double>(scores_[i]) - last_) / span_, 0.0, 1.0);
    return weight_ * (least_ + (1 - least_) * part);
  }

 private:
  std::span<const float> scores_;
  double weight_;
  double n_;
  double least_;
  double last_ = 0;
  double span_ = 0;
};

}  // namespace

template <class Worth>
void Pool::add_source(std::span<const Id> ids, const Worth& worth) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::uint32_t place = place_of(ids[i]);
    if (place == items_.size()) items_.push_back({ids[i], 0, place});
    items_[place].score += worth(i);
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
  for (std::size_t s = 0; s < proposals.size(); ++s) {
    const SourceSpec& spec = options.sources[s];
    if (options.blend == Blend::kReciprocalRank) {
      add_source(proposals[s].ids, RankWorth(spec));
    } else {
      add_source(proposals[s].ids, ScaledWorth(proposals[s], spec));
    }
  }
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
