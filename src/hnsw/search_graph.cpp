#include "hnsw/search_graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "items/check_input.hpp"

namespace segue {
namespace {

// Of what a walk over head codes found, this and twice k, or half if that is more, is decided: the answers are among the
// best by codes, and the wider the walk the more of the rest is looked at.
constexpr std::size_t kSpare = 8;
// Rows of the finer copy that are on their way.
constexpr std::size_t kDecidedAhead = 12;
// Rows decided at once, beyond the first.
constexpr std::size_t kPiece = 16;
// One of so many that a walk found may be excluded without another walk: what it loses is as if it were as much narrower.
constexpr std::size_t kFewLeftOut = 4;
// And so many of the k best, and one of so many, without fewer than k being left: a list of what was played names some of what
// is near. More where the list is a part of all items that one drawn at random would name as many; up to one of so many.
constexpr std::size_t kSpareExcluded = 2;
constexpr std::size_t kOneExcludedOf = 32;
constexpr std::size_t kMostExcluded = 8;
// So many rows of floats are scored before a query has been coded.
constexpr std::size_t kHandful = 64;
// Matches without any effect on the k best, a unit of ef, after which regions are given up; from k of ten on less, as one
// missing of many is little: k of 100 finds, at the least ef, 0.979 of a random half so and 0.989 without that, where a
// walk without any filter finds 0.967.
constexpr double kPatience = 24;
constexpr double kFewAnswers = 10;
// Of so many vertices one may be a ghost (no item, or not yet) without being kept out of what a walk keeps: leaving them out
// afterwards costs two or three of these, asking the gate about each that comes up a seventh of the time.
constexpr std::size_t kFewGhosts = 32;
// From this share on a filter is no more to a walk than exclusions are.
constexpr double kNearlyAll = 0.8;

class GraphSearch {
 public:
  GraphSearch(const HnswState& state, const float* query, std::size_t k, std::size_t ef, const MatchPlan* plan,
              Gate& gate, const Deadline& deadline, std::size_t head, HnswSearchMemory& memory, WalkStats& stats)
      : state_(state),
        query_(query),
        k_(k),
        ef_(std::max(ef, k + spare_excluded(state, k, gate.unmarked().size()))),
        plan_(plan),
        gate_(gate),
        deadline_(deadline),
        head_(head),
        memory_(memory),
        stats_(stats),
        scorer_(state.rows, state.walk_metric(), prepare(state, query, memory)) {
    const std::size_t ghosts = state.ghosts();
    if (ghosts != 0 && ghosts <= state.graph.size() / kFewGhosts) spare_ = 2 + ef_ / kFewGhosts;
  }

  void run() {
    memory_.walk.best.reset(ef_ + spare_);
    if (state_.ids.slots() == 0 || (plan_ != nullptr && plan_->matches == 0)) return;
    switch (choose_way()) {
      case Way::kPacked: return decide_packed();
      case Way::kEach: score_each(); break;
      case Way::kRegions: walk_regions(); break;
      case Way::kWalk:
        if (state_.metric == Metric::kInnerProduct) gate_.mark_excluded();
        walk_from_best();
        if (!decided_ && (!leave_out_few(memory_.walk.best, ef_, false) || ghosts_crowd())) walk_again();
        if (decided_ || taken_ || memory_.walk.best.size() >= k_ || stats_.cut) break;
        gate_.mark_excluded();
        score_each();
    }
    decide();
  }

 private:
  static const void* prepare(const HnswState& state, const float* query, HnswSearchMemory& memory) {
    state.prepare_walk(query, memory.prepared, memory.head);
    return memory.prepared.data();
  }

  static std::size_t spare_excluded(const HnswState& state, std::size_t k, std::size_t excluded) noexcept {
    if (excluded == 0) return 0;
    const std::size_t at_random = 2 * k * excluded / std::max<std::size_t>(1, state.ids.size());
    return kSpareExcluded + std::min(k / kOneExcludedOf + at_random, k / kMostExcluded);
  }

  enum class Way { kPacked, kEach, kRegions, kWalk };

  // By how many rows each way looks at, whatever the processor.
  Way choose_way() const {
    const std::size_t matches = plan_ == nullptr ? state_.ids.size() : plan_->matches;
    const bool coded = state_.codes.size() != 0;
    if (coded && !state_.codes.covers(query_)) return Way::kEach;
    if (plan_ != nullptr && !plan_->packed.slots.empty()) {
      return !state_.coder && matches <= kHandful ? Way::kEach : Way::kPacked;
    }
    const double share = static_cast<double>(matches) / static_cast<double>(std::max<std::size_t>(1, state_.ids.size()));
    if (plan_ != nullptr && !plan_->offsets.empty() && share < kNearlyAll) {
      return matches <= 2 * patience() ? Way::kEach : Way::kRegions;
    }
    // Codes of all are cheaper than rows of all; and they may have been scanned already.
    if (coded) return Way::kWalk;
    // A walk keeps ef matches, meets 1 / share vertices for each, and scores about half a list for each it expands.
    const double walk_cost =
        static_cast<double>(ef_) / std::max(share, 1e-9) * 0.5 * static_cast<double>(state_.graph.degree(0));
    return static_cast<double>(matches) <= walk_cost ? Way::kEach : Way::kWalk;
  }

