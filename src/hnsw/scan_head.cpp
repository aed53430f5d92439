#include "hnsw/scan_head.hpp"

#include <algorithm>
#include <limits>

namespace segue {
namespace {

// See the head of scan_head.hpp: 16 codes for each of the 16 vertices that a unit of ef scores.
constexpr std::size_t kCodesPerEf = 256;
// Where more than this part of all rows might still be an answer, norms do not tell answers from others.
constexpr std::size_t kLeftPart = 4;
// Where norms hardly differ, most of the effort is the walk's.
constexpr std::size_t kSharedWithWalk = 4;

}  // namespace

bool accepts_vertex(const HnswState& state, const Gate& gate, std::uint32_t vertex) {
  if (gate.accepts(vertex)) return true;
  bool any = false;
  state.twins.for_each(vertex, [&](std::uint32_t slot) {
    any = gate.accepts(slot);
    return !any;
  });
  return any;
}

void scan_heads(const HnswState& state, std::span<const float* const> queries, std::span<const Gate> gates,
                const FilterMarks* marks, std::size_t k, std::size_t ef, const Deadline& deadline, HeadScanMemory& memory,
                std::span<WalkStats> stats) {
  const CodeBlocks& codes = state.codes;
  memory.outcomes.assign(queries.size(), HeadScan::kNone);
  if (state.metric != Metric::kInnerProduct || codes.size() == 0) return;
  std::size_t budget = std::max(kCodesPerEf * ef, k);
  // Effort pays for rows that may be answers.
  if (marks != nullptr) budget = budget * (codes.positions() / std::max<std::size_t>(1, marks->rows()));
  if (codes.positions() <= budget + budget / 2) {
    budget = std::numeric_limits<std::size_t>::max();
  } else if (!codes.norms_fall()) {
    budget = std::max(budget / kSharedWithWalk, k);
  }
  memory.queries.clear();
  memory.numbers.clear();
  memory.places.resize(std::max(memory.places.size(), queries.size()));
  if (memory.codes.coded.size() < queries.size()) memory.codes.coded.resize(queries.size());
  bool open = true;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (!codes.covers(queries[i])) continue;
    memory.places[i] = memory.queries.size();
    memory.queries.push_back(queries[i]);
    memory.numbers.push_back(i);
    open = open && (marks == nullptr ? gates[i].open() : gates[i].excludes() == 0);
  }
  if (memory.queries.empty()) return;
  codes.prepare(memory.queries, std::span(memory.codes.coded).first(memory.queries.size()), memory.codes.coding);
  AcceptsSlot accepts;
  if (!open) {
    accepts = [&](std::size_t at, std::uint32_t slot) {
      return accepts_vertex(state, gates[memory.numbers[at]], slot);
    };
  }
  memory.stats.assign(memory.queries.size(), {});
  memory.left.resize(memory.queries.size());
  scan_codes({codes, &state.finest()}, memory.queries, {.k = k, .budget = budget, .overdraft = budget / 2},
             {.marks = marks, .accepts = accepts}, deadline, memory.codes, memory.stats, memory.left);
  for (std::size_t at = 0; at < memory.queries.size(); ++at) {
    const std::size_t i = memory.numbers[at];
    const bool enough = memory.left[at] <= codes.size() / kLeftPart || memory.stats[at].cut;
    memory.outcomes[i] = enough ? HeadScan::kEnough : HeadScan::kStart;
    stats[i].distances += memory.stats[at].distances;
    stats[i].visited += memory.stats[at].visited;
    stats[i].cut = stats[i].cut || memory.stats[at].cut;
  }
}

void decide_head(const HnswState& state, std::size_t i, const float* query, std::size_t k, HeadScanMemory& memory,
                 WalkStats& stats) {
  const std::size_t at = memory.places[i];
  memory.codes.scorer.reset(state.finest(), state.codes.metric(), query);
  decide(memory.codes.scorer, state.codes.metric(), memory.codes.coded[at], memory.codes.fronts[at], k,
         memory.codes.deciding, memory.found, stats);
}

}  // namespace segue
