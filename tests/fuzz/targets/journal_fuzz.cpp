// The journal of a live index: one or two segments of anything behind a snapshot, opened, and where it opens, written on.
//
//   byte 0        bits: sums are made right; numbers too; opened to be written, changed, and opened again; salvaged
//   byte 1        the first number of the second segment; 0, 1: there is only one
//   bytes 2, 3    how many bytes the first segment has, if there are two; little endian
//   the rest      the segments
//
// Promises: an error is kCorruptFile. What opens is whole, and the same whoever opens it: readers, a writer (which cuts off a
// torn tail), the next one after it. What is changed then is there later. Salvage always makes something that opens, and of
// what had no damage all.

#include "fuzz/fuzz_require.hpp"
#include "fuzz/journal_directory.hpp"
#include "fuzz/targets/fuzz_target.hpp"
#include "live/records.hpp"

namespace segue::test {
namespace {

constexpr unsigned char kSums = 1, kNumbers = 2, kWriter = 4, kSalvage = 8;
constexpr std::size_t kHead = 4;

JournalDirectory& directory() {
  static JournalDirectory made;
  return made;
}

std::map<std::uint64_t, Bytes> segments_of(std::span<const unsigned char> input) {
  const unsigned char mode = input[0];
  std::map<std::uint64_t, Bytes> segments;
  const auto rest = input.subspan(kHead);
  if (input[1] > 1) {
    const std::size_t first = std::min<std::size_t>(input[2] + std::size_t{256} * input[3], rest.size());
    segments[1].assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(first));
    segments[input[1]].assign(rest.begin() + static_cast<std::ptrdiff_t>(first), rest.end());
  } else {
    segments[1].assign(rest.begin(), rest.end());
  }
  for (auto& [number, segment] : segments) {
    if ((mode & kNumbers) != 0) fix_journal_numbers(segment);
    if ((mode & kSums) != 0) fix_journal_sums(segment);
  }
  return segments;
}

std::unique_ptr<LiveIndex> open_whole(const std::string& path, const LiveOptions& options) {
  Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(path, options);
  if (!live.ok()) {
    EXPECT_EQ(live.status().code(), StatusCode::kCorruptFile) << live.status().message();
    return nullptr;
  }
  EXPECT_TRUE((*live)->validate().ok()) << (*live)->validate().message();
  EXPECT_TRUE((*live)->catalog()->validate().ok()) << (*live)->catalog()->validate().message();
  return std::move(live).value();
}

// Changes what was opened, as if nothing had been the matter with it.
void change(LiveIndex& live) {
  const std::vector<Id> ids = {0, 77, 1'000'003};
  const std::vector<float> x = live_vectors(ids, 9);
  const Status put = live.upsert(MatrixView(x, kLiveDim), ids);
  EXPECT_TRUE(put.ok()) << put.message();
  const Result<std::size_t> removed = live.remove(std::vector<Id>{1, 77});
  EXPECT_TRUE(removed.ok()) << removed.status().message();
  EXPECT_GE(removed.value(), 1U);
  const Result<std::size_t> rows = live.catalog()->remove(std::vector<Id>{0});
  EXPECT_TRUE(rows.ok()) << rows.status().message();
}

void run(std::span<const unsigned char> input) {
  if (input.size() < kHead) return;
  const unsigned char mode = input[0];
  directory().reset(segments_of(input));
  const std::string& path = directory().path();
  const LiveOptions reading = {.read_only = true, .threads = 1};
  const LiveOptions writing = {.durability = Durability::kNever, .snapshots = false, .threads = 1};

  const std::unique_ptr<LiveIndex> read = open_whole(path, reading);
  LiveContents contents;
  if (read != nullptr) contents = contents_of(*read);

  if ((mode & kSalvage) != 0) {
    const std::string to = path + "-saved";
    std::filesystem::remove_all(to);
    const Result<SalvageReport> saved = LiveIndex::salvage(path, to);
    SEGUE_FUZZ_REQUIRE(saved.ok());
    const std::unique_ptr<LiveIndex> opened = open_whole(to, reading);
    SEGUE_FUZZ_REQUIRE(opened != nullptr);
    SEGUE_FUZZ_REQUIRE(opened->size() == saved->items);
    if (read != nullptr && read->open_report().cut_bytes == 0 && read->open_report().notes.empty()) {
      SEGUE_FUZZ_REQUIRE(saved->losses.empty());
      SEGUE_FUZZ_REQUIRE(contents_of(*opened) == contents);
    }
  }
  if ((mode & kWriter) == 0) return;
  std::unique_ptr<LiveIndex> live = open_whole(path, writing);
  SEGUE_FUZZ_REQUIRE((live != nullptr) == (read != nullptr));
  if (live == nullptr) return;
  SEGUE_FUZZ_REQUIRE(contents_of(*live) == contents);
  change(*live);
  contents = contents_of(*live);
  // As if it had been killed here: the journal is read as it lies there now.
  const std::unique_ptr<LiveIndex> beside = open_whole(path, reading);
  SEGUE_FUZZ_REQUIRE(beside != nullptr && contents_of(*beside) == contents);
  live.reset();
  live = open_whole(path, writing);
  SEGUE_FUZZ_REQUIRE(live != nullptr && live->open_report().cut_bytes == 0);
  SEGUE_FUZZ_REQUIRE(contents_of(*live) == contents);
}

Bytes seed_of(unsigned char mode, const Bytes& first, unsigned char number = 0, const Bytes& second = {}) {
  Bytes seed(kHead + first.size() + second.size());
  seed[0] = mode;
  seed[1] = number;
  seed[2] = static_cast<unsigned char>(first.size() % 256);
  seed[3] = static_cast<unsigned char>(first.size() / 256);
  std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), seed.begin() + kHead));
  return seed;
}

