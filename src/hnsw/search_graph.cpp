#include "hnsw/search_graph.hpp"

#include <algorithm>
#include <limits>

#include "items/check_input.hpp"

namespace segue {
namespace {

// Of what a walk over head codes found, this and twice k, or half if that is more, is decided: the answers are among the
// best by codes, and the wider the walk the more of the rest is looked at.
constexpr std::size_t kSpare = 8;
// Rows of the finer copy that are on their way.
constexpr std::size_t kDecidedAhead = 12;

class GraphSearch {
 public:
  GraphSearch(const HnswState& state, const float* query, std::size_t k, std::size_t ef, const Gate& gate,
              const Deadline& deadline, std::size_t head, HnswSearchMemory& memory, WalkStats& stats)
      : state_(state),
        query_(query),
        k_(k),
        ef_(ef),
        gate_(gate),
        deadline_(deadline),
        head_(head),
        memory_(memory),
        stats_(stats),
        scorer_(state.rows, state.walk_metric(), prepare(state, query, memory)) {}

  void run(const IdSet* filter) {
    memory_.walk.best.reset(ef_);
    const std::size_t slots = state_.ids.slots();
    if (slots == 0) return;
    const std::size_t matches = estimate_matches(filter);
    const double share = static_cast<double>(matches) / static_cast<double>(std::max<std::size_t>(1, state_.ids.size()));
    // A walk keeps ef matches, meets 1 / share vertices for each, and scores about half a list for each it expands.
    const double walk_cost =
        static_cast<double>(ef_) / std::max(share, 1e-9) * 0.5 * static_cast<double>(state_.graph.degree(0));
    // Codes of all are cheaper than rows of all; and they may have been scanned already.
    const bool scans = filter == nullptr && state_.codes.size() != 0 && state_.codes.covers(query_);
    if (!scans && static_cast<double>(matches) <= walk_cost) {
      score_everything(filter);
    } else {
      walk_from_best();
      if (!decided_ && memory_.walk.best.size() < k_ && !stats_.cut) {
        memory_.walk.best.reset(ef_);
        score_everything(filter);
      }
    }
    decide();
  }

 private:
  static const void* prepare(const HnswState& state, const float* query, HnswSearchMemory& memory) {
    state.prepare_walk(query, memory.prepared, memory.head);
    return memory.prepared.data();
  }

  // How many items the filter lets through; all, if there is none.
  std::size_t estimate_matches(const IdSet* filter) const {
    const std::size_t size = state_.ids.size();
    if (filter == nullptr) return size;
    if (filter->listed() <= size) return filter->is_complement() ? size - filter->listed() : filter->listed();
    // More ids are listed than there are items: look at some.
    constexpr std::size_t kSample = 512;
    const std::size_t slots = state_.ids.slots();
    const std::size_t step = std::max<std::size_t>(1, slots / kSample);
    std::size_t seen = 0;
    std::size_t matching = 0;
    for (std::size_t slot = 0; slot < slots; slot += step, ++seen) {
      matching += gate_.accepts(static_cast<std::uint32_t>(slot));
    }
    return matching * size / std::max<std::size_t>(1, seen);
  }

