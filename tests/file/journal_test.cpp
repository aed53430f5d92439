#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <vector>

#include "file/journal_file.hpp"
#include "file/journal_reader.hpp"
#include "file/source.hpp"
#include "support/file_faults.hpp"
#include "support/file_mutations.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kIdentity = 0x1234'5678'9abc'def1;

std::vector<std::byte> payload_of(std::uint64_t sequence, std::size_t words) {
  std::vector<std::uint64_t> numbers(words);
  std::iota(numbers.begin(), numbers.end(), sequence * 1000);
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

Status append(JournalFile& file, std::uint64_t sequence, std::uint64_t synced, std::size_t words) {
  const std::vector<std::byte> payload = payload_of(sequence, words);
  const std::size_t half = words / 2 * 8;
  const std::span<const std::byte> pieces[] = {std::span(payload).first(half), std::span(payload).subspan(half)};
  return file.append({2, sequence, synced}, pieces);
}

struct Read {
  std::vector<std::uint64_t> sequences;
  JournalReader::Step end = JournalReader::Step::kEnd;
  std::uint64_t offset = 0;
};

Read read_all(JournalReader& reader) {
  Read read;
  for (;;) {
    const Result<JournalReader::Step> step = reader.next();
    EXPECT_TRUE(step.ok()) << step.status().message();
    if (!step.ok() || *step != JournalReader::Step::kRecord) {
      if (step.ok()) read.end = *step;
      read.offset = reader.offset();
      return read;
    }
    read.sequences.push_back(reader.record().sequence);
  }
}

class JournalFiles : public testing::Test {
 protected:
  // Record i has i words.
  JournalFile write(std::uint64_t records, bool synced) {
    Result<JournalFile> file = JournalFile::create(path_, kIdentity, 1);
    EXPECT_TRUE(file.ok()) << file.status().message();
    for (std::uint64_t i = 1; i <= records; ++i) EXPECT_TRUE(append(*file, i, synced ? i - 1 : 0, i).ok());
    return std::move(file).value();
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("journal");
};

TEST_F(JournalFiles, WhatWasWrittenIsRead) {
  Result<JournalFile> file = JournalFile::create(path_, kIdentity, 7);
  ASSERT_TRUE(file.ok());
  const std::vector<std::size_t> words = {0, 1, 2, 1000, 200'000, 3, 500'000, 1};
  for (std::size_t i = 0; i < words.size(); ++i) ASSERT_TRUE(append(*file, 7 + i, i, words[i]).ok());
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(std::filesystem::file_size(path_), file->size());
  EXPECT_EQ(JournalFile::create(path_, kIdentity, 7).status().code(), StatusCode::kIoError);

  const Result<FileSource> source = FileSource::open(path_);
  Result<JournalReader> reader = JournalReader::open(*source);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->identity(), kIdentity);
  EXPECT_EQ(reader->first_sequence(), 7u);
  for (std::size_t i = 0; i < words.size(); ++i) {
    ASSERT_EQ(reader->next().value(), JournalReader::Step::kRecord) << i;
    const JournalRecord& record = reader->record();
    EXPECT_EQ(record.sequence, 7 + i);
    EXPECT_EQ(record.synced, i);
    EXPECT_EQ(record.type, 2u);
    const std::vector<std::byte> expected = payload_of(7 + i, words[i]);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), record.payload.begin(), record.payload.end()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(record.payload.data()) % 8, 0u);
  }
  EXPECT_EQ(reader->next().value(), JournalReader::Step::kEnd);
  EXPECT_EQ(reader->due(), 7 + words.size());
}

// Wherever it ends, it is read up to the last whole record.
TEST_F(JournalFiles, CutAtEveryByte) {
  write(6, true);
  const std::vector<unsigned char> whole = read_bytes(path_);
  for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    const MemorySource source(std::as_bytes(std::span(whole).first(bytes)));
    Result<JournalReader> reader = JournalReader::open(source);
    ASSERT_EQ(reader.ok(), bytes >= 64) << bytes;
    if (!reader.ok()) {
      EXPECT_EQ(reader.status().code(), StatusCode::kCorruptFile);
      continue;
    }
    const Read read = read_all(*reader);
    std::size_t end = 64;
    std::size_t records = 0;
    while (records < 6 && end + 40 + 8 * (records + 1) <= bytes) end += 40 + 8 * ++records;
    EXPECT_EQ(read.sequences.size(), records) << bytes;
    EXPECT_EQ(read.offset, end) << bytes;
    EXPECT_EQ(read.end == JournalReader::Step::kEnd, end == bytes) << bytes;
    bool gave_up = true;
    EXPECT_FALSE(reader->find_whole(0, gave_up)->has_value());
    EXPECT_FALSE(gave_up);
  }
}

