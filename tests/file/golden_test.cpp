// Files that released versions wrote stay readable, and today's writer still writes them byte for byte. A golden file
// is never made anew: a format that cannot say it is another format version, with a golden file of its own.

#include <gtest/gtest.h>

#include <algorithm>

#include "example_file.hpp"
#include "file/file_reader.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

TEST(FileGolden, Version1Container) {
  const std::string path = SEGUE_TESTS_DIR "/file/golden/v1_container.segue";
  const ExampleFile example;
  const Result<FileReader> reader = FileReader::open(path, true, true);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(reader->parsed().format_version, 1u);
  EXPECT_EQ(reader->identity(), example.identity);
  const auto same = [](const auto& section, const auto& expected) {
    return section.ok() && std::equal(section->begin(), section->end(), expected.begin(), expected.end());
  };
  EXPECT_TRUE(same(reader->section<float>("vectors"), example.vectors));
  EXPECT_TRUE(same(reader->section<std::int64_t>("ids"), example.ids));
  EXPECT_TRUE(same(reader->section<unsigned char>("odd"), example.odd));
  EXPECT_TRUE(same(reader->section<std::uint32_t>("links"), example.links));
  EXPECT_EQ(read_bytes(path), example.bytes());
}

}  // namespace
}  // namespace segue::test
