#include "live/walk_journal.hpp"

#include <algorithm>
#include <utility>

#include "file/source.hpp"

namespace segue {
namespace {

constexpr std::string_view kAdvice =
    "; what can be kept of it LiveIndex::salvage (segue.LiveIndex.salvage) puts into another directory";

std::string numbers(std::uint64_t first, std::uint64_t last) {
  return first == last ? "change " + std::to_string(first)
                       : "changes " + std::to_string(first) + " to " + std::to_string(last);
}

class Walk {
 public:
  Walk(const WalkFrom& from, WalkPolicy policy, std::uint64_t stop_at, const UseRecord& use)
      : from_(from), salvage_(policy == WalkPolicy::kSalvage), stop_at_(stop_at), use_(use) {
    end_.last = from.sequence;
  }

  Result<WalkEnd> run() {
    const auto first = std::lower_bound(from_.segments.begin(), from_.segments.end(), from_.sequence + 1);
    if (first == from_.segments.end() || *first != from_.sequence + 1) SEGUE_RETURN_IF_ERROR(missing(from_.sequence + 1));
    for (auto segment = first; segment != from_.segments.end(); ++segment) {
      const bool is_last = segment + 1 == from_.segments.end();
      SEGUE_RETURN_IF_ERROR(walk_segment(*segment, is_last));
    }
    return std::move(end_);
  }

 private:
  Status missing(std::uint64_t number) {
    const std::string path = segment_path(from_.directory, number);
    if (!salvage_) {
      return corrupt("'" + path + "'", "this segment of the journal is missing, and with it what comes after " +
                                           numbers(number - 1, number - 1) + std::string(kAdvice));
    }
    end_.losses.push_back("'" + path + "' is missing, or an earlier one ends too soon");
    return {};
  }

  Status lose(std::string what) {
    if (!salvage_) return corrupt_file(std::move(what) + std::string(kAdvice));
    end_.losses.push_back(std::move(what));
    return {};
  }

  Status walk_segment(std::uint64_t first, bool is_last) {
    const std::string path = segment_path(from_.directory, first);
    Result<FileSource> source = FileSource::open(path);
    if (!source.ok()) return salvage_ ? lose(source.status().message()) : source.status();
    Result<JournalReader> reader = JournalReader::open(*source);
    bool headless = false;
    if (!reader.ok()) {
      if (reader.status().code() != StatusCode::kCorruptFile) return reader.status();
      // An empty one at the end is a segment that was begun, and of which nothing came.
      if (!is_last || (salvage_ && source->size() != 0)) SEGUE_RETURN_IF_ERROR(lose(reader.status().message()));
      headless = true;
      reader = JournalReader::assume(*source, from_.identity, first);
    }
    if (reader->identity() != from_.identity) {
      return lose("'" + path + "': the segment belongs to another directory");
    }
    if (reader->first_sequence() != first) {
      return lose("'" + path + "': the segment begins with number " + std::to_string(reader->first_sequence()) +
                  ", not with that of its name");
    }
    if (first != end_.last + 1) {
      // Made for a replacement whose snapshot never came: nothing can be in it.
      if (is_last && first == end_.last + 2 && source->size() <= sizeof(journal_layout::FileHeader) &&
          !from_.damaged_snapshot) {
        end_.unused.push_back(first);
        return {};
      }
      if (first <= end_.last) return lose("'" + path + "': its numbers are in the segment before already");
      SEGUE_RETURN_IF_ERROR(lose("'" + path + "': " + numbers(end_.last + 1, first - 1) + " are missing before it"));
    }
    end_.older_bytes = end_.bytes;
    end_.bytes += source->size();
    end_.segment = first;
    end_.marked = false;
    SEGUE_RETURN_IF_ERROR(headless && !salvage_ ? judge(*source, *reader, true) : walk_records(*source, *reader, is_last));
    if (end_.marked) end_.marked = end_.cut_bytes == 0;
    return {};
  }

