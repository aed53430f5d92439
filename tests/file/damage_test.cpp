// No byte of a file can go missing or change unnoticed, and what is wrong in a file is said by name.

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "example_file.hpp"
#include "file/file_reader.hpp"
#include "support/file_mutations.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

using layout::Footer;
using layout::Header;
using layout::SectionEntry;

std::string corruption(const Bytes& bytes, bool verify = true) {
  const Result<FileReader> reader = FileReader::from_bytes(bytes, verify);
  EXPECT_FALSE(reader.ok());
  if (reader.ok()) return "opened";
  EXPECT_EQ(reader.status().code(), StatusCode::kCorruptFile);
  const std::string& message = reader.status().message();
  EXPECT_TRUE(message.starts_with("the given bytes: ")) << message;
  return message.substr(std::string_view("the given bytes: ").size());
}

TEST(FileDamage, EveryLengthButTheWholeIsCorrupt) {
  const Bytes file = ExampleFile().bytes();
  const TemporaryFolder folder;
  const std::string path = folder.file("cut.segue");
  for (std::size_t length = 0; length < file.size(); ++length) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
    for (const bool verify : {false, true}) {
      const std::string message = corruption(cut, verify);
      EXPECT_NE(message.find(length == 0 ? "empty" : "truncated"), std::string::npos) << length << ": " << message;
    }
  }
  // Through a file and a mapping the checks are the same; a few lengths show that they are reached.
  for (std::size_t length = 0; length < file.size(); length += 37) {
    write_all_bytes(path, std::span(file).first(length));
    for (const bool mmap : {false, true}) {
      const Result<FileReader> reader = FileReader::open(path, mmap, false);
      ASSERT_FALSE(reader.ok()) << length;
      EXPECT_EQ(reader.status().code(), StatusCode::kCorruptFile);
      EXPECT_NE(reader.status().message().find(path), std::string::npos) << reader.status().message();
    }
  }
}

TEST(FileDamage, TruncationSaysBothLengths) {
  Bytes file = ExampleFile().bytes();
  const std::string whole = std::to_string(file.size());
  file.pop_back();
  EXPECT_EQ(corruption(file), "truncated: the file is " + std::to_string(file.size()) + " bytes, its header says " +
                                  whole + "; copy it again");
  file.resize(file.size() + 2);
  EXPECT_TRUE(corruption(file).starts_with("bytes after the end: "));
}

TEST(FileDamage, EveryFlippedBitIsCorrupt) {
  const Bytes file = ExampleFile().bytes();
  Bytes damaged = file;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      damaged[i] = static_cast<unsigned char>(file[i] ^ (1u << bit));
      const Result<FileReader> reader = FileReader::from_bytes(damaged, true);
      ASSERT_FALSE(reader.ok()) << "bit " << bit << " of byte " << i;
      ASSERT_EQ(reader.status().code(), StatusCode::kCorruptFile) << reader.status().message();
    }
    damaged[i] = file[i];
  }
}

TEST(FileDamage, TheDamagedSectionIsNamed) {
  const Bytes file = ExampleFile().bytes();
  const Result<FileReader> reader = FileReader::from_bytes(file, true);
  ASSERT_TRUE(reader.ok());
  std::size_t end = sizeof(Header) + 5 * sizeof(SectionEntry);
  for (const ParsedSection& section : reader->parsed().sections) {
    const std::string named = "section '" + section.name + "': ";
    for (std::size_t i = end; i < section.offset; ++i) {
      Bytes damaged = file;
      damaged[i] = 1;
      EXPECT_TRUE(corruption(damaged).starts_with(named + "the padding before it is not zero")) << i;
      EXPECT_TRUE(FileReader::from_bytes(damaged, false).ok()) << "sections are not read without verify";
    }
    end = section.offset + section.bytes;
    if (section.bytes == 0) continue;
    Bytes damaged = file;
    damaged[end - 1] ^= 0x80;
    EXPECT_TRUE(corruption(damaged).starts_with(named + "checksum ")) << corruption(damaged);
  }
  Bytes damaged = file;
  damaged[sizeof(Header) + 30] ^= 1;
  EXPECT_TRUE(corruption(damaged, false).starts_with("section table: the checksum does not match"));
  damaged = file;
  damaged[60] ^= 1;
  EXPECT_TRUE(corruption(damaged, false).starts_with("header: the checksum does not match"));
  damaged = file;
  damaged[file.size() - sizeof(Footer)] ^= 1;
  EXPECT_TRUE(corruption(damaged, false).starts_with("footer: "));
}

// Files with valid checksums whose header or table makes no sense: only somebody who writes the format could make them.
struct Malformed {
  const char* message;  // part of it
  std::function<void(Header&, SectionEntry*)> change;
};

