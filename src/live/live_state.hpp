#pragma once
// LiveState: all of a live index behind its public face.
//
// Locks, in the order in which they are taken: `snapshotting_` by who writes a snapshot or replaces the index; `updating_` by
// who changes anything, from the journal's record to the change itself, and for the moment in which a snapshot is copied;
// `index_mutex_` for a pointer. Who waits for the disk holds none.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "catalog/catalog_keeper.hpp"
#include "file/directory.hpp"
#include "live/journal.hpp"
#include "live/recover.hpp"
#include "live/snapshot.hpp"
#include "metrics/metrics_body.hpp"
#include "segue/index.hpp"
#include "segue/live/live_options.hpp"

namespace segue {

class LiveState final : public CatalogKeeper, private MetricsSource, public std::enable_shared_from_this<LiveState> {
 public:
  static Status create(const std::string& directory, const Index& index, const LiveOptions& options);
  static Result<std::shared_ptr<LiveState>> open(const std::string& directory, const LiveOptions& options);
  ~LiveState() override;

  std::shared_ptr<Index> index() const;
  const std::string& directory() const noexcept { return directory_; }
  const LiveOptions& options() const noexcept { return options_; }
  const OpenReport& report() const noexcept { return report_; }
  LiveStats stats() const;
  Status health() const;

  Status add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options);
  Status upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options);
  Result<std::size_t> remove(std::span<const Id> ids);
  Status set_recall_curve(const RecallCurve& curve);
  Status change_rows(Catalog::Body& catalog, std::span<const ColumnData> columns, const RowNames& names,
                     RowChange change) override;
  Result<std::size_t> remove_rows(Catalog::Body& catalog, std::span<const Id> ids) override;

  Status replace(const Index& index);
  Status replace_catalog(std::shared_ptr<Catalog> catalog);
  void fail(Status why);
  Status snapshot();
  Status sync();
  Status close();
  void set_metrics(std::shared_ptr<Metrics> metrics);
  std::shared_ptr<Metrics> metrics() const { return metrics_.get(); }

 private:
  using Clock = std::chrono::steady_clock;

  LiveState(std::string directory, const LiveOptions& options);
  Status start();

  Status check_changeable() const;
  void add_gauges(MetricsSnapshot& snapshot) const override;
  Status put(MatrixView vectors, std::span<const Id> ids, bool replacing, const AddOptions& options);
  // Journals a change, makes it, and waits as the durability asks. `updating` is held, and let go before waiting.
  template <class Make>
  Status journaled(std::unique_lock<std::mutex>& updating, RecordType type, Payload payload, const Make& make);
  Status replace_by(const Index& index);
  // Both locks are held. A snapshot that is a change by itself.
  Status switch_by_snapshot(const FileIdentity& identity, std::span<const SectionToWrite> sections);
  void take_over(std::shared_ptr<Index> index);
  void keep(const std::shared_ptr<Catalog>& catalog);
  std::uint64_t snapshot_threshold() const;
  void note_snapshot(std::uint64_t sequence, std::uint64_t bytes, double pause, Clock::time_point start);
  // What snapshot() does, unwatched; how many bytes were written, 0 where nothing had changed.
  Result<std::uint64_t> write_if_changed();
  void run_snapshots();

  const std::string directory_;
  const LiveOptions options_;
  OpenReport report_;
  std::optional<LockFile> lock_;
  std::unique_ptr<Journal> journal_;  // null: read-only

  std::mutex closing_;
  mutable std::mutex snapshotting_;
  mutable std::mutex updating_;
  mutable std::mutex index_mutex_;
  std::shared_ptr<Index> index_;
  bool closed_ = false;  // under updating_

  MetricsLink metrics_;

  mutable std::mutex figures_mutex_;
  std::condition_variable snapshot_due_;
  LiveStats figures_;
  Clock::time_point snapshot_begun_ = Clock::now();
  std::uint64_t older_bytes_ = 0;       // of the journal's, in segments before the one that is written
  std::uint64_t next_snapshot_at_ = 0;  // bytes of the journal
  bool snapshot_wanted_ = false;
  bool stopping_ = false;
  std::thread snapshot_thread_;
};

}  // namespace segue
