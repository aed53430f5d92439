#pragma once
// Walks through the segments of a journal after a snapshot, record by record, and finds out where they end.
//
// Strict: the end is where the last segment ends, or where its tail is torn; everything else that is not as it was written is
// an error that names file and offset. Salvaging: what is damaged or missing is noted and stepped over.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "file/journal_reader.hpp"
#include "live/live_names.hpp"
#include "segue/status.hpp"

namespace segue {

enum class WalkPolicy { kStrict, kSalvage };

struct WalkFrom {
  std::string directory;
  std::vector<std::uint64_t> segments;  // ascending
  std::uint64_t identity = 0;
  std::uint64_t sequence = 0;           // of the snapshot
  // A snapshot of a later number is there and damaged: a gap in the numbers may be what it held.
  bool damaged_snapshot = false;
};

struct WalkEnd {
  std::uint64_t last = 0;            // number of the last record
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;           // of all segments read
  std::uint64_t segment = 0;         // the last one's first number
  std::uint64_t segment_bytes = 0;   // of it that are whole records, header included; 0: not even that
  std::uint64_t older_bytes = 0;     // of those before
  std::uint64_t cut_bytes = 0;       // after segment_bytes
  bool marked = false;               // the last record is a mark, and nothing comes after it
  // Segments that hold nothing of the index: made for a snapshot that never came.
  std::vector<std::uint64_t> unused;
  std::vector<std::string> losses;   // of a salvage
};

using UseRecord = std::function<Status(const JournalRecord& record)>;

// `use` sees every record, and says in a strict walk what ends it, in a salvage what is one loss more. A record whose number
// is `stop_at` (0: none) is left alone, as if the file ended before it; it has to be the last.
Result<WalkEnd> walk_journal(const WalkFrom& from, WalkPolicy policy, std::uint64_t stop_at, const UseRecord& use);

}  // namespace segue
