#pragma once
// tune(): from a recall that is wanted to the effort that reaches it.
//
//   auto tuning = segue::tune(*index, queries, {.k = 10, .recall = 0.95});   // measures, and keeps the curve
//   index->search(more_queries, 10, {.recall = 0.95});                       // as much work as that takes
//   index->search(more_queries, 10, {.recall = 0.99});                       // any recall along the curve
//
// It searches the queries with growing effort (ef of an HnswIndex, nprobe of an IvfIndex) and compares with the truth. Give queries like those
// of production that are not items: some hundred to some thousand; recall then holds to about one in sqrt(queries).
// Without queries, items of the index serve, each moved away from its nearest neighbour by the distance between the
// two: an item as it is would find its neighbours by its own links. What is lost: such queries are harder than most, so
// more effort is chosen than is needed (measured, 1.3 to 2 times), and where queries are another kind of vector than
// items (users and tracks under inner product) the curve says little. docs/decisions/0007-recall-as-a-parameter.md has
// figures.
//
// Truth, where none is given, is an exact scan over the vectors as the index holds them (rounded by its storage), block
// by block: O(queries * size * dim) time and at most some 200 MB, whatever the size. Give the truth of the original
// vectors to count rounding as a loss.
//
// The curve is kept in the index, beside those of other k, and in its file; it replaces that of the same k. Adding and
// removing keep it; Index::stats says how many items changed since, and after many it is time to tune again. What it
// holds is recall and counts, no times: the same index, queries and seed give the same file.
//
// Thread-safety: searches may run meanwhile. Changes may too, but the curve is then that of neither state, and an item
// that goes while it is being read ends the call with kNotFound.
// Errors: kInvalidArgument: an empty index, k of 0, a recall that is not above 0 and below 1, truth that does not fit;
// what search says of queries. kCancelled: progress returned false; the index keeps what it had.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "segue/index.hpp"
#include "segue/recall_curve.hpp"

namespace segue {

struct TuneOptions {
  std::size_t k = 10;
  // What Tuning::effort is for, and how far the curve goes at least, if it can: it ends where 0.999 holds, where the effort
  // is eight times what this recall takes, or where a search scores half of all items.
  double recall = 0.95;
  // The ids of the true nearest of each query, best first: queries.rows() rows of equally many, k or more; kMissingId
  // where there are no more. Empty: computed.
  std::span<const Id> truth = {};
  // How many items serve as queries where none are given, and the seed that chooses them.
  std::size_t sample = 1000;
  std::uint64_t seed = 0;
  int threads = 0;  // 0: as many as OpenMP would use
  Progress progress = {};
};

struct Tuning {
  RecallCurve curve;                 // as the index keeps it. Exact index: one point of effort 0 and recall 1, not kept
  std::vector<double> microseconds;  // of a query in its thread, the mean, for each point of the curve
  // The smallest ef or nprobe that holds the recall asked for. Where none that was measured does (`reached` is false):
  // the largest that was. 0 on an exact index.
  std::size_t effort = 0;
  bool reached = false;
  // What to expect of that effort, and what it costs here.
  double expected_recall = 0;
  double expected_microseconds = 0;
};

Result<Tuning> tune(Index& index, MatrixView queries = {}, const TuneOptions& options = {});

}  // namespace segue
