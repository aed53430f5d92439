#include "live/live_state.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "catalog/catalog_body.hpp"
#include "catalog/catalog_file.hpp"
#include "file/source.hpp"
#include "items/check_input.hpp"
#include "items/index_internals.hpp"
#include "items/next_id.hpp"
#include "items/recall_curves.hpp"
#include "metrics/observed.hpp"

namespace segue {
namespace {

Status check_options(const LiveOptions& options) {
  if (options.durability > Durability::kNever) return invalid_argument("durability is none that there is");
  if (options.interval_ms < 1 || options.interval_ms > 3'600'000) {
    return invalid_argument("interval_ms is " + std::to_string(options.interval_ms) + "; it must be 1 to 3600000");
  }
  return check_threads(options.threads);
}

// Numbers that change when a writer does anything to the files of the directory.
std::vector<std::uint64_t> file_sizes(const std::string& directory) {
  std::vector<std::uint64_t> sizes;
  const Result<LiveFiles> files = list_live_files(directory);
  if (!files.ok()) return sizes;
  const auto note = [&](std::uint64_t number, const std::string& path) {
    const Result<FileSource> file = FileSource::open(path);
    sizes.push_back(number);
    sizes.push_back(file.ok() ? file->size() : 0);
  };
  for (const std::uint64_t snapshot : files->snapshots) note(snapshot, snapshot_path(directory, snapshot));
  for (const std::uint64_t segment : files->segments) note(segment, segment_path(directory, segment));
  return sizes;
}

Status another_catalog() {
  return invalid_argument("this catalog belonged to a live index that has another one now; take its catalog() again");
}

}  // namespace

LiveState::LiveState(std::string directory, const LiveOptions& options)
    : directory_(std::move(directory)), options_(options) {}
LiveState::~LiveState() {
  metrics_.leave();
  (void)close();
}

Result<std::shared_ptr<LiveState>> LiveState::open(const std::string& directory, const LiveOptions& options) {
  SEGUE_RETURN_IF_ERROR(check_options(options));
  std::shared_ptr<LiveState> state;
  const Status opened = guard_memory([&]() -> Status {
    state.reset(new LiveState(directory, options));
    return state->start();
  });
  if (!opened.ok()) return opened;
  return state;
}

Status LiveState::start() {
  if (!options_.read_only) {
    // A directory that is not there shall not be made, nor a lock in one that is none of ours.
    const Result<LiveFiles> files = list_live_files(directory_);
    if (!files.ok()) return files.status();
    if (!files->snapshots.empty()) {
      Result<LockFile> lock = LockFile::acquire(lock_path(directory_));
      if (!lock.ok()) return lock.status();
      lock_ = std::move(lock).value();
    }
  }
  // A writer may remove a file between its name and its bytes, or cut off a record that is just being read. Where nothing
  // has changed since, it was not that.
  std::vector<std::uint64_t> before = options_.read_only ? file_sizes(directory_) : std::vector<std::uint64_t>();
  Result<Recovered> recovered = recover(directory_, options_);
  for (int tries = 0; options_.read_only && !recovered.ok() && tries < 8; ++tries) {
    std::vector<std::uint64_t> now = file_sizes(directory_);
    if (now == before) break;
    before.swap(now);
    recovered = recover(directory_, options_);
  }
  if (!recovered.ok()) return recovered.status();
  report_ = recovered->report;
  older_bytes_ = recovered->end.older_bytes;
  figures_.sequence = figures_.durable = recovered->end.last;
  figures_.snapshot = recovered->snapshot;
  figures_.snapshot_bytes = report_.snapshot_bytes;
  figures_.journal_bytes = report_.journal_bytes;
  if (!options_.read_only) {
    Result<JournalFile> segment = reopen_segment(directory_, *recovered);
    if (!segment.ok()) return segment.status();
    for (const std::uint64_t unused : recovered->end.unused) {
      SEGUE_RETURN_IF_ERROR(remove_file(segment_path(directory_, unused)));
    }
    for (const std::string& name : recovered->files.temporary) (void)remove_file(directory_ + "/" + name);
    // Damaged ones of later numbers are kept: somebody may want to look at them.
    if (report_.notes.empty()) remove_obsolete(directory_, recovered->snapshot);
    journal_ = std::make_unique<Journal>(directory_, recovered->identity, std::move(segment).value(),
                                         recovered->end.last, options_);
  }
  take_over(std::move(recovered->index));
  if (journal_ != nullptr && options_.snapshots) {
    next_snapshot_at_ = snapshot_threshold();
    snapshot_thread_ = std::thread([this] { run_snapshots(); });
  }
  return {};
}

std::shared_ptr<Index> LiveState::index() const {
  const std::lock_guard lock(index_mutex_);
  return index_;
}

void LiveState::take_over(std::shared_ptr<Index> index) {
  keep(index->catalog());
  // Its changes are watched here, where they wait for the journal.
  internals_of(*index).observe(metrics_.get(), false);
  const std::lock_guard lock(index_mutex_);
  index_.swap(index);
}

void LiveState::keep(const std::shared_ptr<Catalog>& catalog) {
  if (catalog != nullptr) set_keeper(catalog->body(), weak_from_this());
}

Status LiveState::check_changeable() const {
  if (journal_ == nullptr) {
    return unsupported("'" + directory_ + "' was opened to be read only; open it without read_only to change it");
  }
  if (closed_) return unsupported("the live index of '" + directory_ + "' was closed; open it again to change it");
  return journal_->health();
}

Status LiveState::health() const {
  const std::lock_guard lock(updating_);
  return check_changeable();
}

void LiveState::fail(Status why) {
  if (journal_ != nullptr) journal_->fail(std::move(why));
}

template <class Make>
Status LiveState::journaled(std::unique_lock<std::mutex>& updating, RecordType type, Payload payload, const Make& make) {
  const Result<std::uint64_t> sequence = journal_->append(type, payload);
  if (!sequence.ok()) return sequence.status();
  const Status made = make();
  if (!made.ok()) return journal_->take_back(made);
  {
    const std::lock_guard lock(figures_mutex_);
    figures_.journal_bytes = older_bytes_ + journal_->figures().bytes;
    if (options_.snapshots && figures_.journal_bytes >= next_snapshot_at_) {
      snapshot_wanted_ = true;
      snapshot_due_.notify_one();
    }
  }
  updating.unlock();
  return journal_->wait(*sequence);
}

Status LiveState::put(MatrixView vectors, std::span<const Id> ids, bool replacing, const AddOptions& options) {
  return guard_memory([&]() -> Status {
    std::shared_ptr<Index> checked = index();
    SEGUE_RETURN_IF_ERROR(check_vectors(vectors, checked->dim(), checked->metric()));
    SEGUE_RETURN_IF_ERROR(check_threads(options.threads));
    if (replacing || !ids.empty()) SEGUE_RETURN_IF_ERROR(check_ids(ids, vectors.rows()));
    std::unique_lock updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    if (checked != index_) {
      checked = index_;
      SEGUE_RETURN_IF_ERROR(check_vectors(vectors, checked->dim(), checked->metric()));
    }
    if (vectors.empty()) return {};
    std::vector<Id> next;
    if (ids.empty()) {
      const Id first = internals_of(*checked).next_id();
      if (vectors.rows() > static_cast<std::size_t>(kLargestId - first)) return checked->add(vectors, ids, options);
      next.resize(vectors.rows());
      std::iota(next.begin(), next.end(), first);
      ids = next;
    } else if (!replacing) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (checked->contains(ids[i])) {
          return already_exists("id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                                " is already in the index; use upsert to replace it");
        }
      }
    }
    const PutRecord record(vectors, ids);
    return journaled(updating, RecordType::kPut, record.payload(), [&] {
      return replacing ? checked->upsert(vectors, ids, options) : checked->add(vectors, ids, options);
    });
  });
}