  // Every accepted item, without the graph. Twins are scored one by one: exact answers need no detour.
  void score_everything(const IdSet* filter) {
    items_ = true;
    // Codes of the head alone say less than a walk's width makes up for when k is as large.
    if (state_.coder) memory_.walk.best.reset(std::max(ef_, 4 * k_ + 32));
    std::size_t n = 0;
    const auto take = [&](std::uint32_t slot) {
      if (!gate_.accepts(slot)) return;
      memory_.walk.list[n++] = slot;
      if (n == kMaxScoreList) score_list(std::exchange(n, 0));
    };
    if (filter != nullptr && !filter->is_complement() && filter->listed() <= state_.ids.size()) {
      IdSetReader(*filter).for_each_listed([&](Id id) {
        const std::uint32_t slot = stats_.cut ? kNoSlot : state_.ids.find(id);
        if (slot != kNoSlot) take(slot);
      });
    } else {
      const auto slots = static_cast<std::uint32_t>(state_.ids.slots());
      for (std::uint32_t slot = 0; slot < slots && !stats_.cut; ++slot) take(slot);
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

  void walk_from_best() {
    WalkMemory& walk = memory_.walk;
    walk.visited.reset(state_.graph.size());
    const bool gated = !gate_.open() || !state_.dead.empty();
    walk.frontier.clear();
    if (state_.metric == Metric::kInnerProduct && take_head()) return;
    if (stats_.cut || state_.graph.empty()) return;
    const Candidate start = descend_to(state_.graph, 0, scorer_, walk, stats_);
    if (walk.visited.insert(vertex_of(start))) {
      walk.frontier.push_back(start);
      if (!gated || accepts(vertex_of(start))) walk.best.insert(start);
    }
    if (gated) {
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
      scan_heads(state_, {&query_, 1}, {&gate_, 1}, k_, ef_, deadline_, head, {&stats_, 1});
    }
    const HeadScan outcome = head.outcomes[head_];
    if (outcome == HeadScan::kNone) {
      if (state_.codes.size() == 0 || state_.codes.covers(query_)) return false;
      // Numbers that no bound in float holds for.
      score_everything(nullptr);
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

  // From the vertices that were found to the k best items, by what decides.
  void decide() {
    std::vector<Candidate>& vertices = memory_.vertices;
    if (!decided_) {
      vertices.clear();
      std::size_t decided = memory_.walk.best.size();
      if (state_.coder && !items_) decided = std::min(decided, std::max(2 * k_ + kSpare, ef_ / 2));
      for (std::size_t i = 0; i < decided; ++i) vertices.push_back(memory_.walk.best[i] & ~kExpandedBit);
    }
    if (decided_) {
      // By exact costs already.
    } else if (state_.decides_by_head()) {
      const HeadDecider decider(*state_.coder, state_.rows, state_.rest(), state_.search_metric(), query_, memory_.head);
      const std::size_t first = std::min(vertices.size(), kDecidedAhead);
      for (std::size_t i = 0; i < first; ++i) decider.prefetch(vertex_of(vertices[i]));
      for (std::size_t i = 0; i < vertices.size(); ++i) {
        if (i + kDecidedAhead < vertices.size()) decider.prefetch(vertex_of(vertices[i + kDecidedAhead]));
        vertices[i] = make_candidate(decider.cost(vertex_of(vertices[i])), vertex_of(vertices[i]));
      }
      stats_.distances += vertices.size();
      std::sort(vertices.begin(), vertices.end());
    } else if (state_.fine || !kernel_costs_are_exact(state_.rows.storage())) {
      exact_costs(state_.finest(), state_.search_metric(), query_, vertices, memory_.rescoring);
      stats_.distances += vertices.size();
      std::sort(vertices.begin(), vertices.end());
    }
    std::vector<Candidate>& found = memory_.found;
    found.clear();
    for (const Candidate vertex : vertices) {
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
  const Gate& gate_;
  const Deadline& deadline_;
  std::size_t head_;  // which query of memory.head_scan this is, or kNoHead
  HnswSearchMemory& memory_;
  WalkStats& stats_;
  RowScorer scorer_;
  bool decided_ = false;  // memory.vertices has the answers, by exact costs
  bool items_ = false;  // what was found are items, not vertices with their twins
};

}  // namespace

void search_graph(const HnswState& state, const float* query, std::size_t k, std::size_t ef, const SearchOptions& options,
                  const Gate& gate, const Deadline& deadline, HnswSearchMemory& memory, WalkStats& stats,
                  std::size_t head) {
  memory.found.clear();
  memory.vertices.clear();
  GraphSearch(state, query, k, ef, gate, deadline, head, memory, stats).run(options.filter);
}

}  // namespace segue
