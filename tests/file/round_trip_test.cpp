// What is written is read again, from a file and from memory, mapped and copied, and always as the same bytes.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "example_file.hpp"
#include "file/checksum.hpp"
#include "file/file_reader.hpp"
#include "file/file_writer.hpp"
#include "segue/file.hpp"
#include "support/file_mutations.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

template <class T>
std::vector<T> copy(const Result<std::span<T>>& section) {
  EXPECT_TRUE(section.ok()) << section.status().message();
  return section.ok() ? std::vector<T>(section->begin(), section->end()) : std::vector<T>();
}

void expect_example(const FileReader& reader, const ExampleFile& example) {
  EXPECT_EQ(reader.identity(), example.identity);
  EXPECT_EQ(copy(reader.section<float>("vectors", 23, 17)), example.vectors);
  EXPECT_EQ(copy(reader.section<std::int64_t>("ids", 23)), example.ids);
  EXPECT_EQ(copy(reader.section<std::uint32_t>("empty", 0)).size(), 0u);
  EXPECT_EQ(copy(reader.section<unsigned char>("odd")), example.odd);
  EXPECT_EQ(copy(reader.section<std::uint32_t>("links")), example.links);
  EXPECT_TRUE(reader.has("ids"));
  EXPECT_FALSE(reader.has("id"));
  EXPECT_TRUE(reader.verify().ok());
}

TEST(FileRoundTrip, EveryWayOfOpening) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("example.segue");
  const Status written = write_file(path, example.identity, example.sections());
  ASSERT_TRUE(written.ok()) << written.message();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"example.segue"});
  EXPECT_EQ(read_bytes(path), example.bytes());

  for (const bool verify : {false, true}) {
    for (const bool mmap : {false, true}) {
      const Result<FileReader> reader = FileReader::open(path, mmap, verify);
      ASSERT_TRUE(reader.ok()) << reader.status().message();
      expect_example(*reader, example);
    }
    const Result<FileReader> reader = FileReader::from_bytes(example.bytes(), verify);
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    expect_example(*reader, example);
  }
}

TEST(FileRoundTrip, SectionsOfEverySizeAroundTheAlignments) {
  std::vector<unsigned char> content(layout::kPageAlignedFrom + 200);
  Random random(5);
  for (unsigned char& byte : content) byte = static_cast<unsigned char>(random.next() >> 56);
  const FileIdentity identity{"sizes", Metric::kL2, Storage::kF32, Storage::kAuto, 1, 0};
  for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 127u, 128u, 4095u, 4096u, 4097u, 65535u, 65536u, 65537u}) {
    const auto bytes = std::as_bytes(std::span(content)).first(size);
    const SectionToWrite sections[] = {{"a", 1, std::as_bytes(std::span(content)).first(3), {}},
                                       {"b", 1, bytes, {}},
                                       {"c", 1, bytes, {}}};
    const Result<std::vector<unsigned char>> file = write_bytes(identity, sections);
    ASSERT_TRUE(file.ok()) << file.status().message();
    const Result<FileReader> reader = FileReader::from_bytes(*file, true);
    ASSERT_TRUE(reader.ok()) << size << ": " << reader.status().message();
    for (const char* name : {"b", "c"}) {
      const auto section = reader->section<std::byte>(name, size);
      ASSERT_TRUE(section.ok()) << section.status().message();
      EXPECT_TRUE(std::equal(section->begin(), section->end(), bytes.begin(), bytes.end()));
      const std::size_t alignment = size >= layout::kPageAlignedFrom ? layout::kPage : layout::kAlignment;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(section->data()) % alignment, 0u) << size;
    }
  }
}

TEST(FileRoundTrip, NoSectionsAtAll) {
  const FileIdentity identity{"empty", Metric::kL2, Storage::kF32, Storage::kAuto, 3, 0};
  const Result<std::vector<unsigned char>> file = write_bytes(identity, {});
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->size(), layout::kSmallestFile);
  const Result<FileReader> reader = FileReader::from_bytes(*file, true);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(reader->identity(), identity);
}

TEST(FileRoundTrip, WritingToASectionNeverReachesTheFile) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("example.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  for (const bool mmap : {false, true}) {
    const Result<FileReader> reader = FileReader::open(path, mmap, true);
    ASSERT_TRUE(reader.ok());
    const std::span<float> vectors = reader->section<float>("vectors").value();
    std::fill(vectors.begin(), vectors.end(), -1.0f);
    EXPECT_FALSE(reader->verify().ok()) << "the reader's own copy has changed";
  }
  EXPECT_EQ(read_bytes(path), example.bytes());
}

TEST(FileRoundTrip, MemoryOutlivesReaderAndFile) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("example.segue");
  for (const bool mmap : {false, true}) {
    ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
    std::shared_ptr<void> memory;
    std::span<std::int64_t> ids;
    {
      Result<FileReader> reader = FileReader::open(path, mmap, true);
      ASSERT_TRUE(reader.ok());
      const FileReader moved = std::move(*reader);
      memory = moved.memory();
      ids = moved.section<std::int64_t>("ids").value();
    }
    std::filesystem::remove(path);
    EXPECT_TRUE(std::equal(ids.begin(), ids.end(), example.ids.begin(), example.ids.end()));
  }
}