  // Rows that bring nothing before regions are given up. Where matches crowd together most queries lie outside of them, and
  // the nearest regions say less.
  std::size_t patience() const noexcept {
    const double many = std::max(1.0, static_cast<double>(k_) / kFewAnswers);
    return static_cast<std::size_t>(kPatience * static_cast<double>(ef_) * plan_->crowding / std::sqrt(std::sqrt(many)));
  }
  // Among the first of so many by codes of the head are the k best.
  std::size_t kept() const noexcept { return std::max(ef_ / 2, 3 * k_ + 16); }
  // And by rows, which may be exact.
  std::size_t kept_rows() const noexcept { return state_.coder ? kept() : ef_; }

  MatchScan among_matches() const {
    return {state_, *plan_, query_, state_.walk_numbers(query_, memory_.head), gate_, deadline_};
  }

  void decide_packed() {
    items_ = plan_->packed.norms.empty();
    take_matches(kept(), [&] { scan_packed(among_matches(), kept(), memory_.match_scan, stats_); });
    decide_in_order();
    collect();
  }

  void walk_regions() {
    items_ = true;
    take_matches(kept_rows(), [&] {
      scan_regions(among_matches(), scorer_, k_, patience(), kept_rows(), memory_.match_scan, stats_);
    });
  }

  // What a scan leaves in match_scan.best: the `kept` best.
  template <class Scan>
  void take_matches(std::size_t kept, const Scan& scan) {
    std::vector<Candidate>& best = memory_.match_scan.best;
    scan();
    const bool all = best.size() < kept && !stats_.cut;
    if (!leave_out_few(best, kept, all)) {
      gate_.mark_excluded();
      if (!stats_.cut) scan();
    }
    if (gate_.excludes() != 0) {
      std::erase_if(best, [&](Candidate c) { return items_ ? gate_.excludes(vertex_of(c)) : !accepts(vertex_of(c)); });
    }
    taken_ = true;
    memory_.vertices.swap(best);
  }

  // A search that knows nothing of exclusions finds some of them, where they are not what it looks for: which of the
  // `width` best that it kept they are is then all that matters. False: they were too much of it, and a gate has to keep
  // them out. `all`: nothing else is left to find.
  template <class Best>
  bool leave_out_few(const Best& best, std::size_t width, bool all) {
    if (gate_.unmarked().empty()) return true;
    NamedAmong& named = memory_.named;
    named.clear();
    // Their ids lie all over memory.
    const Id* ids = state_.ids.ids();
    for (std::size_t i = 0; i < best.size(); ++i) __builtin_prefetch(ids + vertex_of(best[i]));
    for (std::size_t i = 0; i < best.size() && named.size() <= 2 * width; ++i) {
      const auto add = [&](std::uint32_t slot) {
        named.add(state_.ids.id(slot), slot);
        return named.size() <= 2 * width;
      };
      if (!items_ && state_.twins.any()) state_.twins.for_each(vertex_of(best[i]), add);
      else add(vertex_of(best[i]));
    }
    if (named.size() > 2 * width) return false;
    named.find(gate_.unmarked(), memory_.left_out);
    const std::size_t out = memory_.left_out.size();
    if (!all && (out * kFewLeftOut > width || best.size() < k_ + out)) return out == 0;
    gate_.mark_only(memory_.left_out);
    return true;
  }

  // Whether a walk that took them for items found fewer than k that are.
  bool ghosts_crowd() const {
    if (spare_ == 0 || gated_ || memory_.walk.best.size() < k_) return false;
    std::size_t items = 0;
    for (std::size_t i = 0; i < memory_.walk.best.size() && items < k_; ++i) {
      items += is_item(vertex_of(memory_.walk.best[i] & ~kExpandedBit));
    }
    return items < k_;
  }

  void walk_again() {
    gate_.mark_excluded();
    spare_ = 0;
    if (stats_.cut) return;
    memory_.walk.best.reset(ef_);
    walk_from_best();
  }

