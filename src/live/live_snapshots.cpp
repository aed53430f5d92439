// The part of LiveState that writes snapshots: beside the traffic, and as the switch to another index.

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "catalog/catalog_body.hpp"
#include "catalog/catalog_file.hpp"
#include "file/source.hpp"
#include "items/check_input.hpp"
#include "items/index_internals.hpp"
#include "live/live_state.hpp"
#include "metrics/observed.hpp"
#include "metrics/trace_span.hpp"
#include "segue/live/live_index.hpp"

namespace segue {
namespace {

// Below, a snapshot now and then costs nothing that anybody would notice.
constexpr std::uint64_t kSmallestThreshold = std::uint64_t{64} << 20;

double seconds(std::chrono::steady_clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::uint64_t draw_identity() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

// A live index of another directory is copied as what it is now.
std::shared_ptr<const Index> plain(const Index& index) {
  if (const auto* live = dynamic_cast<const LiveIndex*>(&index)) return live->index();
  return {std::shared_ptr<const Index>(), &index};
}

}  // namespace

Status LiveState::create(const std::string& directory, const Index& given, const LiveOptions& options) {
  if (options.read_only) return invalid_argument("create() came with read_only; a directory is made to be written to");
  return guard_memory([&]() -> Status {
    const std::shared_ptr<const Index> index = plain(given);
    SEGUE_RETURN_IF_ERROR(make_directory(directory));
    Result<LiveFiles> files = list_live_files(directory);
    if (!files.ok()) return files.status();
    if (!files->others.empty()) {
      return invalid_argument("'" + directory + "' holds '" + files->others.front() +
                              "', which is no file of a live index; give it a directory of its own");
    }
    const Result<LockFile> lock = LockFile::acquire(lock_path(directory));
    if (!lock.ok()) return lock.status();
    files = list_live_files(directory);
    if (!files.ok()) return files.status();
    if (!files->snapshots.empty() || files->segments.size() > 1 || (files->segments.size() == 1 && files->segments[0] != 1)) {
      return already_exists("'" + directory + "' holds a live index already; open() opens it");
    }
    // The snapshot comes last: only with it there is an index. What an earlier create() left is no loss.
    const std::string segment = segment_path(directory, 1);
    SEGUE_RETURN_IF_ERROR(remove_file(segment));
    const std::uint64_t identity = draw_identity();
    const Result<JournalFile> file = JournalFile::create(segment, identity, 1);
    if (!file.ok()) return file.status();
    SEGUE_RETURN_IF_ERROR(file->sync());
    SEGUE_RETURN_IF_ERROR(sync_directory(directory));
    Status written;
    SEGUE_RETURN_IF_ERROR(internals_of(*index).with_sections(
        [&](const FileIdentity& kind, std::span<const SectionToWrite> sections) {
          written = write_snapshot(directory, {identity, 0}, kind, sections).status();
        }));
    return written;
  });
}

std::uint64_t LiveState::snapshot_threshold() const {
  if (options_.snapshot_bytes != 0) return options_.snapshot_bytes;
  return std::max(kSmallestThreshold, figures_.snapshot_bytes);
}

void LiveState::note_snapshot(std::uint64_t sequence, std::uint64_t bytes, double pause, Clock::time_point start) {
  const std::lock_guard lock(figures_mutex_);
  figures_.snapshot = sequence;
  figures_.snapshot_bytes = bytes;
  figures_.snapshot_pause = pause;
  figures_.snapshot_seconds = seconds(Clock::now() - start);
  figures_.snapshot_error.clear();
  ++figures_.snapshots;
  snapshot_begun_ = start;
  next_snapshot_at_ = snapshot_threshold();
  figures_.journal_bytes = journal_->figures().bytes + older_bytes_;
}

Result<std::uint64_t> LiveState::write_if_changed() {
  const std::lock_guard snapshotting(snapshotting_);
  const Clock::time_point start = Clock::now();
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
  double pause = 0;
  SectionCopy copy;
  Result<std::uint64_t> written(std::uint64_t{0});
  const auto write = [&](const FileIdentity& identity, std::span<const SectionToWrite> sections) -> Result<std::uint64_t> {
    SEGUE_RETURN_IF_ERROR(journal_->sync());  // the name of the segment that the snapshot needs behind it
    return write_snapshot(directory_, {journal_->identity(), sequence}, identity, sections);
  };
  const Status done = guard_memory([&]() -> Status {
    const std::shared_ptr<const Index> now = index();
    // Most of what the journal still has to sync, and of what the copy needs, before anybody waits for it.
    SEGUE_RETURN_IF_ERROR(sync());
    const bool room = copy.reserve(now->memory_usage() + now->memory_usage() / 64).ok();
    {
      const std::lock_guard updating(updating_);
      const Clock::time_point paused = Clock::now();
      SEGUE_RETURN_IF_ERROR(check_changeable());
      sequence = journal_->last();
      {
        const std::lock_guard lock(figures_mutex_);
        if (figures_.snapshot == sequence) return {};  // nothing has changed since
      }
      const Result<std::uint64_t> left = journal_->roll();
      if (!left.ok()) return left.status();
      {
        const std::lock_guard lock(figures_mutex_);
        older_bytes_ += *left;
      }
      bool taken = false;
      const Status copied = internals_of(*index_).with_sections(
          [&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
            taken = room && copy.take(identity, sections).ok();
            // Where there is no room for a copy, changes wait until all is written.
            if (!taken) written = write(identity, sections);
          });
      SEGUE_RETURN_IF_ERROR(copied);
      pause = seconds(Clock::now() - paused);
      if (!taken) copy = SectionCopy();
    }
    if (!copy.empty()) written = write(copy.identity(), copy.sections());
    if (!written.ok()) return written.status();
    bytes = *written;
    return {};
  });
  if (!done.ok()) {
    const std::lock_guard lock(figures_mutex_);
    figures_.snapshot_error = done.message();
    next_snapshot_at_ = figures_.journal_bytes + snapshot_threshold();
    return done;
  }
  if (bytes == 0) return bytes;
  remove_obsolete(directory_, sequence);
  {
    const std::lock_guard updating(updating_);
    const std::lock_guard lock(figures_mutex_);
    older_bytes_ = 0;
  }
  note_snapshot(sequence, bytes, pause, start);
  return bytes;
}

Status LiveState::snapshot() {
  std::uint64_t bytes = 0;
  return observed(metrics_, Operation::kSnapshot, bytes, [&]() -> Status {
    const Result<std::uint64_t> written = write_if_changed();
    if (written.ok()) bytes = *written;
    return written.status();
  });
}

void LiveState::run_snapshots() {
  for (;;) {
    {
      std::unique_lock lock(figures_mutex_);
      snapshot_due_.wait(lock, [this] { return stopping_ || snapshot_wanted_; });
      if (stopping_) return;
      snapshot_wanted_ = false;
    }
    (void)snapshot();  // stats() has what went wrong
  }
}

Status LiveState::switch_by_snapshot(const FileIdentity& identity, std::span<const SectionToWrite> sections) {
  SEGUE_RETURN_IF_ERROR(journal_->sync());
  const std::uint64_t sequence = journal_->last() + 1;
  // The segment comes first: a snapshot without it would look as if something had been lost.
  const std::string path = segment_path(directory_, sequence + 1);
  Result<JournalFile> segment = JournalFile::create(path, journal_->identity(), sequence + 1);
  if (!segment.ok()) return segment.status();
  Status done = segment->sync();
  if (done.ok()) done = sync_directory(directory_);
  Result<std::uint64_t> written(std::uint64_t{0});
  if (done.ok()) {
    written = write_snapshot(directory_, {journal_->identity(), sequence}, identity, sections);
    done = written.status();
  }
  if (!done.ok()) {
    const bool in_place = FileSource::open(snapshot_path(directory_, sequence)).status().code() != StatusCode::kNotFound;
    const Status removed = in_place ? Status() : remove_file(path);
    if (in_place || !removed.ok()) {
      journal_->fail(io_error(done.message() + "; whether the new index or the old one is found when '" + directory_ +
                              "' is opened again nobody knows, so no more changes are taken until then"));
    }
    return done;
  }
  journal_->switch_to(std::move(segment).value(), sequence);
  {
    const std::lock_guard lock(figures_mutex_);
    older_bytes_ = 0;
  }
  remove_obsolete(directory_, sequence);
  note_snapshot(sequence, *written, 0, Clock::now());
  return {};
}

Status LiveState::replace(const Index& given) {
  TraceSpan span("segue.replace");
  Status done = replace_by(given);
  span.end(done);
  return done;
}

Status LiveState::replace_by(const Index& given) {
  const std::lock_guard snapshotting(snapshotting_);
  return guard_memory([&]() -> Status {
    const std::shared_ptr<const Index> fresh = plain(given);
    const std::lock_guard updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    const std::shared_ptr<Catalog> kept = fresh->catalog() == nullptr ? index_->catalog() : nullptr;
    Status switched;
    SEGUE_RETURN_IF_ERROR(internals_of(*fresh).with_sections(
        [&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
          std::vector<SectionToWrite> all(sections.begin(), sections.end());
          std::optional<CatalogSections> catalog;
          if (kept != nullptr) catalog.emplace(*kept).append_to(all);
          switched = switch_by_snapshot(identity, all);
        }));
    SEGUE_RETURN_IF_ERROR(switched);
    Result<LoadedSnapshot> loaded = load_snapshot(directory_, journal_->last(), false);
    if (!loaded.ok()) {
      const Status why(loaded.status().code(), "the new index is durable but could not be read back: " +
                                                   loaded.status().message() + "; open '" + directory_ + "' again");
      journal_->fail(why);
      return why;
    }
    // Whoever holds the catalog goes on holding that of this index.
    if (kept != nullptr) loaded->index->set_catalog(kept);
    take_over(std::move(loaded->index));
    return {};
  });
}

Status LiveState::replace_catalog(std::shared_ptr<Catalog> catalog) {
  const std::lock_guard snapshotting(snapshotting_);
  return guard_memory([&]() -> Status {
    const std::lock_guard updating(updating_);
    SEGUE_RETURN_IF_ERROR(check_changeable());
    if (catalog == index_->catalog()) return {};
    Status switched;
    SEGUE_RETURN_IF_ERROR(internals_of(*index_).with_sections(
        [&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
          std::vector<SectionToWrite> all = without_catalog(sections);
          std::optional<CatalogSections> own;
          if (catalog != nullptr) own.emplace(*catalog).append_to(all);
          switched = switch_by_snapshot(identity, all);
        }));
    SEGUE_RETURN_IF_ERROR(switched);
    keep(catalog);
    index_->set_catalog(std::move(catalog));
    return {};
  });
}

}  // namespace segue
