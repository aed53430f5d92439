#include "hnsw/repair_graph.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "hnsw/insert_vertices.hpp"
#include "hnsw/select_neighbors.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/core/scorer.hpp"
#include "segue/core/visited_set.hpp"
#include "segue/core/walk.hpp"

namespace segue {
namespace {

struct WorkerMemory {
  RowQuery query;
  RowQuery selecting;
  std::vector<std::uint32_t> pool;
  std::vector<std::uint32_t> selected;
  std::vector<Candidate> candidates;
  WalkMemory walk;
};

// So many are looked at in one step, or more. About a millisecond where half of the lists are torn.
constexpr std::size_t kStep = 1024;
// As many at once: no more than that waits to be published. A graph of no more is repaired in one step.
constexpr std::size_t kSlotsAtOnce = 8192;

class Repair {
 public:
  Repair(HnswState& state, int threads, const Publisher& publish) : state_(state), threads_(threads), publish_(publish) {
    dead_.reset(state.graph.size());
    going_.reset(state.graph.size());
    for (const std::uint32_t slot : state.dead) dead_.insert(slot);
    for (std::size_t i = 0; i < state.repairing.dead; ++i) going_.insert(state.dead[i]);
  }

  // The lists of these.
  void run(std::size_t from, std::size_t slots) {
    std::vector<WorkerMemory> workers(worker_count(kSlotsAtOnce, threads_, kGrain));
    std::vector<Torn> torn;
    for (std::size_t first = from; first < slots; first += kSlotsAtOnce) {
      find_torn(first, std::min(slots, first + kSlotsAtOnce), torn);
      parallel_for(torn.size(), threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
        for (std::size_t i = begin; i < end; ++i) relink(torn[i], workers[worker]);
      });
      edits_.publish(state_.graph, publish_);
    }
  }

 private:
  static constexpr std::size_t kGrain = 64;

  // A list with a dead vertex in it.
  struct Torn {
    std::uint32_t vertex;
    std::uint32_t level;
    std::size_t place;  // in edits_
  };

  void find_torn(std::size_t first, std::size_t last, std::vector<Torn>& torn) {
    const LayeredGraph& graph = state_.graph;
    levels_.assign(last - first, 0);
    parallel_for(last - first, threads_, 8 * kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        const auto vertex = static_cast<std::uint32_t>(first + i);
        if (going_.contains(vertex)) continue;  // others that are dead are still walked through
        for (std::size_t level = 0; level <= graph.level(vertex); ++level) {
          const std::span<const std::uint32_t> links = graph.links(vertex, level);
          const bool any = std::any_of(links.begin(), links.end(), [&](std::uint32_t to) { return dead_.contains(to); });
          levels_[i] = static_cast<std::uint16_t>(levels_[i] | any << level);
        }
      }
    });
    torn.clear();
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      for (std::uint32_t level = 0; level <= kMaxLevel; ++level) {
        if ((levels_[i] >> level & 1) == 0) continue;
        torn.push_back({static_cast<std::uint32_t>(first + i), level, edits_.make_places(1, graph.degree(level))});
      }
    }
  }

  // Nothing is read but the vertex's own list and those of dead ones, which are put into the graph after all of these.
  void relink(const Torn& torn, WorkerMemory& memory) {
    const LayeredGraph& graph = state_.graph;
    const std::uint32_t vertex = torn.vertex;
    const std::size_t level = torn.level;
    std::vector<std::uint32_t>& pool = memory.pool;
    std::vector<std::uint32_t>& kept = memory.selected;
    pool.clear();
    kept.clear();
    for (const std::uint32_t to : graph.links(vertex, level)) {
      if (!dead_.contains(to)) {
        kept.push_back(to);
        continue;
      }
      for (const std::uint32_t beyond : graph.links(to, level)) {
        if (beyond != vertex && !dead_.contains(beyond)) pool.push_back(beyond);
      }
    }
    std::sort(pool.begin(), pool.end());
    pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
    const RowScorer scorer(state_.rows, state_.link_metric(), memory.query.prepare(state_.rows, vertex));
    // The few on upper levels are the roads between regions, and what lies around a dead one does not lead to other regions.
    if (level > 0) look_around(vertex, level, scorer, memory.walk, pool);
    std::erase_if(pool, [&](std::uint32_t to) { return std::find(kept.begin(), kept.end(), to) != kept.end(); });
    float costs[kMaxScoreList];
    memory.candidates.clear();
    for (std::size_t first = 0; first < pool.size(); first += kMaxScoreList) {
      const std::size_t n = std::min(kMaxScoreList, pool.size() - first);
      scorer.score(pool.data() + first, n, costs);
      for (std::size_t i = 0; i < n; ++i) memory.candidates.push_back(make_candidate(costs[i], pool[first + i]));
    }
    std::sort(memory.candidates.begin(), memory.candidates.end());
    const std::size_t before = graph.links(vertex, level).size();
    select_more_neighbors(state_.rows, state_.link_metric(), memory.candidates, graph.degree(level), memory.selecting, kept);
    // A list as long as it was: what goes the same way as another link is better than none.
    for (std::size_t i = 0; i < memory.candidates.size() && kept.size() < before; ++i) {
      const std::uint32_t to = vertex_of(memory.candidates[i]);
      if (std::find(kept.begin(), kept.end(), to) == kept.end()) kept.push_back(to);
    }
    edits_.write(torn.place, vertex, level, kept);
  }

  // What an insertion would choose from.
  void look_around(std::uint32_t vertex, std::size_t level, const RowScorer& scorer, WalkMemory& memory,
                   std::vector<std::uint32_t>& pool) const {
    WalkStats stats;
    const LayeredGraph& graph = state_.graph;
    const Candidate nearest = descend_to(graph, level, scorer, memory, stats);
    memory.best.reset(state_.options.ef_construction);
    memory.visited.reset(graph.size());
    memory.visited.insert(vertex_of(nearest));
    memory.best.insert(nearest & ~kExpandedBit);
    walk(graph, level, scorer, Deadline(), memory, stats);
    for (std::size_t i = 0; i < memory.best.size(); ++i) {
      const std::uint32_t to = vertex_of(memory.best[i]);
      if (to != vertex && !dead_.contains(to)) pool.push_back(to);
    }
    std::sort(pool.begin(), pool.end());
    pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
  }

  HnswState& state_;
  int threads_;
  const Publisher& publish_;
  VisitedSet dead_;
  VisitedSet going_;  // those of them that this pass takes out
  std::vector<std::uint16_t> levels_;  // by slot: a bit a torn level
  LinkEdits edits_;
};