TEST(FileDamage, TablesThatMakeNoSense) {
  const Malformed cases[] = {
      {"header: the header's size", [](Header& h, SectionEntry*) { h.header_bytes = 64; }},
      {"header: a table entry's size", [](Header& h, SectionEntry*) { h.section_entry_bytes = 0; }},
      {"header: 257 sections", [](Header& h, SectionEntry*) { h.section_count = 257; }},
      {"header: 4294967295 sections", [](Header& h, SectionEntry*) { h.section_count = 0xffffffff; }},
      {"header: the section table is longer", [](Header& h, SectionEntry*) { h.section_count = 255; }},
      {"header: reserved", [](Header& h, SectionEntry*) { h.zero_a[4] = 1; }},
      {"header: reserved", [](Header& h, SectionEntry*) { h.zero_b[47] = 1; }},
      {"header: the kind", [](Header& h, SectionEntry*) { h.kind[0] = 0; }},
      {"header: the kind", [](Header& h, SectionEntry*) { h.kind[3] = ' '; }},
      {"header: the kind", [](Header& h, SectionEntry*) { h.kind[15] = 'x'; }},
      {"header: unknown metric 3", [](Header& h, SectionEntry*) { h.metric = 3; }},
      {"header: unknown storage 0", [](Header& h, SectionEntry*) { h.storage = 0; }},
      {"header: unknown storage 15", [](Header& h, SectionEntry*) { h.storage = 15; }},
      {"header: unknown rerank storage 255", [](Header& h, SectionEntry*) { h.rerank = 255; }},
      {"header: dimension 0", [](Header& h, SectionEntry*) { h.dim = 0; }},
      {"header: dimension 65537", [](Header& h, SectionEntry*) { h.dim = 65537; }},
      {"header: more items", [](Header& h, SectionEntry*) { h.size = std::uint64_t{1} << 40; }},
      {"section table: entry 1 has no proper name", [](Header&, SectionEntry* t) { t[1].name[0] = 0; }},
      {"section table: entry 1 has no proper name", [](Header&, SectionEntry* t) { t[1].name[14] = 'x'; }},
      {"section 'ids': occurs twice", [](Header&, SectionEntry* t) { std::memcpy(t[3].name, t[1].name, 16); }},
      {"section 'ids': reserved", [](Header&, SectionEntry* t) { t[1].zero[15] = 1; }},
      {"section 'ids': 184 bytes are no whole", [](Header&, SectionEntry* t) { t[1].element_size = 0; }},
      {"section 'ids': 184 bytes are no whole", [](Header&, SectionEntry* t) { t[1].element_size = 9; }},
      {"section 'ids': not aligned", [](Header&, SectionEntry* t) { t[1].offset += 8; }},
      {"section 'ids': overlaps", [](Header&, SectionEntry* t) { t[1].offset -= 64; }},
      {"section 'ids': overlaps", [](Header&, SectionEntry* t) { t[1].offset = 0; }},
      {"section 'ids': a gap", [](Header&, SectionEntry* t) { t[1].offset += 4096; }},
      {"section 'empty': overlaps", [](Header&, SectionEntry* t) { std::swap(t[4], t[1]); }},
      {"section 'ids': a gap", [](Header&, SectionEntry* t) { t[1].offset = ~std::uint64_t{63}; }},
      {"section 'ids': reaches past", [](Header&, SectionEntry* t) { t[1].bytes = ~std::uint64_t{7}; }},
      {"section 'ids': reaches past", [](Header&, SectionEntry* t) { t[1].bytes = std::uint64_t{1} << 63; }},
      {"section 'links': reaches past", [](Header&, SectionEntry* t) { t[4].bytes += 64; }},
      {"section 'links': reaches past", [](Header&, SectionEntry* t) { t[4].offset += 64; }},
      {"footer: a gap", [](Header&, SectionEntry* t) { t[4].bytes = 0; }},
  };
  const Bytes file = ExampleFile().bytes();
  for (const Malformed& malformed : cases) {
    Bytes damaged = file;
    ASSERT_GT(damaged.size(), sizeof(Header) + 5 * sizeof(SectionEntry));  // GCC 13 warns that it might be empty
    Header header;
    SectionEntry table[5];
    std::memcpy(&header, damaged.data(), sizeof(header));
    std::memcpy(table, damaged.data() + sizeof(header), sizeof(table));
    malformed.change(header, table);
    std::memcpy(damaged.data(), &header, sizeof(header));
    std::memcpy(damaged.data() + sizeof(header), table, sizeof(table));
    fix_checksums(damaged);
    const std::string message = corruption(damaged, false);
    EXPECT_TRUE(message.starts_with(malformed.message)) << message << "\nexpected: " << malformed.message;
  }
}

TEST(FileDamage, OtherFormatVersions) {
  Bytes file = ExampleFile().bytes();
  file[8] = 2;
  EXPECT_TRUE(corruption(file).starts_with("header: format version 2; this library reads version 1: update it"));
  file[8] = 0;
  EXPECT_TRUE(corruption(file).starts_with("header: format version 0, which never existed"));
}

}  // namespace
}  // namespace segue::test
