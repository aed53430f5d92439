#pragma once
// JournalDirectory: a directory of a live index whose snapshot is the same on every machine, identity included, and whose
// journal may be anything: what the fuzzer of journals and its seeds are about.

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "file/checksum.hpp"
#include "file/journal_file.hpp"
#include "file/journal_layout.hpp"
#include "items/index_internals.hpp"
#include "live/live_cases.hpp"
#include "live/live_names.hpp"
#include "live/snapshot.hpp"

namespace segue::test {

// Calls `use(offset, header)` for each record, as far as the lengths lead.
template <class Use>
void for_each_record(const Bytes& segment, const Use& use) {
  using namespace journal_layout;
  for (std::size_t at = sizeof(FileHeader); at <= segment.size() && segment.size() - at >= sizeof(RecordHeader);) {
    RecordHeader record;
    std::memcpy(&record, segment.data() + at, sizeof(record));
    if (record.bytes > segment.size() - at - sizeof(record)) break;
    use(at, record);
    at += sizeof(record) + static_cast<std::size_t>(record.bytes);
  }
}

// Makes the sums of header and records right, as far as their lengths lead.
inline void fix_journal_sums(Bytes& segment) {
  using namespace journal_layout;
  if (segment.size() < sizeof(FileHeader)) return;
  FileHeader header;
  std::memcpy(&header, segment.data(), sizeof(header));
  header.checksum = checksum_of(std::as_bytes(std::span(segment).first(offsetof(FileHeader, checksum))));
  std::memcpy(segment.data(), &header, sizeof(header));
  for_each_record(segment, [&](std::size_t at, RecordHeader record) {
    Checksum sum;
    sum.update(std::as_bytes(std::span(&header.identity, 1)));
    sum.update(std::as_bytes(std::span(segment).subspan(at, offsetof(RecordHeader, checksum))));
    sum.update(std::as_bytes(std::span(segment).subspan(at + sizeof(record), static_cast<std::size_t>(record.bytes))));
    record.checksum = sum.digest();
    std::memcpy(segment.data() + at, &record, sizeof(record));
  });
}

// Numbers the records from that of the header on, whatever stood there; what says more is durable than there is says less.
inline void fix_journal_numbers(Bytes& segment) {
  using namespace journal_layout;
  if (segment.size() < sizeof(FileHeader)) return;
  FileHeader header;
  std::memcpy(&header, segment.data(), sizeof(header));
  std::uint64_t due = header.first_sequence;
  for_each_record(segment, [&](std::size_t at, RecordHeader record) {
    record.sequence = record.type == kMark ? due - 1 : due++;
    record.synced = std::min(record.synced, record.sequence);
    std::memcpy(segment.data() + at, &record, sizeof(record));
  });
}

class JournalDirectory {
 public:
  static constexpr std::uint64_t kIdentity = 0x5e60e5e60e5e60e5U;
  static constexpr std::size_t kItems = 5;

  JournalDirectory() {
    const std::unique_ptr<Index> index = make_live_index("flat");
    const std::vector<float> x = live_vectors(id_range(0, kItems));
    EXPECT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    const std::vector columns = {ColumnData::integers("n", {1, 2}), ColumnData::sets("market", {{"SE", "NO"}, {}}),
                                 ColumnData::categories("kind", {"yoga", "run"}), ColumnData::floats("score", {0.5, -1}),
                                 ColumnData::booleans("new", {true, false}), ColumnData::dates("since", {0, 86'400})};
    const std::vector<std::string> keys = {"a", "b"};
    index->set_catalog(Catalog::create(columns, {{}, keys}).value());
    std::filesystem::create_directory(path());
    const Status written = internals_of(*index).with_sections(
        [&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
          const Status status = write_snapshot(path(), {kIdentity, 0}, identity, sections).status();
          EXPECT_TRUE(status.ok()) << status.message();
        });
    EXPECT_TRUE(written.ok()) << written.message();
    snapshot_ = read_bytes(snapshot_path(path(), 0));
  }

  const std::string& path() const { return path_; }

  // As it was at first, with these segments, by their first numbers, and nothing else.
  void reset(const std::map<std::uint64_t, Bytes>& segments) {
    const std::string snapshot = snapshot_path(path(), 0);
    bool whole = false;
    for (const std::string& name : TemporaryFolder::names_in(path())) {
      const std::string file = path() + "/" + name;
      if (file == snapshot) {
        whole = true;
      } else {
        std::filesystem::remove(file);
      }
    }
    if (!whole) write_all_bytes(snapshot, snapshot_);
    for (const auto& [first, bytes] : segments) write_all_bytes(segment_path(path(), first), bytes);
  }

  // The bytes of segment 1 after a life: an empty one, and what `live` does.
  Bytes segment_of(const std::function<void(LiveIndex&)>& live) {
    reset({});
    EXPECT_TRUE(JournalFile::create(segment_path(path(), 1), kIdentity, 1).ok());
    const std::unique_ptr<LiveIndex> index = open_live(path(), {.durability = Durability::kNever, .snapshots = false});
    if (index == nullptr) return {};
    live(*index);
    const Status closed = index->close();
    EXPECT_TRUE(closed.ok()) << closed.message();
    return read_bytes(segment_path(path(), 1));
  }

 private:
  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string path_ = folder_.file("live");
  Bytes snapshot_;
};

// All that somebody can find in a live index, for comparison to the bit.
struct LiveContents {
  std::vector<Id> ids;
  std::vector<unsigned char> vectors;
  std::vector<Id> rows;
  std::vector<std::string> keys;
  std::vector<std::string> values;

  bool operator==(const LiveContents&) const = default;
};

inline LiveContents contents_of(const LiveIndex& live) {
  LiveContents contents;
  contents.ids = live.ids();
  const std::vector<float> vectors = live.get(contents.ids).value();
  const auto bytes = std::as_bytes(std::span(vectors));
  contents.vectors.resize(bytes.size());
  if (!bytes.empty()) std::memcpy(contents.vectors.data(), bytes.data(), bytes.size());
  const std::shared_ptr<Catalog> catalog = live.catalog();
  contents.rows = catalog->ids();
  contents.keys = catalog->keys(contents.rows).value();
  for (const ColumnSpec& spec : catalog->columns()) {
    const ColumnData column = catalog->take(contents.rows, spec.name).value();
    for (std::size_t row = 0; row < contents.rows.size(); ++row) {
      std::string value = spec.name + " ";
      if (column.is_missing(row)) {
        value += "missing";
      } else if (spec.type == ColumnType::kCategory) {
        value += column.word(row);
      } else if (spec.type == ColumnType::kSet) {
        std::vector<std::string_view> words = column.set(row);
        std::sort(words.begin(), words.end());
        for (const std::string_view word : words) value.append(word).append(";");
      } else if (spec.type == ColumnType::kFloat) {
        value.append(reinterpret_cast<const char*>(&column.reals[row]), sizeof(double));
      } else {
        value += std::to_string(column.numbers[row]);
      }
      contents.values.push_back(std::move(value));
    }
  }
  return contents;
}

}  // namespace segue::test
