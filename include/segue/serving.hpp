#pragma once
// Serving: searches that go on while the index under them is replaced by a newer one.
//
//   auto serving = segue::Serving::open("tracks.segue").value();
//   serving->search(queries, 10, {.ef = 100});          // any number of threads
//   serving->swap("tracks-tuesday.segue");              // one thread, every night
//
// A swap opens the next index beside the one that serves: it maps the file, brings its pages in at a rate that leaves the
// disk to others and checks it, all in a thread of low priority, and lets `prepare` have a last look. Then it switches between
// two queries and frees the old one when the last query in it has ended. A query is answered by one snapshot from
// beginning to end. A swap that fails has changed nothing: the old snapshot goes on serving.
//
// Several calls that belong together take current() once:
//
//   const std::shared_ptr<const segue::ServingSnapshot> now = serving->current();
//   auto found = now->index().search(queries, 10);
//   auto vectors = now->index().get(found->ids);        // of the same snapshot, whatever happened in between
//
// A snapshot may have another dimension than the one before, as a retrained model may. A query made for the old one then
// gets kInvalidArgument; who makes queries with a model holds current() from the query's making to its answer and chooses
// the model by generation() or path(). A snapshot of another metric is refused, as its scores mean something else.
//
// Cost: a search through a Serving pays two atomic additions to a cache line that few threads share, some 10 ns, and
// never waits for a swap. While a swap is under way both indexes are held.
//
// Thread-safety: everything may be called from any thread at any time. Swaps run one after the other; one that comes
// while another is under way waits for it. ~Serving waits for the searches under way; snapshots from current() may
// outlive it.

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "segue/index.hpp"
#include "segue/matrix_view.hpp"
#include "segue/status.hpp"

namespace segue {

struct ServingOptions {
  // As in LoadOptions.
  bool mmap = true;
  bool verify = true;
  // Bring the pages of a mapped file into memory, and into the page table, before the switch: the first queries then find
  // them there. Without it (and without verify, which reads all as well) they wait for the disk.
  bool warm_up = true;
  // So many bytes of it a second, at most. 0: as fast as they come.
  std::uint64_t warm_up_bytes_per_s = std::uint64_t{512} << 20;
  // How far the thread that opens an index stands back behind those that search: 0 (not at all) to 19, as nice(1) has it,
  // and 20: it takes only what nobody else wants, and gives it back at once. Where all cores are busy without a pause a
  // swap takes five times as long as at 19: 74 MB 18 s. Linux; elsewhere it changes nothing.
  int niceness = 19;
  // Called once for each snapshot before it serves, in the thread that calls swap(): for queries that fill caches and make
  // filter plans, for a check of its answers, and to make what belongs to it alone, such as a CandidateGenerator over it,
  // which goes into `prepared` and comes back from ServingSnapshot::prepared(). A Status that is not ok refuses the
  // snapshot. Whatever is kept of `index` belongs into `prepared`: elsewhere it would outlive the snapshot. It must not
  // call swap() of the same Serving.
  std::function<Status(const std::shared_ptr<const Index>& index, std::any& prepared)> prepare = {};
};

// An index that serves, or served. It lives as long as somebody holds it; when the last lets go, a thread of the Serving
// frees it, so that unmapping gigabytes is nobody's query.
class ServingSnapshot {
 public:
  virtual ~ServingSnapshot() = default;
  ServingSnapshot(const ServingSnapshot&) = delete;
  ServingSnapshot& operator=(const ServingSnapshot&) = delete;

  virtual const Index& index() const noexcept = 0;
  // 1 for the first of a Serving, one more with each swap.
  virtual std::uint64_t generation() const noexcept = 0;
  // Of the file; empty for an index that was given.
  virtual const std::string& path() const noexcept = 0;
  // When it began to serve.
  virtual std::chrono::system_clock::time_point loaded_at() const noexcept = 0;
  // What `prepare` made, if it is a T; else null.
  template <class T>
  const T* prepared() const noexcept {
    return std::any_cast<T>(&anything_prepared());
  }
  virtual const std::any& anything_prepared() const noexcept = 0;

 protected:
  ServingSnapshot() = default;
};

// The index of a snapshot as a pointer that holds the snapshot: for whatever wants a shared index.
inline std::shared_ptr<const Index> share_index(std::shared_ptr<const ServingSnapshot> snapshot) noexcept {
  const Index* const index = &snapshot->index();
  return {std::move(snapshot), index};
}

class Serving {
 public:
  // As load(), and what `prepare` says. kInvalidArgument: a niceness outside 0 to 20.
  static Result<std::unique_ptr<Serving>> open(const std::string& path, ServingOptions options = {});
  // Serves an index of the caller's, which nobody changes from now on.
  static Result<std::unique_ptr<Serving>> create(std::shared_ptr<const Index> index, ServingOptions options = {});
  virtual ~Serving() = default;
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  // Puts another index in place of the one that serves; the generation that serves from now on. Returns when the last
  // search in the old one has ended, and it is freed unless somebody holds it by current(). Errors: as open(), and
  // kInvalidArgument for another metric; the message says what goes on serving.
  virtual Result<std::uint64_t> swap(const std::string& path) = 0;
  virtual Result<std::uint64_t> swap(std::shared_ptr<const Index> index) = 0;

  // As Index, in the snapshot that serves when the call begins.
  virtual Status search_into(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                             float* scores) const = 0;
  virtual Result<SearchResult> search(MatrixView queries, std::size_t k, const SearchOptions& options = {}) const = 0;
  virtual Result<RangeResult> range_search(MatrixView queries, float threshold,
                                           const SearchOptions& options = {}) const = 0;

  // The snapshot that serves now. Never null.
  virtual std::shared_ptr<const ServingSnapshot> current() const = 0;
  // Of the snapshot that serves now.
  virtual std::uint64_t generation() const noexcept = 0;
  virtual std::string path() const = 0;
  virtual std::chrono::system_clock::time_point loaded_at() const noexcept = 0;
  // How many snapshots are held in memory: the one that serves, and old ones that somebody holds or that are being freed.
  virtual std::size_t held() const noexcept = 0;
  // All that snapshots may differ in, but this.
  virtual Metric metric() const noexcept = 0;

  // Every index that serves gets them (Index::set_metrics), from the moment it serves, and keeps them when it leaves; swaps
  // are counted too. Null: the one that serves, and those after it, get none. Searches while a swap is under way go on.
  virtual void set_metrics(std::shared_ptr<Metrics> metrics) = 0;
  virtual std::shared_ptr<Metrics> metrics() const = 0;

 protected:
  Serving() = default;
};

}  // namespace segue
