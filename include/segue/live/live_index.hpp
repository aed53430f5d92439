#pragma once
// LiveIndex: an index in a directory, that survives its process. Choose it where items come and go while a service runs.
//
//   auto live = segue::LiveIndex::create("/srv/tracks", *index);        // once; the index is copied
//   auto live = segue::LiveIndex::open("/srv/tracks");                  // from then on
//   if (!live.ok()) return live.status();
//   if (Status s = (*live)->add(vectors, ids); !s.ok()) return s;       // returns when the disk has it
//   auto found = (*live)->search(queries, 10);
//
// It is an Index: what takes one takes it, and every call means the same. add, upsert, remove, set_recall_curve, and the
// changes of the catalog that catalog() hands out, are written to a journal before they are made, and acknowledged (the
// call returns) as `durability` says. Snapshots are written beside the traffic; open() reads the newest and replays the
// journal after it.
//
// Costs: a change costs what it costs the index, its bytes written once more, and, with Durability::kBatch, a share of an
// fdatasync, which runs beside the change itself. Searches cost a pointer more. A snapshot copies the index in memory while
// changes wait, searches do not, and writes it afterwards; so memory for a copy is needed for as long as it is written.
//
// Failures: a call that fails has changed nothing. Only where the disk fails to sync (kIoError), or where memory runs out
// between journal and index, nobody can know what a reopened journal will hold; the index can be searched then, but takes no
// more changes until it is opened again. docs/live.md goes through all of them.
//
// Thread-safety: as every Index; create, open and close are not to be called for one directory at the same time. One writer
// a directory, in all processes; any number of readers (`read_only`).

#include <memory>
#include <string>

#include "segue/index.hpp"
#include "segue/live/live_options.hpp"

namespace segue {

class LiveState;

class LiveIndex final : public Index {
 public:
  // Makes the directory, in a parent that is there, and puts a copy of the index and its catalog into it.
  // kAlreadyExists: there is an index in it, or another writer. kInvalidArgument: files of others are in it.
  static Result<std::unique_ptr<LiveIndex>> create(const std::string& directory, const Index& index,
                                                   const LiveOptions& options = {});
  // kNotFound: no such directory, or nothing that create() finished. kAlreadyExists: another writer; the message says
  // who. kCorruptFile: damage that is no torn tail; the message names file and offset, and salvage() may help.
  static Result<std::unique_ptr<LiveIndex>> open(const std::string& directory, const LiveOptions& options = {});
  // Whether create() has put an index there.
  static Result<bool> exists(const std::string& directory);
  // What can be kept of a damaged directory, as a new one in `to`, which is not there or empty: the newest whole snapshot,
  // and every whole record after it. The old one is left as it is.
  static Result<SalvageReport> salvage(const std::string& directory, const std::string& to);
  // As close(), which says what went wrong.
  ~LiveIndex() override;

  // The index as it is now, for several calls that are to see the same after a replace(). It changes with this one until
  // then. To be read only: what is changed there is not in the journal.
  std::shared_ptr<const Index> index() const;

  // Replaces every vector at once, by a copy of another index: a new model's, of any dimension, metric or kind. Searches
  // that began before see the old one, later ones the new one. The catalog is kept unless the new index brings its own. A
  // snapshot is the switch, so it is durable when this returns; changes wait meanwhile, searches do not.
  Status replace(const Index& index);

  // Writes a snapshot now, and waits for it.
  Status snapshot();
  // Waits until the disk has all that was acknowledged, whatever the durability.
  Status sync();
  // Syncs, lets go of the directory, and ends what runs in the background; a snapshot that is being written is finished.
  // Searches go on working, changes are kUnsupported. Again: ok.
  Status close();

  const std::string& directory() const noexcept;
  const LiveOptions& options() const noexcept;
  const OpenReport& open_report() const noexcept;
  LiveStats live_stats() const;
  // Why no change is taken any more; ok: they are.
  Status health() const;

  // ---- Index ----
  std::string_view kind() const noexcept override;
  std::size_t dim() const noexcept override;
  Metric metric() const noexcept override;
  Storage storage() const noexcept override;
  std::size_t size() const override;
  bool contains(Id id) const override;
  std::vector<Id> ids() const override;
  Status add(MatrixView vectors, std::span<const Id> ids = {}, const AddOptions& options = {}) override;
  Status upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options = {}) override;
  Result<std::size_t> remove(std::span<const Id> ids) override;
  Result<std::vector<float>> get(std::span<const Id> ids) const override;
  Status search_into(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                     float* scores) const override;
  Result<RangeResult> range_search(MatrixView queries, float threshold,
                                   const SearchOptions& options = {}) const override;
  std::size_t memory_usage() const override;
  // The index's figures, and those of live_stats() as "live: ...".
  IndexStats stats() const override;
  Status validate() const override;
  Status save(const std::string& path) const override;
  Result<std::vector<unsigned char>> to_bytes() const override;
  bool exact() const noexcept override;
  std::vector<RecallCurve> recall_curves() const override;
  Status set_recall_curve(const RecallCurve& curve) override;
  // Its append, upsert and remove are durable as those here are.
  std::shared_ptr<Catalog> catalog() const override;
  // As replace_catalog(); what fails there is what health() says from then on.
  void set_catalog(std::shared_ptr<Catalog> catalog) override;
  // They go on over every replace(). Changes are timed with their wait for the journal; snapshots count too.
  void set_metrics(std::shared_ptr<Metrics> metrics) const override;
  std::shared_ptr<Metrics> metrics() const override;
  // Another catalog, or none. It belongs to this index then. A snapshot makes it durable.
  Status replace_catalog(std::shared_ptr<Catalog> catalog);

 private:
  explicit LiveIndex(std::shared_ptr<LiveState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<LiveState> state_;
};

}  // namespace segue
