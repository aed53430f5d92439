#pragma once
// Walks over a LayeredGraph: best-first search in the direction of falling cost (Malkov and Yashunin, algorithm 2).
//
// Each step expands the best vertices not yet expanded, collects those of their links that are new, and has them scored
// as one list. `walk` keeps the best ef of all it meets. `walk_gated` keeps the best ef that a gate accepts, and goes on
// through those that it rejects, so that what may not be returned neither hides others nor counts.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "segue/core/candidate.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/layered_graph.hpp"
#include "segue/core/scorer.hpp"
#include "segue/core/search_buffer.hpp"
#include "segue/core/visited_set.hpp"

namespace segue {

struct WalkStats {
  std::uint64_t distances = 0;
  std::uint64_t visited = 0;
  bool cut = false;
};

// What a walk needs besides the graph; one a thread, kept between queries so that a search allocates nothing.
struct WalkMemory {
  VisitedSet visited;
  SearchBuffer best;      // walk: what was found; walk_gated: what was found and accepted
  std::vector<Candidate> frontier;
  std::uint32_t list[kMaxScoreList];
  float costs[kMaxScoreList];
};

template <Scorer S>
void prefetch_row(const S& scorer, std::uint32_t slot) noexcept {
  if constexpr (requires { scorer.prefetch(slot); }) scorer.prefetch(slot);
}

// The new ones among the links of `vertices`, scored as one list. How many.
template <Scorer S>
std::size_t expand(const LayeredGraph& graph, std::size_t level, std::span<const std::uint32_t> vertices,
                   const S& scorer, WalkMemory& memory, WalkStats& stats) noexcept {
  std::size_t n = 0;
  for (const std::uint32_t vertex : vertices) {
    n += memory.visited.insert_links(graph.places(vertex, level), graph.size(), memory.list + n,
                                     [&scorer](std::uint32_t to) { prefetch_row(scorer, to); });
  }
  stats.visited += vertices.size();
  stats.distances += n;
  if (n != 0) scorer.score(memory.list, n, memory.costs);
  return n;
}

// Two cache lines ahead of need: the list of the vertex that will probably be expanded after the current one.
inline void prefetch_links(const LayeredGraph& graph, std::uint32_t vertex) noexcept {
  const auto* list = reinterpret_cast<const char*>(graph.level0(vertex));
  __builtin_prefetch(list);
  __builtin_prefetch(list + 64);
}

// From `start`, on the given level, to a vertex none of whose links is better.
template <Scorer S>
Candidate descend(const LayeredGraph& graph, std::size_t level, Candidate start, const S& scorer, WalkMemory& memory,
                  WalkStats& stats) noexcept {
  for (Candidate best = start;;) {
    const std::span<const std::uint32_t> links = graph.links(vertex_of(best), level);
    scorer.score(links.data(), links.size(), memory.costs);
    ++stats.visited;
    stats.distances += links.size();
    Candidate next = best;
    for (std::size_t i = 0; i < links.size(); ++i) {
      next = std::min(next, make_candidate(memory.costs[i], links[i]));
    }
    if (next == best) return best;
    best = next;
  }
}

// From the entry down to `level` + 1; the best vertex found there.
template <Scorer S>
Candidate descend_to(const LayeredGraph& graph, std::size_t level, const S& scorer, WalkMemory& memory,
                     WalkStats& stats) noexcept {
  const std::uint32_t entry = graph.entry();
  scorer.score(&entry, 1, memory.costs);
  ++stats.distances;
  Candidate best = make_candidate(memory.costs[0], entry);
  for (std::size_t l = graph.level(entry); l > level; --l) best = descend(graph, l, best, scorer, memory, stats);
  return best;
}

// Vertices that a walk expands at once. One by one, each waits for its list, then for the rows in it; of four the waits
// overlap. Nearly all of them would have been expanded anyway: at ef 48 a query computes 4 % more distances, in four
// fifths of the time (docs/decisions/0009-groups-in-walks.md).
inline constexpr std::size_t kExpandedAtOnce = 4;
// A walk that keeps many pays 2 % more distances for eight.
inline constexpr std::size_t kMostExpandedAtOnce = 8;
inline constexpr std::size_t kKeepsMany = 128;
constexpr std::size_t expanded_at_once(std::size_t degree, std::size_t keeps) noexcept {
  return std::clamp<std::size_t>(kMaxScoreList / degree, 1, keeps < kKeepsMany ? kExpandedAtOnce : kMostExpandedAtOnce);
}

// Goes on from what memory.best holds; its vertices must be marked as visited.
template <Scorer S>
void walk(const LayeredGraph& graph, std::size_t level, const S& scorer, const Deadline& deadline, WalkMemory& memory,
          WalkStats& stats) noexcept {
  SearchBuffer& best = memory.best;
  const std::size_t most = expanded_at_once(graph.degree(level), best.capacity());
  std::uint32_t vertices[kMostExpandedAtOnce];
  while (best.has_next()) {
    if (deadline.passed()) {
      stats.cut = true;
      return;
    }
    std::size_t count = 0;
    do {
      vertices[count++] = best.next();
      if (level == 0 && best.has_next()) prefetch_links(graph, best.peek());
    } while (count < most && best.has_next());
    const std::size_t n = expand(graph, level, {vertices, count}, scorer, memory, stats);
    // Most do not make it, and comparing floats says so without packing a candidate.
    float bound = best.full() ? cost_of(best.bound()) : std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < n; ++i) {
      if (memory.costs[i] > bound) continue;
      best.insert(make_candidate(memory.costs[i], memory.list[i]));
      if (best.full()) bound = cost_of(best.bound());
    }
  }
}

// Goes on from memory.frontier (any order), whose vertices must be marked as visited and offered to the gate already.
// `accepts(vertex)` says whether the vertex may be returned.
template <Scorer S, class Gate>
void walk_gated(const LayeredGraph& graph, const S& scorer, const Gate& accepts, const Deadline& deadline,
                WalkMemory& memory, WalkStats& stats) {
  std::vector<Candidate>& frontier = memory.frontier;
  SearchBuffer& best = memory.best;
  constexpr std::greater<> kNearestFirst;
  std::make_heap(frontier.begin(), frontier.end(), kNearestFirst);
  const std::size_t most = expanded_at_once(graph.degree(0), best.capacity());
  std::uint32_t vertices[kMostExpandedAtOnce];
  for (;;) {
    std::size_t count = 0;
    while (count < most && !frontier.empty() && frontier.front() <= best.bound()) {
      std::pop_heap(frontier.begin(), frontier.end(), kNearestFirst);
      vertices[count++] = vertex_of(frontier.back());
      frontier.pop_back();
      if (!frontier.empty()) prefetch_links(graph, vertex_of(frontier.front()));
    }
    if (count == 0) return;
    if (deadline.passed()) {
      stats.cut = true;
      return;
    }
    const std::size_t n = expand(graph, 0, {vertices, count}, scorer, memory, stats);
    for (std::size_t i = 0; i < n; ++i) {
      const Candidate c = make_candidate(memory.costs[i], memory.list[i]);
      if (c >= best.bound()) continue;
      frontier.push_back(c);
      std::push_heap(frontier.begin(), frontier.end(), kNearestFirst);
      if (accepts(memory.list[i])) best.insert(c);
    }
  }
}

}  // namespace segue