Status LiveState::add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return observed(metrics_, Operation::kAdd, vectors.rows(), [&] { return put(vectors, ids, false, options); });
}

Status LiveState::upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return observed(metrics_, Operation::kUpsert, vectors.rows(), [&] { return put(vectors, ids, true, options); });
}

Result<std::size_t> LiveState::remove(std::span<const Id> ids) {
  std::size_t removed = 0;
  const auto remove_them = [&]() -> Status {
    std::unique_lock updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    std::vector<Id> there;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(there), [this](Id id) { return index_->contains(id); });
    if (there.empty()) return {};
    const ByteWriter record = encode_ids(there);
    const std::span<const std::byte> payload = record.bytes();
    return journaled(updating, RecordType::kRemove, std::span(&payload, 1), [&]() -> Status {
      const Result<std::size_t> result = index_->remove(there);
      if (result.ok()) removed = *result;
      return result.status();
    });
  };
  const Status done = observed(metrics_, Operation::kRemove, removed, [&] { return guard_memory(remove_them); });
  if (!done.ok()) return done;
  return removed;
}

Status LiveState::set_recall_curve(const RecallCurve& curve) {
  return guard_memory([&]() -> Status {
    std::unique_lock updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    if (index_->exact()) return index_->set_recall_curve(curve);  // which says no
    SEGUE_RETURN_IF_ERROR(check_curve(curve));
    const ByteWriter record = encode_curve(curve);
    const std::span<const std::byte> payload = record.bytes();
    return journaled(updating, RecordType::kCurve, std::span(&payload, 1),
                     [&] { return index_->set_recall_curve(curve); });
  });
}

