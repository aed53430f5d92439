#pragma once
// What a LiveIndex is opened with, and what it says of itself.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "segue/status.hpp"

namespace segue {

// When a change is acknowledged, that is when the call that makes it returns. Whatever is chosen, a killed process loses
// nothing that was acknowledged; the choice is about a machine that loses power.
//   kBatch      after the disk has it; calls of several threads share one fdatasync. Nothing acknowledged is lost.
//   kInterval   at once; the disk has it within `interval_ms`. A power cut loses at most that.
//   kNever      at once; the disk has it when the system likes, some half a minute later.
enum class Durability : std::uint8_t { kBatch = 0, kInterval = 1, kNever = 2 };

// "batch", "interval", "never".
std::string_view to_string(Durability durability) noexcept;
// An unknown name is kInvalidArgument, with a message that lists the known ones.
Result<Durability> parse_durability(std::string_view name);

struct LiveOptions {
  Durability durability = Durability::kBatch;
  int interval_ms = 50;  // of kInterval; 1 to 3,600,000
  // A snapshot is written in the background once the journal since the last has so many bytes. 0: as many as the last
  // snapshot, at least 64 MiB, so that opening never reads much more than twice the index.
  std::uint64_t snapshot_bytes = 0;
  // false: only snapshot() writes any.
  bool snapshots = true;
  // Nothing in the directory is changed, not even its lock; every change is kUnsupported. A writer may be at work there: what
  // is opened is what it had acknowledged then, and perhaps a little more.
  bool read_only = false;
  // Of the replay. 0: as many as OpenMP would use.
  int threads = 0;
};

// What open() found.
struct OpenReport {
  std::uint64_t snapshot = 0;          // the number of the last change that the snapshot holds
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t records = 0;           // replayed
  std::uint64_t vectors = 0;           // in them
  std::uint64_t journal_bytes = 0;     // read
  std::uint64_t cut_bytes = 0;         // of a torn tail; 0: none
  std::string cut_file;                // which segment it was
  std::uint64_t cut_offset = 0;        // from where on
  std::vector<std::string> notes;      // what else somebody should know: a damaged snapshot that was not needed, ...
  double load_seconds = 0;             // snapshot
  double replay_seconds = 0;           // journal
};

struct LiveStats {
  std::uint64_t sequence = 0;           // of the last change
  std::uint64_t durable = 0;            // of the last change that the disk has
  std::uint64_t journal_bytes = 0;      // since the last snapshot
  std::uint64_t syncs = 0;              // fdatasync calls; changes / syncs is what group commit saves
  std::uint64_t snapshot = 0;           // the last change that it holds
  std::uint64_t snapshot_bytes = 0;
  double snapshot_age = 0;              // seconds since it was begun, or opened
  std::uint64_t snapshots = 0;          // written since opening
  double snapshot_pause = 0;            // seconds for which the last one kept changes waiting
  double snapshot_seconds = 0;          // for which it was written
  std::string snapshot_error;           // why the last one failed; empty: it did not
};

struct SalvageReport {
  std::uint64_t snapshot = 0;   // the last change that the snapshot holds
  std::uint64_t records = 0;    // kept
  std::uint64_t items = 0;      // in the new index
  std::vector<std::string> losses;  // one a damaged place: file, bytes, and which changes are gone
};

}  // namespace segue