// A changed byte is always seen, and what comes behind it says whether it was durable.
TEST_F(JournalFiles, EveryByteChanged) {
  for (const bool synced : {true, false}) {
    std::filesystem::remove(path_);
    write(6, synced);
    const std::vector<unsigned char> whole = read_bytes(path_);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::vector<unsigned char> bytes = whole;
      bytes[at] ^= 0x40;
      const MemorySource source(std::as_bytes(std::span(bytes)));
      Result<JournalReader> reader = JournalReader::open(source);
      ASSERT_EQ(reader.ok(), at >= 64) << at;
      if (at < 64) reader = JournalReader::assume(source, kIdentity, 1);
      const Read read = read_all(*reader);
      if (at < 64) {
        EXPECT_EQ(read.sequences.size(), 6u);
        continue;
      }
      std::size_t damaged = 1;
      for (std::size_t end = 64; end + 40 + 8 * damaged <= at; ++damaged) end += 40 + 8 * damaged;
      ASSERT_EQ(read.sequences.size(), damaged - 1) << at;
      EXPECT_EQ(read.end, JournalReader::Step::kDamage);
      bool gave_up = true;
      // The record two later was written when this one was durable.
      const auto durable = reader->find_whole(damaged, gave_up);
      EXPECT_EQ(durable->has_value(), synced && damaged < 6) << at;
      const auto any = reader->find_whole(0, gave_up);
      ASSERT_EQ(any->has_value(), damaged < 6);
      EXPECT_FALSE(gave_up);
      if (!any->has_value()) continue;
      EXPECT_EQ((*any)->sequence, damaged + 1);
      reader->resume_at(**any);
      EXPECT_EQ(read_all(*reader).sequences.size(), 6 - damaged);
    }
  }
}

TEST_F(JournalFiles, RecordsOfAnotherJournalAreNone) {
  write(3, true);
  const Result<FileSource> source = FileSource::open(path_);
  JournalReader reader = JournalReader::assume(*source, kIdentity + 1, 1);
  EXPECT_EQ(reader.next().value(), JournalReader::Step::kDamage);
}

// Headers that look right everywhere, each of a record as long as the file: summing them all would take for ever.
TEST_F(JournalFiles, LookingForWholeRecordsEnds) {
  JournalFile file = write(1, true);
  constexpr std::size_t kBytes = std::size_t{4} << 20;
  std::vector<unsigned char> bytes = read_bytes(path_);
  bytes.resize(bytes.size() + kBytes);
  for (std::size_t at = 112; at + 48 <= bytes.size(); at += 48) {
    journal_layout::RecordHeader header = {};
    header.marker = journal_layout::kMarker;
    header.type = 2;
    header.sequence = 1000;
    header.synced = 1000;
    header.bytes = (bytes.size() - at - 40) / 8 * 8;
    std::memcpy(bytes.data() + at, &header, sizeof(header));
  }
  const MemorySource source(std::as_bytes(std::span(bytes)));
  Result<JournalReader> reader = JournalReader::open(source);
  EXPECT_EQ(read_all(*reader).sequences.size(), 1u);
  bool gave_up = false;
  EXPECT_FALSE(reader->find_whole(2, gave_up)->has_value());
  EXPECT_TRUE(gave_up);
}

// Whatever fails, what is in the file afterwards is whole records, and the next goes after them.
TEST_F(JournalFiles, EveryCallFails) {
  for (const int error : {EIO, ENOSPC}) {
    for (const std::size_t largest : {std::size_t{0}, std::size_t{24}}) {
      for (std::size_t n = 0;; ++n) {
        std::filesystem::remove(path_);
        JournalFile file = write(2, true);
        Status status;
        bool fired = false;
        {
          const FaultyCalls faults({.at = n, .error = error, .largest_transfer = largest});
          status = append(file, 3, 2, 40'000);
          fired = faults.fired();
        }
        if (!fired) {
          EXPECT_TRUE(status.ok());
          break;
        }
        EXPECT_EQ(status.code(), StatusCode::kIoError);
        EXPECT_NE(status.message().find("pwrite"), std::string::npos) << status.message();
        EXPECT_EQ(std::filesystem::file_size(path_), file.size());
        EXPECT_EQ(file.size(), 64u + 40 + 8 + 40 + 16);
        ASSERT_TRUE(append(file, 3, 2, 1).ok());
        const Result<FileSource> source = FileSource::open(path_);
        Result<JournalReader> reader = JournalReader::open(*source);
        const Read read = read_all(*reader);
        EXPECT_EQ(read.sequences.size(), 3u);
        EXPECT_EQ(read.end, JournalReader::Step::kEnd);
        if (n > 30) break;  // of very many alike
      }
    }
  }
}

// A record that could not be cut off is cut off before the next is written; as long as that fails, so does the next.
TEST_F(JournalFiles, WhatCannotBeCutOffStopsTheNext) {
  JournalFile file = write(2, true);
  {
    const FaultyCalls faults({.at = 1, .error = EIO, .lasting = true, .largest_transfer = 24});
    EXPECT_EQ(append(file, 3, 2, 10).code(), StatusCode::kIoError);
    EXPECT_NE(append(file, 3, 2, 10).message().find("ftruncate"), std::string::npos);
  }
  EXPECT_GT(std::filesystem::file_size(path_), file.size());
  ASSERT_TRUE(append(file, 3, 2, 1).ok());
  EXPECT_EQ(std::filesystem::file_size(path_), file.size());
}

}  // namespace
}  // namespace segue::test