TEST(FileRoundTrip, SavingOverAMappedFileLeavesTheMappingWhole) {
  const ExampleFile example;
  ExampleFile other;
  other.ids.assign(other.ids.size(), 7);
  const TemporaryFolder folder;
  const std::string path = folder.file("example.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  const Result<FileReader> reader = FileReader::open(path, true, false);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(write_file(path, other.identity, other.sections()).ok());
  expect_example(*reader, example);
  EXPECT_EQ(read_bytes(path), other.bytes());
}

TEST(FileRoundTrip, SectionsAreTyped) {
  const Result<FileReader> reader = FileReader::from_bytes(ExampleFile().bytes(), true);
  ASSERT_TRUE(reader.ok());
  const auto message = [](const auto& section) {
    EXPECT_EQ(section.status().code(), StatusCode::kCorruptFile);
    return section.status().message();
  };
  EXPECT_EQ(message(reader->section<float>("vector")), "the given bytes: section 'vector': is missing");
  EXPECT_EQ(message(reader->section<double>("vectors")),
            "the given bytes: section 'vectors': elements of 4 bytes, expected 8");
  EXPECT_EQ(message(reader->section<float>("vectors", 390)),
            "the given bytes: section 'vectors': 391 elements, expected 390");
  EXPECT_NE(message(reader->section<float>("vectors", 22, 17)), "");
  // 2^63 x 2 and (2^64 / 17 + 1) x 17 wrap around to small numbers.
  EXPECT_NE(message(reader->section<std::uint32_t>("empty", std::size_t{1} << 63, 2)), "");
  EXPECT_NE(message(reader->section<float>("vectors", (~std::size_t{0} / 17) + 24, 17)), "");
  EXPECT_TRUE(reader->section<std::uint32_t>("empty", 0, 17).ok());
  EXPECT_TRUE(reader->section<std::uint32_t>("empty", 17, 0).ok());
}

TEST(FileRoundTrip, InspectTellsHeaderAndTable) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("example.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  const Result<FileInfo> info = inspect(path);
  ASSERT_TRUE(info.ok()) << info.status().message();
  EXPECT_EQ(info->format_version, 1u);
  EXPECT_EQ(info->kind, "example");
  EXPECT_EQ(info->metric, Metric::kCosine);
  EXPECT_EQ(info->storage, Storage::kSq8);
  EXPECT_EQ(info->dim, 17u);
  EXPECT_EQ(info->size, 23u);
  EXPECT_EQ(info->bytes, std::filesystem::file_size(path));
  ASSERT_EQ(info->sections.size(), 5u);
  EXPECT_EQ(info->sections[0].name, "vectors");
  EXPECT_EQ(info->sections[0].offset, 448u);
  EXPECT_EQ(info->sections[0].bytes, 23u * 17 * 4);
  EXPECT_EQ(info->sections[0].checksum, checksum_of(std::as_bytes(std::span(example.vectors))));
  EXPECT_EQ(info->sections[4].name, "links");
}

TEST(FileWriter, RefusesWhatTheFormatCannotSay) {
  const ExampleFile example;
  const auto refused = [&](const FileIdentity& identity, std::vector<SectionToWrite> sections) {
    const Result<std::vector<unsigned char>> bytes = write_bytes(identity, sections);
    return !bytes.ok() && bytes.status().code() == StatusCode::kInvalidArgument;
  };
  const std::byte four[4] = {};
  EXPECT_FALSE(refused(example.identity, {{"sixteen_letters_", 1, four, {}}}));
  EXPECT_TRUE(refused(example.identity, {{"seventeen_letters", 1, four, {}}}));
  EXPECT_TRUE(refused(example.identity, {{"", 1, four, {}}}));
  EXPECT_TRUE(refused(example.identity, {{"Upper", 1, four, {}}}));
  EXPECT_TRUE(refused(example.identity, {{"twice", 1, four, {}}, {"twice", 1, four, {}}}));
  EXPECT_TRUE(refused(example.identity, {{"third", 3, four, {}}}));
  EXPECT_TRUE(refused(example.identity, {{"none", 0, four, {}}}));
  const auto with = [&](auto change) {
    FileIdentity identity = example.identity;
    change(identity);
    return identity;
  };
  EXPECT_TRUE(refused(with([](FileIdentity& i) { i.kind = ""; }), {}));
  EXPECT_TRUE(refused(with([](FileIdentity& i) { i.kind = "no spaces"; }), {}));
  EXPECT_TRUE(refused(with([](FileIdentity& i) { i.storage = Storage::kAuto; }), {}));
  EXPECT_TRUE(refused(with([](FileIdentity& i) { i.dim = 0; }), {}));
  EXPECT_TRUE(refused(with([](FileIdentity& i) { i.dim = 65'537; }), {}));
  EXPECT_TRUE(refused(with([](FileIdentity& i) { i.size = 1'000'000; }), {}));
  std::vector<std::string> names;
  for (int i = 0; i < 257; ++i) names.push_back("s" + std::to_string(i));
  std::vector<SectionToWrite> many;
  for (const std::string& name : names) many.push_back({name, 1, four, {}});
  EXPECT_TRUE(refused(example.identity, many));
  many.pop_back();
  EXPECT_FALSE(refused(example.identity, many));
}

TEST(FileChecksum, IsXxh3WithSeed0) {
  // The sum of nothing, as the specification and `xxhsum -H3` give it.
  EXPECT_EQ(checksum_of({}), 0x2d06800538d394c2u);
  std::vector<std::byte> bytes(100'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31);
  Random random(11);
  for (int round = 0; round < 50; ++round) {
    Checksum pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = std::min(bytes.size() - at, random.below(3000));
      pieces.update(std::span(bytes).subspan(at, length));
      at += length;
    }
    EXPECT_EQ(pieces.digest(), checksum_of(bytes));
  }
}

}  // namespace
}  // namespace segue::test