Status LiveState::change_rows(Catalog::Body& catalog, std::span<const ColumnData> columns, const RowNames& names,
                              RowChange change) {
  return guard_memory([&]() -> Status {
    std::unique_lock updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    const std::shared_ptr<Catalog> current = index_->catalog();
    if (current == nullptr || &current->body() != &catalog) return another_catalog();
    const Result<std::vector<Id>> ids = plan_rows(catalog, columns, names, change);
    if (!ids.ok()) return ids.status();
    if (ids->empty()) return {};
    // With the ids that they get, so that a replay does not depend on what came before.
    const ByteWriter record = encode_rows(columns, *ids, names.keys);
    const std::span<const std::byte> payload = record.bytes();
    return journaled(updating, RecordType::kPutRows, std::span(&payload, 1),
                     [&] { return apply_rows(catalog, columns, names, change); });
  });
}

Result<std::size_t> LiveState::remove_rows(Catalog::Body& catalog, std::span<const Id> ids) {
  std::size_t removed = 0;
  const Status done = guard_memory([&]() -> Status {
    std::unique_lock updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    const std::shared_ptr<Catalog> current = index_->catalog();
    if (current == nullptr || &current->body() != &catalog) return another_catalog();
    std::vector<Id> there;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(there), [&](Id id) { return current->contains(id); });
    if (there.empty()) return {};
    const ByteWriter record = encode_ids(there);
    const std::span<const std::byte> payload = record.bytes();
    return journaled(updating, RecordType::kRemoveRows, std::span(&payload, 1), [&]() -> Status {
      const Result<std::size_t> result = apply_removal(catalog, there);
      if (result.ok()) removed = *result;
      return result.status();
    });
  });
  if (!done.ok()) return done;
  return removed;
}

Status LiveState::sync() {
  if (journal_ == nullptr) return {};
  {
    const std::lock_guard updating(updating_);
    if (closed_) return {};
  }
  return journal_->sync();
}

LiveStats LiveState::stats() const {
  const std::lock_guard lock(figures_mutex_);
  LiveStats stats = figures_;
  stats.snapshot_age = std::chrono::duration<double>(Clock::now() - snapshot_begun_).count();
  if (journal_ != nullptr) {
    const Journal::Figures journal = journal_->figures();
    stats.sequence = journal.sequence;
    stats.durable = journal.durable;
    stats.syncs = journal.syncs;
  }
  return stats;
}

void LiveState::set_metrics(std::shared_ptr<Metrics> metrics) {
  std::shared_ptr<Metrics> before;
  const std::lock_guard updating(updating_);  // nobody puts another index in place
  std::uint64_t number = 0;
  before = metrics_.set(metrics, *this, number);
  internals_of(*index_).observe(std::move(metrics), false);
}

void LiveState::add_gauges(MetricsSnapshot& snapshot) const {
  const LiveStats now = stats();
  LiveGauges& gauges = snapshot.live ? *snapshot.live : snapshot.live.emplace();
  gauges.journal_lag += now.sequence - now.durable;
  gauges.journal_bytes += now.journal_bytes;
  gauges.snapshot_age = std::max(gauges.snapshot_age, now.snapshot_age);
}

Status LiveState::close() {
  const std::lock_guard closing(closing_);
  {
    const std::lock_guard lock(figures_mutex_);
    stopping_ = true;
  }
  snapshot_due_.notify_all();
  if (snapshot_thread_.joinable()) snapshot_thread_.join();
  const std::lock_guard snapshotting(snapshotting_);
  const std::lock_guard updating(updating_);
  if (std::exchange(closed_, true)) return {};
  const Status done = journal_ == nullptr ? Status() : journal_->close();
  if (lock_) lock_->release();
  return done;
}

}  // namespace segue
