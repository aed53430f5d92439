#pragma once
// From a directory to an index as it was when the last change was acknowledged: the newest whole snapshot, and what the
// journal says after it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "file/journal_file.hpp"
#include "live/walk_journal.hpp"
#include "segue/index.hpp"
#include "segue/live/live_options.hpp"

namespace segue {

struct Recovered {
  std::unique_ptr<Index> index;
  std::uint64_t identity = 0;
  std::uint64_t snapshot = 0;
  WalkEnd end;
  OpenReport report;
  LiveFiles files;
};

// Changes nothing.
Result<Recovered> recover(const std::string& directory, const LiveOptions& options,
                          WalkPolicy policy = WalkPolicy::kStrict);

// The segment that the journal ended in, ready for more: as it is where it was closed, else written anew without its torn
// tail. (Written anew also where it has none: whether the disk has all of a segment that was never synced, only the
// process knew that wrote it, and the system may have forgotten that it could not write some page.)
Result<JournalFile> reopen_segment(const std::string& directory, const Recovered& recovered);

// Files that nothing needs any more, once snapshot `sequence` is durable. Whatever cannot be removed is tried again next time.
void remove_obsolete(const std::string& directory, std::uint64_t sequence);

}  // namespace segue
