#include "hnsw/repair_graph.hpp"

#include <algorithm>
#include <vector>

#include "hnsw/insert_vertices.hpp"
#include "hnsw/select_neighbors.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/core/scorer.hpp"
#include "segue/core/visited_set.hpp"

namespace segue {
namespace {

struct WorkerMemory {
  RowQuery query;
  RowQuery selecting;
  std::vector<std::uint32_t> pool;
  std::vector<std::uint32_t> selected;
  std::vector<Candidate> candidates;
};

class Repair {
 public:
  Repair(HnswState& state, int threads) : state_(state), threads_(threads) {
    dead_.reset(state.graph.size());
    for (const std::uint32_t slot : state.dead) dead_.insert(slot);
  }

  void run() {
    const std::size_t slots = state_.graph.size();
    constexpr std::size_t kGrain = 512;
    std::vector<WorkerMemory> workers(worker_count(slots, threads_, kGrain));
    parallel_for(slots, threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t slot = begin; slot < end; ++slot) {
        const auto vertex = static_cast<std::uint32_t>(slot);
        if (dead_.contains(vertex)) continue;
        for (std::size_t level = 0; level <= state_.graph.level(vertex); ++level) relink(vertex, level, workers[worker]);
      }
    });
  }

 private:
  // Only the vertex's own list is written; only lists of dead vertices are read besides, and those nobody writes.
  void relink(std::uint32_t vertex, std::size_t level, WorkerMemory& memory) {
    LayeredGraph& graph = state_.graph;
    const std::span<const std::uint32_t> links = graph.links(vertex, level);
    if (std::none_of(links.begin(), links.end(), [&](std::uint32_t to) { return dead_.contains(to); })) return;
    std::vector<std::uint32_t>& pool = memory.pool;
    pool.clear();
    const auto take_live = [&](std::uint32_t to) {
      if (to != vertex && !dead_.contains(to)) pool.push_back(to);
    };
    for (const std::uint32_t to : links) {
      take_live(to);
      if (!dead_.contains(to)) continue;
      for (const std::uint32_t beyond : graph.links(to, level)) take_live(beyond);
    }
    std::sort(pool.begin(), pool.end());
    pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
    if (pool.size() <= graph.degree(level)) {
      graph.set_links(vertex, level, pool);
      return;
    }
    const RowScorer scorer(state_.rows, state_.link_metric(), memory.query.prepare(state_.rows, vertex));
    float costs[kMaxScoreList];
    memory.candidates.clear();
    for (std::size_t first = 0; first < pool.size(); first += kMaxScoreList) {
      const std::size_t n = std::min(kMaxScoreList, pool.size() - first);
      scorer.score(pool.data() + first, n, costs);
      for (std::size_t i = 0; i < n; ++i) memory.candidates.push_back(make_candidate(costs[i], pool[first + i]));
    }
    std::sort(memory.candidates.begin(), memory.candidates.end());
    select_neighbors(state_.rows, state_.link_metric(), memory.candidates, graph.degree(level), memory.selecting,
                     memory.selected);
    graph.set_links(vertex, level, memory.selected);
  }

  HnswState& state_;
  int threads_;
  VisitedSet dead_;
};

void choose_entry(HnswState& state) noexcept {
  std::uint32_t entry = kNoVertex;
  for (std::uint32_t slot = 0; slot < state.graph.size(); ++slot) {
    if (!state.is_vertex(slot)) continue;
    if (entry == kNoVertex || state.graph.level(slot) > state.graph.level(entry)) entry = slot;
  }
  state.graph.set_entry(entry);
}

// With half of the graph gone, what is left hangs together by luck.
void rebuild(HnswState& state, int threads) {
  std::vector<std::uint32_t> vertices;
  for (std::uint32_t slot = 0; slot < state.graph.size(); ++slot) {
    state.graph.close(slot);
    if (state.is_vertex(slot)) vertices.push_back(slot);
  }
  state.graph.set_entry(kNoVertex);
  AddOptions options;
  options.threads = threads;
  const InsertResult inserted = insert_vertices(state, vertices, options);
  for (const auto& [twin, vertex] : inserted.twins) {
    state.twins.attach(twin, vertex, state.ids.slots());
    state.codes.remove(twin);
  }
}

}  // namespace

bool needs_repair(const HnswState& state) noexcept {
  return !state.dead.empty() && (state.dead.size() >= 16 + state.ids.size() / 50 || state.ids.size() == 0);
}

void repair_graph(HnswState& state, int threads) {
  const bool few_left = state.dead.size() > state.ids.size();
  if (!few_left) Repair(state, threads).run();
  for (const std::uint32_t slot : state.dead) {
    state.graph.close(slot);
    state.free_slots.push_back(slot);
  }
  state.dead.clear();
  if (few_left) {
    rebuild(state, threads);
  } else if (!state.graph.empty() && !state.is_vertex(state.graph.entry())) {
    choose_entry(state);
  }
}

}  // namespace segue