  // Every accepted item, without the graph. Twins are scored one by one: exact answers need no detour.
  void score_each() {
    items_ = true;
    if (plan_ != nullptr) {
      return take_matches(kept_rows(), [&] {
        score_matches(among_matches(), scorer_, kept_rows(), memory_.match_scan, stats_);
      });
    }
    gate_.mark_excluded();
    memory_.walk.best.reset(kept_rows());
    std::size_t n = 0;
    const auto slots = static_cast<std::uint32_t>(state_.ids.slots());
    for (std::uint32_t slot = 0; slot < slots && !stats_.cut; ++slot) {
      if (!gate_.accepts(slot)) continue;
      memory_.walk.list[n++] = slot;
      if (n == kMaxScoreList) score_list(std::exchange(n, 0));
    }
    score_list(n);
  }

  void score_list(std::size_t n) {
    WalkMemory& walk = memory_.walk;
    scorer_.score(walk.list, n, walk.costs);
    stats_.distances += n;
    stats_.visited += n;
    for (std::size_t i = 0; i < n; ++i) walk.best.insert(make_candidate(walk.costs[i], walk.list[i]));
    if (deadline_.passed()) stats_.cut = true;
  }

  bool accepts(std::uint32_t vertex) const noexcept { return accepts_vertex(state_, gate_, vertex); }
  // A vertex without an id may stand for twins.
  bool is_item(std::uint32_t vertex) const noexcept {
    if (state_.ids.id(vertex) >= 0) return true;
    return state_.twins.any() && accepts(vertex);
  }

  void walk_from_best() {
    WalkMemory& walk = memory_.walk;
    walk.visited.reset(state_.graph.size());
    gated_ = !gate_.open() || (spare_ == 0 && state_.ghosts() != 0);
    walk.frontier.clear();
    if (state_.metric == Metric::kInnerProduct && take_head()) return;
    if (stats_.cut || state_.graph.empty()) return;
    const Candidate start = descend_to(state_.graph, 0, scorer_, walk, stats_);
    if (walk.visited.insert(vertex_of(start))) {
      walk.frontier.push_back(start);
      if (!gated_ || accepts(vertex_of(start))) walk.best.insert(start);
    }
    if (gated_) {
      walk_gated(state_.graph, scorer_, [this](std::uint32_t v) { return accepts(v); }, deadline_, walk, stats_);
    } else {
      segue::walk(state_.graph, 0, scorer_, deadline_, walk, stats_);
    }
  }

  // True: nothing is left to walk for.
  bool take_head() {
    HeadScanMemory& head = memory_.head_scan;
    if (head_ == kNoHead) {
      head_ = 0;
      scan_heads(state_, {&query_, 1}, {&gate_, 1}, plan_ == nullptr ? nullptr : &plan_->coded, k_, ef_, deadline_, head,
                 {&stats_, 1});
    }
    if (plan_ != nullptr && head.outcomes[head_] == HeadScan::kStart) {
      // A walk through what does not match has no end: all codes of matches, instead.
      scan_heads(state_, {&query_, 1}, {&gate_, 1}, &plan_->coded, k_, state_.ids.slots(), deadline_, head,
                 {&stats_, 1});
    }
    const HeadScan outcome = head.outcomes[head_];
    if (outcome == HeadScan::kNone) {
      if (state_.codes.size() == 0 || state_.codes.covers(query_)) return false;
      // Numbers that no bound in float holds for.
      score_each();
      return true;
    }
    decide_head(state_, head_, query_, k_, head, stats_);
    if (outcome == HeadScan::kEnough) {
      memory_.vertices = head.found;
      decided_ = true;
      return true;
    }
    for (const Candidate c : head.found) {
      memory_.walk.visited.insert(vertex_of(c));
      memory_.walk.best.insert(c);
      memory_.walk.frontier.push_back(c);
    }
    return false;
  }

  // From what was found to the k best items, by what decides.
  void decide() {
    if (!decided_ && !taken_) take_best();
    if (decided_ || !needs_deciding()) {
      // By exact costs already.
    } else if (items_) {
      decide_in_order();
    } else {
      decide_costs(memory_.vertices);
      std::sort(memory_.vertices.begin(), memory_.vertices.end());
    }
    collect();
  }

  void take_best() {
    memory_.vertices.clear();
    std::size_t decided = memory_.walk.best.size();
    if (state_.coder && !items_) decided = std::min(decided, std::max(2 * k_ + kSpare, ef_ / 2));
    for (std::size_t i = 0; i < memory_.walk.best.size() && memory_.vertices.size() < decided; ++i) {
      const Candidate c = memory_.walk.best[i] & ~kExpandedBit;
      const bool ghost = spare_ != 0 && !gated_ && !items_ && !is_item(vertex_of(c));
      if (!ghost && (items_ || gate_.excludes() == 0 || accepts(vertex_of(c)))) memory_.vertices.push_back(c);
    }
  }

