#pragma once
// JournalReader: the records of a segment, one after another, each checked.
//
//   Result<JournalReader> reader = JournalReader::open(source);
//   for (;;) {
//     Result<JournalReader::Step> step = reader->next();
//     if (!step.ok()) return step.status();      // the file could not be read
//     if (*step != Step::kRecord) break;         // kEnd, or kDamage at reader->offset()
//     use(reader->record());
//   }
//
// What it promises about a record that it hands out: its checksum holds, for this journal and no other, and its number is
// the one that was due. It holds a window of a mebibyte, or one record where that is larger; never more than the file has.
//
// Where the next record is none, the file ends, or is torn, or is damaged; find_whole() tells which, by what comes after.
// A record says how far the journal was durable when it was written. So if any whole record after the damage says that
// what is damaged was durable, it was lost: a damaged middle. If none does, nobody was ever promised what is there, however
// much of it a power cut left in which order: a torn tail.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "file/journal_layout.hpp"
#include "file/parse.hpp"
#include "segue/status.hpp"

namespace segue {

struct JournalRecord {
  std::uint32_t type = 0;
  std::uint64_t sequence = 0;
  std::uint64_t synced = 0;
  std::uint64_t offset = 0;              // of its header
  std::uint64_t end = 0;                 // of its payload
  std::span<const std::byte> payload;    // aligned to 8 bytes; until the next call
};

class JournalReader {
 public:
  // kCorruptFile: no header of a segment. `source` outlives this.
  static Result<JournalReader> open(const ByteSource& source);
  // Where the header is damaged and others know what it said.
  static JournalReader assume(const ByteSource& source, std::uint64_t identity, std::uint64_t first_sequence);

  std::uint64_t identity() const noexcept { return header_.identity; }
  std::uint64_t first_sequence() const noexcept { return header_.first_sequence; }
  // The number that the next record has to have.
  std::uint64_t due() const noexcept { return due_; }
  // Where the next record starts: after the last whole one.
  std::uint64_t offset() const noexcept { return offset_; }
  const JournalRecord& record() const noexcept { return record_; }

  enum class Step { kRecord, kEnd, kDamage };
  // kIoError comes from the source; kOutOfMemory.
  Result<Step> next();

  // After damage: the first whole record behind it whose `synced` is at least `synced_from`. Looks at all places where one
  // may start; where a file was made to hold ever so many that look like it, it gives up after summing four times the
  // file's bytes and says true in `gave_up`.
  Result<std::optional<JournalRecord>> find_whole(std::uint64_t synced_from, bool& gave_up);
  // Whether everything from offset() on is zero.
  Result<bool> only_zeros();
  // The next record is that one, which find_whole() found.
  void resume_at(const JournalRecord& record) noexcept;

 private:
  explicit JournalReader(const ByteSource& source) : source_(&source) {}
  // [offset, offset + bytes) of the file, which has them.
  Result<std::span<const std::byte>> view(std::uint64_t offset, std::uint64_t bytes);
  // Whether what lies at `offset` may be a record's header, and whether its checksum holds.
  Result<bool> plausible(std::uint64_t offset, journal_layout::RecordHeader& header);
  Result<bool> whole(std::uint64_t offset, const journal_layout::RecordHeader& header);

  const ByteSource* source_;
  journal_layout::FileHeader header_{};
  std::uint64_t due_ = 0;
  std::uint64_t offset_ = sizeof(journal_layout::FileHeader);
  JournalRecord record_;
  std::vector<std::uint64_t> window_;  // 8 bytes each, for their alignment
  std::uint64_t window_at_ = 0;
  std::uint64_t window_bytes_ = 0;
};

}  // namespace segue