void choose_entry(HnswState& state, const Publisher& publish) {
  if (state.graph.empty() || state.is_vertex(state.graph.entry())) return;
  std::uint32_t entry = kNoVertex;
  for (std::uint32_t slot = 0; slot < state.graph.size(); ++slot) {
    if (!state.is_vertex(slot)) continue;
    if (entry == kNoVertex || state.graph.level(slot) > state.graph.level(entry)) entry = slot;
  }
  publish([&] { state.graph.set_entry(entry); });
}

// The first `count` dead vertices, to which nobody links any more, become free slots.
void free_dead(HnswState& state, std::size_t count, const Publisher& publish) {
  constexpr std::size_t kPiece = 32;
  state.free_slots.reserve(state.free_slots.size() + state.dead.size(), publish);
  publish.in_pieces(count, kPiece, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      state.graph.close(state.dead[i]);
      state.free_slots.push_back(state.dead[i]);
    }
  });
  publish([&] {
    std::copy(state.dead.begin() + count, state.dead.end(), state.dead.data());
    state.dead.resize(state.dead.size() - count);
  });
  state.repairing = {};
}

// With half of the graph gone, what is left hangs together by luck.
void link_anew(HnswState& state, int threads) {
  std::vector<std::uint32_t> vertices;
  for (std::uint32_t slot = 0; slot < state.graph.size(); ++slot) {
    state.graph.close(slot);
    if (!state.is_vertex(slot)) continue;
    state.graph.open(slot);
    vertices.push_back(slot);
  }
  state.graph.set_entry(kNoVertex);
  AddOptions options;
  options.threads = threads;
  InsertResult inserted = insert_vertices(state, vertices, options);
  inserted.left.publish(state.graph, {});
  for (const auto& [twin, vertex] : inserted.twins) {
    state.twins.attach(twin, vertex, state.ids.slots());
    state.codes.remove(twin);
  }
}

std::size_t enough_dead(const HnswState& state) noexcept { return 16 + state.ids.size() / 50; }

// To be mended list by list.
bool too_many_dead(const HnswState& state) noexcept { return state.dead.size() > state.ids.size(); }

}  // namespace

bool needs_repair(const HnswState& state) noexcept {
  if (state.dead.empty()) return false;
  return state.repairing.dead != 0 || state.dead.size() >= enough_dead(state) || state.ids.size() == 0;
}

void repair_after(HnswState& state, std::size_t items, int threads, const Publisher& publish) {
  const std::size_t slots = state.graph.size();
  if (slots <= kSlotsAtOnce || too_many_dead(state)) return repair_graph(state, slots, threads, publish);
  // A pass for every so many that die, done by the time that half of the next have.
  state.repairing.owed += std::min(slots, items) * (2 * slots / enough_dead(state) + 1);
  if (state.repairing.owed < kStep) return;
  const std::size_t due = std::min(slots, std::exchange(state.repairing.owed, 0));
  // A team of threads is not worth a millisecond.
  repair_graph(state, due, due < kSlotsAtOnce ? 1 : threads, publish);
}

void repair_graph(HnswState& state, std::size_t slots, int threads, const Publisher& publish) {
  if (too_many_dead(state)) {
    HnswState fresh = state;
    free_dead(fresh, fresh.dead.size(), {});
    link_anew(fresh, threads);
    return publish([&] { std::swap(state, fresh); });
  }
  Repairing& repairing = state.repairing;
  if (repairing.dead == 0) repairing = {state.dead.size(), 0, 0};
  const std::size_t left = state.graph.size() - std::min(state.graph.size(), repairing.slots);
  const std::size_t end = state.graph.size() - (slots < left ? left - slots : 0);
  Repair(state, threads, publish).run(repairing.slots, end);
  repairing.slots = end;
  if (end < state.graph.size()) return;
  choose_entry(state, publish);
  free_dead(state, repairing.dead, publish);
}

}  // namespace segue
