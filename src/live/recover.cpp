#include "live/recover.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "file/atomic_file.hpp"
#include "file/directory.hpp"
#include "file/source.hpp"
#include "items/check_input.hpp"
#include "items/index_internals.hpp"
#include "live/replay.hpp"
#include "live/snapshot.hpp"
#include "metrics/trace_span.hpp"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The newest that is whole; those that are not become notes.
Result<LoadedSnapshot> newest_snapshot(const std::string& directory, const LiveFiles& files, bool mmap,
                                       std::vector<std::string>& notes) {
  if (files.snapshots.empty()) {
    return not_found("'" + directory + "' holds no live index: there is no snapshot in it; LiveIndex::create makes one" +
                     (files.segments.empty() ? "" : ", and was cut short here"));
  }
  Status first;
  for (auto sequence = files.snapshots.rbegin(); sequence != files.snapshots.rend(); ++sequence) {
    Result<LoadedSnapshot> loaded = load_snapshot(directory, *sequence, mmap);
    if (loaded.ok() || loaded.status().code() != StatusCode::kCorruptFile) return loaded;
    if (first.ok()) first = loaded.status();
    notes.push_back(loaded.status().message());
  }
  return first;
}

// `refused`: the number of a record that index or catalog refused.
Result<Recovered> recover_until(const std::string& directory, const LiveOptions& options, WalkPolicy policy,
                                std::uint64_t stop_at, std::uint64_t& refused) {
  Result<LiveFiles> files = list_live_files(directory);
  if (!files.ok()) return files.status();
  Recovered out;
  out.files = std::move(files).value();
  Clock::time_point start = Clock::now();
  Result<LoadedSnapshot> loaded = newest_snapshot(directory, out.files, options.read_only, out.report.notes);
  if (!loaded.ok()) return loaded.status();
  out.report.load_seconds = seconds_since(start);
  out.index = std::move(loaded->index);
  internals_of(*out.index).observe(nullptr, false);  // a replay is no traffic
  out.identity = loaded->name.identity;
  out.snapshot = out.report.snapshot = loaded->name.sequence;
  out.report.snapshot_bytes = loaded->bytes;

  start = Clock::now();
  Replay replay(*out.index, options.threads);
  const WalkFrom from{directory, out.files.segments, out.identity, out.snapshot, !out.report.notes.empty()};
  const auto is_refusal = [](const Status& status) {
    return status.code() != StatusCode::kOutOfMemory && status.code() != StatusCode::kIoError;
  };
  Result<WalkEnd> end = walk_journal(from, policy, stop_at, [&](const JournalRecord& record) {
    Status added;
    const Status enough = guard_memory([&] {
      added = replay.add(record);
      // One by one, so that it is known which of them cannot be kept.
      if (policy == WalkPolicy::kSalvage && added.ok()) added = replay.flush();
      return Status();
    });
    if (policy == WalkPolicy::kSalvage && !added.ok()) replay.drop();
    if (!enough.ok()) return enough;
    if (!added.ok() && is_refusal(added)) refused = record.sequence;
    return added;
  });
  if (!end.ok()) {
    const std::string also = out.report.notes.empty() ? "" : "; before that, " + out.report.notes.front();
    return Status(end.status().code(), end.status().message() + also);
  }
  out.end = std::move(end).value();
  const Status flushed = replay.flush();
  if (!flushed.ok()) {
    if (is_refusal(flushed)) refused = out.end.last;
    return Status(flushed.code(), "replaying the journal in '" + directory + "': " + flushed.message());
  }
  out.report.records = out.end.records;
  out.report.vectors = replay.vectors();
  out.report.journal_bytes = out.end.bytes;
  out.report.replay_seconds = seconds_since(start);
  if (out.end.cut_bytes != 0) {
    out.report.cut_bytes = out.end.cut_bytes;
    out.report.cut_file = segment_path(directory, out.end.segment);
    out.report.cut_offset = out.end.segment_bytes;
  }
  return out;
}

Status copy_segment(const std::string& path, std::uint64_t bytes) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  const Result<FileSource> source = FileSource::open(path);
  if (!source.ok()) return source.status();
  Result<AtomicFile> copy = AtomicFile::create(path, bytes);
  if (!copy.ok()) return copy.status();
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min(bytes, kPiece)));
  for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min(bytes - at, kPiece)));
    SEGUE_RETURN_IF_ERROR(source->read(at, piece));
    SEGUE_RETURN_IF_ERROR(copy->append(piece));
  }
  return copy->commit();
}

}  // namespace

// A change that index or catalog refuse is taken back before another is written; a process that was killed in between left it
// as the last record, which then is none.
Result<Recovered> recover(const std::string& directory, const LiveOptions& options, WalkPolicy policy) {
  TraceSpan span("segue.replay");
  std::uint64_t refused = 0;
  Result<Recovered> recovered = recover_until(directory, options, policy, 0, refused);
  if (recovered.ok() || refused == 0 || policy == WalkPolicy::kSalvage) {
    span.end(recovered.status());
    return recovered;
  }
  std::uint64_t again = 0;
  Result<Recovered> without = recover_until(directory, options, policy, refused, again);
  if (!without.ok()) span.end(recovered.status());
  return without.ok() ? std::move(without) : std::move(recovered);
}

Result<JournalFile> reopen_segment(const std::string& directory, const Recovered& recovered) {
  const WalkEnd& end = recovered.end;
  const std::string path = segment_path(directory, end.segment);
  if (end.segment_bytes < sizeof(journal_layout::FileHeader)) {
    SEGUE_RETURN_IF_ERROR(remove_file(path));
    Result<JournalFile> made = JournalFile::create(path, recovered.identity, end.segment);
    if (!made.ok()) return made;
    SEGUE_RETURN_IF_ERROR(made->sync());
    SEGUE_RETURN_IF_ERROR(sync_directory(directory));
    return made;
  }
  if (!end.marked) SEGUE_RETURN_IF_ERROR(copy_segment(path, end.segment_bytes));
  return JournalFile::open(path, recovered.identity, end.segment, end.segment_bytes);
}

void remove_obsolete(const std::string& directory, std::uint64_t sequence) {
  const Result<LiveFiles> files = list_live_files(directory);
  if (!files.ok()) return;
  for (const std::uint64_t snapshot : files->snapshots) {
    if (snapshot < sequence) (void)remove_file(snapshot_path(directory, snapshot));
  }
  for (const std::uint64_t segment : files->segments) {
    if (segment <= sequence) (void)remove_file(segment_path(directory, segment));
  }
}

}  // namespace segue
