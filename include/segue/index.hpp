#pragma once
// What every index can do: hold vectors under ids, and find those nearest to a query.
//
//   auto index = segue::HnswIndex::create(128, segue::Metric::kInnerProduct);
//   if (!index.ok()) return index.status();
//   if (Status s = (*index)->add(vectors); !s.ok()) return s;       // ids 0 .. n-1
//   auto found = (*index)->search(queries, 10, {.ef = 100});        // found->ids is n x 10, row by row
//
// Thread-safety: any number of threads may search, and read anything else, at the same time, and beside calls that change
// the index. Such a call works beside them, however long it takes, and keeps nobody waiting for more than some microseconds
// and the searches under way. Its items appear one by one once nothing can fail any more: a search sees an item whole or
// not at all, and of an upsert the old or the new one, never both and never neither; a batch may see more of it from one
// query to the next. Calls that change an index are serialised; save, to_bytes, stats and validate line up with them.
// Errors: a call that fails has changed nothing.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "segue/filter.hpp"
#include "segue/matrix_view.hpp"
#include "segue/recall_curve.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

class Catalog;
class Metrics;

// What one query cost.
struct QueryStats {
  std::uint64_t distances = 0;  // scores computed
  std::uint64_t visited = 0;    // vertices expanded, or rows scanned
  double microseconds = 0;
  bool cut = false;  // the deadline ended it; the results are the best found until then
};

struct SearchOptions {
  // HnswIndex: how many candidates the walk keeps; larger is slower and finds more. At least k is used. 0: the default.
  std::size_t ef = 0;
  // IvfIndex: how many lists are scanned.
  std::size_t nprobe = 0;
  // The effort that reaches this recall@k, by the curve that tune() measured; above 0, at most 1. 0: not asked for. A
  // curve of a larger k serves a smaller one, not the reverse. It was measured without filter, exclude and deadline:
  // with them it is a guess. FlatIndex: accepted, always 1. Not together with ef or nprobe.
  double recall = 0;
  // Only these may be found. nullptr: all.
  const IdSet* filter = nullptr;
  // These may not.
  ExcludeIds exclude = {};
  // How long one query may take, counted from its start. 0: no limit.
  std::int64_t deadline_us = 0;
  // At most this many threads for a batch. 0: as many as OpenMP would use. One query never uses more than one.
  int threads = 0;
  // Empty, or one a query: filled in.
  std::span<QueryStats> stats = {};
};

// Row i holds what was found for query i, best first, equal scores by id; missing ones are kMissingId with
// missing_score(metric).
struct SearchResult {
  std::size_t k = 0;
  std::vector<Id> ids;        // queries x k
  std::vector<float> scores;  // queries x k
};

// What was found for query i lies at offsets[i] .. offsets[i + 1], best first.
struct RangeResult {
  std::vector<std::size_t> offsets;
  std::vector<Id> ids;
  std::vector<float> scores;
};

// Called now and then by one thread during a long call, with items done and in all. Return false while done < total to
// stop: the call then fails with kCancelled and the index is as it was before.
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

struct AddOptions {
  int threads = 0;  // 0: as many as OpenMP would use. The index is the same for any number.
  Progress progress = {};
};

// Named figures about an index, for people and dashboards ("vertices", "mean degree", ...).
using IndexStats = std::vector<std::pair<std::string, double>>;

class Index {
 public:
  virtual ~Index() = default;
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // "flat", "hnsw", ...
  virtual std::string_view kind() const noexcept = 0;
  virtual std::size_t dim() const noexcept = 0;
  virtual Metric metric() const noexcept = 0;
  virtual Storage storage() const noexcept = 0;
  virtual std::size_t size() const = 0;
  virtual bool contains(Id id) const = 0;
  // All ids, ascending.
  virtual std::vector<Id> ids() const = 0;

  // Adds vectors (n x dim) under `ids`, 0 to 2^63 - 1, or under the next free ones (one past the largest id ever used,
  // up to 2^63 - 2) when `ids` is empty. All or nothing. kInvalidArgument: wrong dimension, NaN or infinity (the row is
  // named), a zero vector under cosine, negative or repeated ids. kAlreadyExists: an id is in the index.
  virtual Status add(MatrixView vectors, std::span<const Id> ids = {}, const AddOptions& options = {}) = 0;
  // As add, but replaces what is there.
  virtual Status upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options = {}) = 0;
  // Removes those that are there; how many there were.
  virtual Result<std::size_t> remove(std::span<const Id> ids) = 0;
  // The vectors as they are stored (normalised under cosine, rounded by the storage), row by row.
  // kNotFound names the first id that is not there.
  virtual Result<std::vector<float>> get(std::span<const Id> ids) const = 0;

  // The k best of each query into ids and scores (queries.rows() x k). Never fewer columns than k.
  virtual Status search_into(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                             float* scores) const = 0;
  // Every item at least as good as the threshold (l2: score <= threshold; similarities: score >= threshold). Exact on
  // a FlatIndex; on a graph what a walk of width ef, widened as long as it pays, finds.
  virtual Result<RangeResult> range_search(MatrixView queries, float threshold,
                                           const SearchOptions& options = {}) const = 0;

  // Bytes held, mapped files included.
  virtual std::size_t memory_usage() const = 0;
  virtual IndexStats stats() const = 0;
  // Checks every invariant of the structure. O(size). For tests and for files of doubtful origin.
  virtual Status validate() const = 0;
  // Writes the whole index to a file, atomically: `path` holds the old content or the new, never a part.
  virtual Status save(const std::string& path) const = 0;
  // The same bytes in memory.
  virtual Result<std::vector<unsigned char>> to_bytes() const = 0;

  // Whether every search finds the true k best, whatever its options; only a deadline can cut it short.
  virtual bool exact() const noexcept { return false; }
  // What tune() measured, by ascending k; empty on an exact index and before the first tune().
  virtual std::vector<RecallCurve> recall_curves() const = 0;
  // Keeps a curve for search(recall), in place of the one of the same k. For tune(), and for curves measured elsewhere,
  // on a twin of this index. kInvalidArgument: efforts or recalls that do not ascend. kUnsupported: the index is exact.
  virtual Status set_recall_curve(const RecallCurve& curve) = 0;

  // The columns that go with the items, to choose filters by (catalog.hpp); null if there are none. It is saved in the
  // index's file and comes back with load. It may be shared with other indexes, and is its own to change: adding and
  // removing vectors leaves its rows alone.
  virtual std::shared_ptr<Catalog> catalog() const = 0;
  virtual void set_catalog(std::shared_ptr<Catalog> catalog) = 0;

  // From now on searches and changes are counted and timed there (metrics.hpp), and its gauges know this index; null, as at
  // first: nowhere. Metrics may be shared by several indexes. They observe: nothing that is found or saved depends on them,
  // which is why a const index can be given some. Safe beside searches and changes; those under way may count in either.
  virtual void set_metrics(std::shared_ptr<Metrics> metrics) const = 0;
  virtual std::shared_ptr<Metrics> metrics() const = 0;

  // search_into with memory of its own.
  Result<SearchResult> search(MatrixView queries, std::size_t k, const SearchOptions& options = {}) const;

 protected:
  Index() = default;
};

}  // namespace segue