  bool needs_deciding() const noexcept {
    return state_.coder || state_.fine || !kernel_costs_are_exact(state_.rows.storage());
  }

  void decide_costs(std::vector<Candidate>& vertices) {
    stats_.distances += vertices.size();
    if (!state_.decides_by_head()) {
      return exact_costs(state_.finest(), state_.search_metric(), query_, vertices, memory_.rescoring);
    }
    if (!decider_) {
      decider_.emplace(*state_.coder, state_.rows, state_.rest(), state_.search_metric(), query_, memory_.head);
    }
    const std::size_t first = std::min(vertices.size(), kDecidedAhead);
    for (std::size_t i = 0; i < first; ++i) decider_->prefetch(vertex_of(vertices[i]));
    for (std::size_t i = 0; i < vertices.size(); ++i) {
      if (i + kDecidedAhead < vertices.size()) decider_->prefetch(vertex_of(vertices[i + kDecidedAhead]));
      vertices[i] = make_candidate(decider_->cost(vertex_of(vertices[i])), vertex_of(vertices[i]));
    }
  }

  // Best first by codes, until the codes of the others are worse than the k-th cost by three times what codes were seen to
  // be off by: two or three pieces instead of all that was kept.
  void decide_in_order() {
    std::vector<Candidate>& all = memory_.vertices;
    std::vector<Candidate>& piece = memory_.piece;
    // Of vectors of one length a product is half a distance less.
    const double unit = state_.coder && state_.search_metric() == RowMetric::kDot ? 0.5 : 1;
    double sum = 0;
    double squares = 0;
    std::vector<float>& costs = memory_.costs;
    costs.clear();
    std::size_t done = 0;
    for (std::size_t size = k_ + kSpare; done < all.size(); size = kPiece) {
      piece.assign(all.begin() + static_cast<std::ptrdiff_t>(done),
                   all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), done + size)));
      decide_costs(piece);
      for (const Candidate c : piece) {
        const double off = static_cast<double>(cost_of(c)) - unit * static_cast<double>(cost_of(all[done]));
        sum += off;
        squares += off * off;
        costs.push_back(cost_of(c));
        all[done++] = c;
      }
      if (done == all.size() || done < k_) continue;
      const double n = static_cast<double>(done);
      const double deviation = std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
      const auto kth = costs.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
      std::nth_element(costs.begin(), kth, costs.end());
      if (unit * static_cast<double>(cost_of(all[done])) + sum / n - 3 * deviation > static_cast<double>(*kth)) break;
    }
    all.resize(done);
    std::sort(all.begin(), all.end());
  }

  // The items of the best vertices.
  void collect() {
    std::vector<Candidate>& found = memory_.found;
    found.clear();
    for (const Candidate vertex : memory_.vertices) {
      // Ids decide among equal costs, so all that tie with the k-th are looked at.
      if (found.size() >= k_ && (vertex >> 32) != (found.back() >> 32)) break;
      const Candidate cost = vertex >> 32 << 32;
      const auto take = [&](std::uint32_t slot) {
        if (gate_.accepts(slot)) found.push_back(cost | (static_cast<Candidate>(slot) << 1));
        return true;
      };
      if (items_ || !state_.twins.any()) {
        take(vertex_of(vertex));
      } else {
        state_.twins.for_each(vertex_of(vertex), take);
      }
    }
    sort_by_cost_then_id(found, state_.ids);
    if (found.size() > k_) found.resize(k_);
  }

  const HnswState& state_;
  const float* query_;
  std::size_t k_;
  std::size_t ef_;
  const MatchPlan* plan_;  // null: there is no filter
  Gate& gate_;
  const Deadline& deadline_;
  std::size_t head_;  // which query of memory.head_scan this is, or kNoHead
  HnswSearchMemory& memory_;
  WalkStats& stats_;
  RowScorer scorer_;
  std::optional<HeadDecider> decider_;
  bool decided_ = false;  // memory.vertices has the answers, by exact costs
  bool taken_ = false;    // memory.vertices has what was found
  std::size_t spare_ = 0;  // ghosts are few: how many more than ef a walk keeps that takes them for items
  bool gated_ = false;    // the walk kept nothing that the gate does not accept
  bool items_ = false;    // what was found are items, not vertices with their twins
};

}  // namespace

void search_graph(const HnswState& state, const float* query, std::size_t k, std::size_t ef, const MatchPlan* plan,
                  Gate& gate, const Deadline& deadline, HnswSearchMemory& memory, WalkStats& stats,
                  std::size_t head) {
  memory.found.clear();
  memory.vertices.clear();
  GraphSearch(state, query, k, ef, plan, gate, deadline, head, memory, stats).run();
}

}  // namespace segue
