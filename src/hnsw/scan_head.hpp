#pragma once
// Before a graph is walked under inner product: the scan of codes by falling norm (codes/scan_codes.hpp).
//
// Answers sit among the largest norms, where links of any kind lead away from each other; a scan has them in order. A
// code is some sixteen times cheaper than a vertex of a walk, so a unit of ef pays for as many codes as sixteen vertices
// would cost. Where the norm bound ends the scan before that, the answers are exact. Where it has ruled out most rows, a
// walk finds less than the same time spent on scanning (docs/decisions/0001-inner-product.md), and there is none. Where
// norms hardly differ it rules out nothing: then all is scanned if ef pays for all, and otherwise a quarter of the effort
// goes into the scan, from which the walk starts.

#include <span>
#include <vector>

#include "codes/filter_marks.hpp"
#include "codes/scan_codes.hpp"
#include "hnsw/hnsw_state.hpp"
#include "items/gate.hpp"
#include "segue/core/deadline.hpp"
#include "segue/core/walk.hpp"

namespace segue {

// Queries of a scan at most.
inline constexpr std::size_t kHeadQueries = 64;

// What a scan came to for one query.
enum class HeadScan : unsigned char {
  kNone,    // not done
  kStart,   // a start for a walk
  kEnough,  // what a search of this ef has to say: all of the answers, or most
};

struct HeadScanMemory {
  ScanCodesMemory codes;
  std::vector<const float*> queries;
  std::vector<std::size_t> numbers;  // of those queries in the call
  std::vector<std::size_t> places;   // the way back
  std::vector<std::size_t> left;
  std::vector<WalkStats> stats;
  std::vector<HeadScan> outcomes;    // of every query of the call
  std::vector<Candidate> found;
};

// Whether a vertex or one of its twins may be returned.
bool accepts_vertex(const HnswState& state, const Gate& gate, std::uint32_t vertex);

// Scans for several queries at once, of one filter if `marks` is there: of vertices that stand for its matches.
// memory.outcomes[i] is that of queries[i]; stats[i] are added to.
void scan_heads(const HnswState& state, std::span<const float* const> queries, std::span<const Gate> gates,
                const FilterMarks* marks, std::size_t k, std::size_t ef, const Deadline& deadline, HeadScanMemory& memory,
                std::span<WalkStats> stats);

// The k best vertices that the scan of query i found, by exact costs, in memory.found.
void decide_head(const HnswState& state, std::size_t i, const float* query, std::size_t k, HeadScanMemory& memory,
                 WalkStats& stats);

}  // namespace segue