void put(LiveIndex& live, const std::vector<Id>& ids) {
  const std::vector<float> x = live_vectors(ids, 1);
  EXPECT_TRUE(live.upsert(MatrixView(x, kLiveDim), ids).ok());
}

void put_row(LiveIndex& live, Id id) {
  const std::vector row = {ColumnData::integers("n", {id}), ColumnData::sets("market", {{"SE", "DK"}}),
                           ColumnData::categories("kind", {"walk"}), ColumnData::floats("score", {0.25}),
                           ColumnData::booleans("new", {true}, {1}), ColumnData::dates("since", {86'400 * id})};
  const std::vector<std::string> key = {"k" + std::to_string(id)};
  EXPECT_TRUE(live.catalog()->upsert(row, {std::vector<Id>{id}, key}).ok());
}

std::vector<Bytes> seeds() {
  const auto segment_of = [](const std::function<void(LiveIndex&)>& live) { return directory().segment_of(live); };
  const Bytes nothing = segment_of([](LiveIndex&) {});
  const Bytes vectors = segment_of([](LiveIndex& live) {
    put(live, {7, 3});
    EXPECT_TRUE(live.remove(std::vector<Id>{0, 7}).ok());
    put(live, {7});
  });
  const Bytes rows = segment_of([](LiveIndex& live) {
    put_row(live, 4);
    EXPECT_TRUE(live.catalog()->remove(std::vector<Id>{0, 4}).ok());
    put_row(live, 9);
    put(live, {9});
  });
  // A second segment is of a snapshot that was begun and did not come about: the journal goes on in it.
  Bytes second;
  const Bytes first = segment_of([&](LiveIndex& live) {
    put(live, {10});
    put(live, {11});
  });
  directory().reset({});
  {
    const std::string path = segment_path(directory().path(), 3);
    Result<JournalFile> file = JournalFile::create(path, JournalDirectory::kIdentity, 3);
    EXPECT_TRUE(file.ok());
    const std::vector<float> x = live_vectors({12}, 1);
    const std::vector<Id> ids = {12};
    const PutRecord record(MatrixView(x, kLiveDim), ids);
    EXPECT_TRUE(file->append({static_cast<std::uint32_t>(RecordType::kPut), 3, 2}, record.payload()).ok());
    EXPECT_TRUE(file->close().ok());
    second = read_bytes(path);
  }
  Bytes ahead = vectors;  // room allocated ahead by a process that was killed: no mark, and zeros
  ahead.resize(ahead.size() - sizeof(journal_layout::RecordHeader));
  ahead.resize(ahead.size() + 512);
  Bytes torn = rows;
  torn.resize(torn.size() - sizeof(journal_layout::RecordHeader) - 24);
  const std::vector<Bytes> seeds = {
      seed_of(kWriter, nothing),
      seed_of(kWriter | kSalvage, vectors),
      seed_of(kSums | kNumbers | kWriter, vectors),
      seed_of(kSums | kNumbers | kWriter | kSalvage, rows),
      seed_of(kWriter, rows),
      seed_of(kWriter | kSalvage, first, 3, second),
      seed_of(kSums | kNumbers | kWriter, first, 3, second),
      seed_of(kWriter, ahead),
      seed_of(kWriter | kSalvage, torn)};
  for (const Bytes& seed : seeds) {
    directory().reset(segments_of(seed));
    EXPECT_NE(open_whole(directory().path(), {.read_only = true, .threads = 1}), nullptr) << "a seed that does not open";
  }
  return seeds;
}

// Now and then what is done with it; else whole records (one taken away, doubled, put elsewhere, of another kind), or any
// bytes.
Bytes mutate_journal(const Bytes& input, Random& random) {
  if (input.size() < kHead) return input;
  Bytes changed = input;
  if (random.below(8) == 0) {
    changed[0] = static_cast<unsigned char>(random.below(16));
    if (random.below(4) == 0) changed[1] = static_cast<unsigned char>(random.below(12));
    return changed;
  }
  Bytes segment(input.begin() + kHead, input.end());
  std::vector<std::pair<std::size_t, std::size_t>> records;  // offset, bytes
  for_each_record(segment, [&](std::size_t at, const journal_layout::RecordHeader& record) {
    records.emplace_back(at, sizeof(record) + static_cast<std::size_t>(record.bytes));
  });
  if (records.empty() || random.below(2) == 0) {
    if (!segment.empty()) segment = mutate(segment, random);
  } else {
    const auto [at, bytes] = records[random.below(records.size())];
    const auto begin = segment.begin() + static_cast<std::ptrdiff_t>(at);
    const Bytes record(begin, begin + static_cast<std::ptrdiff_t>(bytes));
    const std::size_t kind = random.below(4);
    if (kind == 0) {
      segment.erase(begin, begin + static_cast<std::ptrdiff_t>(bytes));
    } else if (kind == 1) {
      const std::size_t to = records[random.below(records.size())].first;
      segment.insert(segment.begin() + static_cast<std::ptrdiff_t>(to), record.begin(), record.end());
    } else if (kind == 2) {
      segment[at + offsetof(journal_layout::RecordHeader, type)] = static_cast<unsigned char>(random.below(8));
    } else {
      // A number of the payload: counts, lengths, ids.
      const std::size_t words = (bytes - sizeof(journal_layout::RecordHeader)) / 8;
      if (words != 0) {
        const std::uint64_t numbers[] = {0, 1, 2, 5, 12, 13, 0x7fffffffffffffffU, ~std::uint64_t{0}, random.next()};
        const std::uint64_t number = numbers[random.below(9)];
        std::memcpy(&segment[at + sizeof(journal_layout::RecordHeader) + 8 * random.below(words)], &number, 8);
      }
    }
  }
  changed.resize(kHead);
  changed.insert(changed.end(), segment.begin(), segment.end());
  return changed;
}

}  // namespace

const FuzzTarget& fuzz_target() {
  static const FuzzTarget target = {"journal", run, seeds, mutate_journal};
  return target;
}

}  // namespace segue::test
