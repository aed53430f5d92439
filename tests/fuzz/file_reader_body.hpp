#pragma once
// What both the fuzzer and the seeded mutations do with arbitrary bytes: open them in every way, touch all that the
// reader hands out, and hold it to its promises. Ends the program when one is broken, so that a fuzzer sees it.

#include <cstdint>
#include <span>
#include <vector>

#include "file/file_reader.hpp"
#include "file/file_writer.hpp"
#include "fuzz_require.hpp"

namespace segue::test {

struct FileVerdict {
  bool opened = false;    // without verify
  bool verified = false;  // and all sums hold
};

inline FileVerdict exercise_file(std::span<const unsigned char> bytes) {
  FileVerdict verdict;
  const Result<FileReader> reader = FileReader::from_bytes(bytes, false);
  if (!reader.ok()) {
    SEGUE_FUZZ_REQUIRE(reader.status().code() == StatusCode::kCorruptFile);
    SEGUE_FUZZ_REQUIRE(!reader.status().message().empty());
    SEGUE_FUZZ_REQUIRE(!FileReader::from_bytes(bytes, true).ok());
    return verdict;
  }
  verdict.opened = true;
  const ParsedFile& file = reader->parsed();
  SEGUE_FUZZ_REQUIRE(file.bytes == bytes.size());
  SEGUE_FUZZ_REQUIRE(file.identity.dim >= 1 && file.identity.dim <= layout::kMaxDim);
  SEGUE_FUZZ_REQUIRE(file.identity.size <= file.bytes);
  SEGUE_FUZZ_REQUIRE(file.identity.metric <= Metric::kCosine && file.identity.storage <= Storage::kRabitq8);

  unsigned touched = 0;
  std::uint64_t end = 0;
  std::vector<SectionToWrite> sections;
  for (const ParsedSection& section : file.sections) {
    SEGUE_FUZZ_REQUIRE(reader->has(section.name));
    SEGUE_FUZZ_REQUIRE(section.offset >= end && section.bytes <= file.bytes - section.offset);
    end = section.offset + section.bytes;
    // As a caller reads it, with whichever element size fits, and as bytes.
    const auto walk = [&](const auto& span) {
      if (!span.ok()) {
        SEGUE_FUZZ_REQUIRE(span.status().code() == StatusCode::kCorruptFile);
        return;
      }
      SEGUE_FUZZ_REQUIRE(span->size_bytes() == section.bytes);
      for (auto& element : *span) {
        touched += static_cast<unsigned>(element);
        element = {};  // writable
      }
    };
    sections.push_back({section.name, static_cast<std::size_t>(section.element_size),
                        std::as_bytes(bytes.subspan(static_cast<std::size_t>(section.offset),
                                                    static_cast<std::size_t>(section.bytes))),
                        {}});
    walk(reader->section<unsigned char>(section.name));
    walk(reader->section<std::uint16_t>(section.name));
    walk(reader->section<std::uint32_t>(section.name));
    walk(reader->section<std::uint64_t>(section.name));
    walk(reader->section<std::uint32_t>(section.name, static_cast<std::size_t>(file.identity.size),
                                        static_cast<std::size_t>(file.identity.dim)));
  }
  static volatile unsigned sink;
  sink = touched;
  (void)sink;

  const Result<FileReader> strict = FileReader::from_bytes(bytes, true);
  verdict.verified = strict.ok();
  SEGUE_FUZZ_REQUIRE(strict.ok() || strict.status().code() == StatusCode::kCorruptFile);
  // What verifies can be written again, and says the same.
  const Result<std::vector<unsigned char>> again = write_bytes(file.identity, sections);
  SEGUE_FUZZ_REQUIRE(again.ok() || again.status().code() == StatusCode::kInvalidArgument);
  if (strict.ok() && again.ok()) {
    const Result<FileReader> reread = FileReader::from_bytes(*again, true);
    SEGUE_FUZZ_REQUIRE(reread.ok());
    SEGUE_FUZZ_REQUIRE(reread->identity() == file.identity);
  }
  return verdict;
}

}  // namespace segue::test