  Status walk_records(const FileSource& source, JournalReader& reader, bool is_last) {
    for (;;) {
      const Result<JournalReader::Step> step = reader.next();
      if (!step.ok()) return step.status();
      if (*step == JournalReader::Step::kRecord) {
        const JournalRecord& record = reader.record();
        if (stop_at_ != 0 && record.sequence >= stop_at_ && record.type != journal_layout::kMark) {
          if (!is_last || record.end != source.size()) {
            return damaged(source, record.offset, "a record that cannot be replayed");
          }
          end_.segment_bytes = record.offset;
          end_.cut_bytes = source.size() - record.offset;
          return {};
        }
        SEGUE_RETURN_IF_ERROR(take(source, record));
        continue;
      }
      end_.segment_bytes = reader.offset();
      if (*step == JournalReader::Step::kEnd) return {};
      if (!salvage_ && is_last) return judge(source, reader, false);
      if (!salvage_) {
        const Result<bool> zeros = reader.only_zeros();
        if (!zeros.ok()) return zeros.status();
        return *zeros ? Status() : damaged(source, reader.offset(), "a damaged record");
      }
      if (!step_over(source, reader)) return {};
    }
  }

  Status take(const FileSource& source, const JournalRecord& record) {
    end_.marked = record.type == journal_layout::kMark;
    if (end_.marked) return {};
    const Status used = use_(record);
    if (!used.ok()) {
      const bool fault = used.code() == StatusCode::kOutOfMemory || used.code() == StatusCode::kIoError;
      const std::string what = source.name() + ": the record at byte " + std::to_string(record.offset) + ", " +
                               numbers(record.sequence, record.sequence) + ": " + used.message();
      if (fault) return {used.code(), what};
      SEGUE_RETURN_IF_ERROR(lose(what));
    } else {
      ++end_.records;
    }
    end_.last = record.sequence;
    return {};
  }

  Status damaged(const FileSource& source, std::uint64_t offset, std::string_view what) {
    return corrupt_file(source.name() + ": " + std::string(what) + " at byte " + std::to_string(offset) +
                        " of " + std::to_string(source.size()) + std::string(kAdvice));
  }

  // Torn or damaged: does anything behind say that it was durable once? Without a header every record behind does: it is
  // made durable with the first of them.
  Status judge(const FileSource& source, JournalReader& reader, bool headless) {
    if (!headless) {
      // Room that was allocated ahead, or a record of which nothing came: no tail to speak of.
      const Result<bool> zeros = reader.only_zeros();
      if (!zeros.ok()) return zeros.status();
      if (*zeros) return {};
    }
    bool gave_up = false;
    const Result<std::optional<JournalRecord>> behind = reader.find_whole(headless ? 0 : reader.due(), gave_up);
    if (!behind.ok()) return behind.status();
    if (behind->has_value() || gave_up) {
      return damaged(source, headless ? 0 : reader.offset(),
                     gave_up ? "damage" : "what was written before the whole record at byte " +
                                              std::to_string((*behind)->offset) + " is damaged,");
    }
    end_.segment_bytes = headless ? 0 : reader.offset();
    end_.cut_bytes = source.size() - end_.segment_bytes;
    return {};
  }

  // False: nothing whole is left in this segment.
  bool step_over(const FileSource& source, JournalReader& reader) {
    if (const Result<bool> zeros = reader.only_zeros(); zeros.ok() && *zeros) return false;
    bool gave_up = false;
    const std::uint64_t from = reader.offset();
    const std::uint64_t due = reader.due();
    const Result<std::optional<JournalRecord>> next = reader.find_whole(0, gave_up);
    const bool found = next.ok() && next->has_value();
    const std::uint64_t until = found ? (*next)->offset : source.size();
    std::string loss = source.name() + ": bytes " + std::to_string(from) + " to " + std::to_string(until);
    // A mark comes after the number that it has.
    const std::uint64_t first = !found ? 0 : (*next)->sequence + ((*next)->type == journal_layout::kMark ? 1 : 0);
    if (!found) {
      loss += ": everything from change " + std::to_string(due) + " on in this segment";
    } else if (first > due) {
      loss += ": " + numbers(due, first - 1);
      end_.last = first - 1;
    } else {
      loss += ": no change";
    }
    end_.losses.push_back(std::move(loss));
    if (!found) return false;
    reader.resume_at(**next);
    return true;
  }

  const WalkFrom& from_;
  const bool salvage_;
  const std::uint64_t stop_at_;
  const UseRecord& use_;
  WalkEnd end_;
};

}  // namespace

Result<WalkEnd> walk_journal(const WalkFrom& from, WalkPolicy policy, std::uint64_t stop_at, const UseRecord& use) {
  return Walk(from, policy, stop_at, use).run();
}

}  // namespace segue
