// Threads that save to one path and others that open it: each sees a whole file.

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <thread>

#include "example_file.hpp"
#include "file/file_reader.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

TEST(SaveThreads, SavingAtTheSameTimeGivesOneOfTheFiles) {
  const TemporaryFolder folder;
  const std::string path = folder.file("example.segue");
  ExampleFile examples[4];
  for (std::int64_t i = 0; i < 4; ++i) examples[i].ids.assign(23, i);
  std::vector<std::thread> threads;
  for (const ExampleFile& example : examples) {
    threads.emplace_back([&path, &example] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(write_file(path, example.identity, example.sections()).ok());
    });
  }
  for (int i = 0; i < 50; ++i) {
    const Result<FileReader> reader = FileReader::open(path, true, true);
    EXPECT_TRUE(reader.ok() || reader.status().code() == StatusCode::kNotFound) << reader.status().message();
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<unsigned char> last = read_bytes(path);
  EXPECT_TRUE(std::any_of(std::begin(examples), std::end(examples),
                          [&](const ExampleFile& example) { return example.bytes() == last; }));
  EXPECT_EQ(folder.names().size(), 1u);
}

}  // namespace
}  // namespace segue::test
