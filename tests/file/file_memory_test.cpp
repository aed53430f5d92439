// What an index lets go of while it goes on using the rest of its file.

#include "file/file_memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "file/source.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

std::shared_ptr<FileMemory> read_file(const std::string& path) {
  const Result<FileSource> source = FileSource::open(path);
  EXPECT_TRUE(source.ok()) << source.status().message();
  return FileMemory::read(*source).value();
}

TEST(FileMemory, WholePagesOfALoanGoBackAndNothingElse) {
  const TemporaryFolder folder;
  const std::string path = folder.file("bytes");
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (const std::size_t pages : {std::size_t{8}, (std::size_t{4} << 20) / page}) {  // small, and with huge pages
    const std::size_t size = pages * page;
    write_all_bytes(path, std::vector<unsigned char>(size, 0xab));
    const std::shared_ptr<FileMemory> memory = read_file(path);
    const auto all = std::span<const std::byte>(memory->data(), size);
    std::shared_ptr<void> before = FileMemory::lend(memory, all.first(2 * page + 100));
    std::shared_ptr<void> loan = FileMemory::lend(memory, all.subspan(2 * page + 100, 3 * page));
    const std::shared_ptr<void> none = FileMemory::lend(memory, all.subspan(6 * page + 8, page - 16));
    std::shared_ptr<void> another = loan;
    loan.reset();
    EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](std::byte b) { return b == std::byte{0xab}; }));
    another.reset();
    const auto gone = [&](std::size_t i) { return i >= 3 * page && i < 5 * page; };
    for (std::size_t i = 0; i < size; ++i) {
      const std::byte wanted = gone(i) ? std::byte{0} : std::byte{0xab};
      if (gone(i) && memory->data()[i] == std::byte{0xab}) GTEST_SKIP() << "this system takes its time";
      ASSERT_EQ(memory->data()[i], wanted) << i;
    }
    before.reset();
    EXPECT_EQ(memory->data()[2 * page - 1], std::byte{0});
    EXPECT_EQ(memory->data()[2 * page], std::byte{0xab});
  }
}

// The last holder may be a loan.
TEST(FileMemory, ALoanKeepsTheMemory) {
  const TemporaryFolder folder;
  write_all_bytes(folder.file("bytes"), std::vector<unsigned char>(100'000, 7));
  std::shared_ptr<FileMemory> memory = read_file(folder.file("bytes"));
  const std::byte* const data = memory->data();
  const std::shared_ptr<void> loan = FileMemory::lend(memory, {data, 100'000});
  memory.reset();
  EXPECT_TRUE(std::all_of(data, data + 100'000, [](std::byte b) { return b == std::byte{7}; }));
}

#ifdef __linux__
// Kilobytes that no file has, or 0.
std::size_t anonymous() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kilobytes = 0;
    if (word == "RssAnon:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

// It was twice the file: its bytes as they were read, and copies of all arrays, as soon as one item was added.
TEST(FileMemory, AnIndexThatGrowsHoldsNothingTwice) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory is not that of the index";
  constexpr std::size_t kDim = 256;
  constexpr std::size_t kItems = 40'000;
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  {
    const std::unique_ptr<Index> index = FlatIndex::create(kDim, Metric::kL2, {.storage = Storage::kF32}).value();
    std::vector<float> rows(kItems * kDim);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i * 7919 % 1009);
    ASSERT_TRUE(index->add(MatrixView(rows, kDim)).ok());
    ASSERT_TRUE(index->save(folder.file("index.segue")).ok());
  }
  if (anonymous() == 0) GTEST_SKIP() << "this system does not say";
  const std::size_t none = anonymous();
  const std::unique_ptr<Index> index = load(folder.file("index.segue"), {.mmap = false}).value();
  const auto loaded = static_cast<double>(anonymous() - none);
  ASSERT_GT(loaded, 40e3);
  const std::vector<float> x(kDim, 1.0F);
  ASSERT_TRUE(index->add(MatrixView(x, kDim), std::vector<Id>{1'000'000}).ok());
  const auto grown = static_cast<double>(anonymous() - none);
  EXPECT_LT(grown, 1.2 * loaded) << loaded << " kB before";
  EXPECT_EQ(index->get(std::vector<Id>{1'000'000}).value(), x);
  const Status valid = index->validate();
  EXPECT_TRUE(valid.ok()) << valid.message();
}
#endif

}  // namespace
}  // namespace segue::test
