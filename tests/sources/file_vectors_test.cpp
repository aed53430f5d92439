// Vectors in files: what .npy and .fbin say is read as it is, what they cannot say is refused by name.

#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "file/source.hpp"
#include "segue/vector_source.hpp"
#include "sources/file_vectors.hpp"
#include "support/file_mutations.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

std::string npy(const std::string& dictionary, std::string_view data, int version = 1) {
  std::string head = "\x93NUMPY";
  head += static_cast<char>(version);
  head += '\0';
  std::string text = dictionary;
  while ((text.size() + 11) % 64 != 0) text += ' ';
  text += '\n';
  head += static_cast<char>(text.size() % 256);
  head += static_cast<char>(text.size() / 256);
  if (version > 1) head += std::string(2, '\0');
  return head + text + std::string(data);
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class FileVectors : public testing::Test {
 protected:
  std::unique_ptr<VectorSource> open(const std::string& name, const std::string& content) {
    write_all_bytes(folder_.file(name), content);
    Result<std::unique_ptr<VectorSource>> source = open_vectors(folder_.file(name));
    EXPECT_TRUE(source.ok()) << source.status().message();
    return source.ok() ? std::move(source).value() : nullptr;
  }
  void refuses(const std::string& name, const std::string& content, StatusCode code, const std::string& says) {
    write_all_bytes(folder_.file(name), content);
    const Status status = open_vectors(folder_.file(name)).status();
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
  }
  TemporaryFolder folder_;
};

TEST_F(FileVectors, EveryKindOfFloat) {
  const std::vector<float> x = {1, -2, 0.5f, 4, 8, -16};
  const std::vector<double> wide(x.begin(), x.end());
  const std::vector<std::uint16_t> half = {0x3c00, 0xc000, 0x3800, 0x4400, 0x4800, 0xcc00};
  const std::string shape = ", 'fortran_order': False, 'shape': (3, 2), }";
  const std::string fbin = bytes_of(std::vector<std::uint32_t>{3, 2}) + bytes_of(x);
  for (auto& source : {open("a.npy", npy("{'descr': '<f4'" + shape, bytes_of(x))),
                       open("b.npy", npy("{'descr': '<f8'" + shape, bytes_of(wide), 2)),
                       open("c.npy", npy("{'descr': '<f2'" + shape, bytes_of(half), 3)), open("d.fbin", fbin)}) {
    ASSERT_NE(source, nullptr);
    EXPECT_EQ(source->rows(), 3u);
    EXPECT_EQ(source->dim(), 2u);
    std::vector<float> out(6);
    ASSERT_TRUE(source->read(0, 3, out.data()).ok());
    EXPECT_EQ(out, x);
    ASSERT_TRUE(source->read(1, 2, out.data()).ok());
    EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + 4), std::vector<float>(x.begin() + 2, x.end()));
    EXPECT_TRUE(source->read(3, 0, nullptr).ok());
  }
}

TEST_F(FileVectors, WhatIsNoSuchFileIsRefused) {
  const std::string data(24, '\0'), order = ", 'fortran_order': False";
  const auto with = [&](const std::string& descr, const std::string& shape) {
    return npy("{'descr': " + descr + order + ", 'shape': " + shape + "}", data);
  };
  refuses("x.npy", with("'<f4'", "(3, 3)"), StatusCode::kCorruptFile, "3 x 3 numbers of 4 bytes, and has 24");
  refuses("x.npy", with("'<f4'", "(1, 2)"), StatusCode::kCorruptFile, "1 x 2");
  refuses("x.npy", with("'<f4'", "(6,)"), StatusCode::kCorruptFile, "shape (6,), expected (n, d)");
  refuses("x.npy", with("'<f4'", "(1, 2, 3)"), StatusCode::kCorruptFile, "shape (1, 2, 3)");
  refuses("x.npy", with("'<f4'", "(0, 0)"), StatusCode::kCorruptFile, "no numbers");
  refuses("x.npy", with("'<f4'", "(18446744073709551615, 4294967296)"), StatusCode::kCorruptFile, "has 24");
  refuses("x.npy", with("'<f4'", "(99999999999999999999, 2)"), StatusCode::kCorruptFile, "expected (n, d)");
  refuses("x.npy", with("'<i4'", "(3, 2)"), StatusCode::kInvalidArgument, "'<i4'");
  refuses("x.npy", with("'>f4'", "(3, 2)"), StatusCode::kInvalidArgument, "byte order");
  refuses("x.npy", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2)}", data), StatusCode::kInvalidArgument,
          "ascontiguousarray");
  refuses("x.npy", npy("{}", data), StatusCode::kCorruptFile, "expected (n, d)");
  refuses("x.npy", "PK", StatusCode::kCorruptFile, "2 bytes");
  refuses("x.npy", std::string(100, 'x'), StatusCode::kCorruptFile, "does not begin");
  refuses("x.npy", npy("{}", data, 4), StatusCode::kCorruptFile, "version 4");
  refuses("x.fbin", bytes_of(std::vector<std::uint32_t>{3, 2}) + data + "1", StatusCode::kCorruptFile, "3 x 2");
  refuses("x.fbin", bytes_of(std::vector<std::uint32_t>{4294967295u, 4294967295u}), StatusCode::kCorruptFile, "has 0");
  refuses("x.fbin", "abc", StatusCode::kCorruptFile, "3 bytes");
  refuses("x.csv", "1,2", StatusCode::kInvalidArgument, "known are .npy and .fbin");
  EXPECT_EQ(open_vectors(folder_.file("none.npy")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(open_vectors(folder_.path() + "/.npy").status().code(), StatusCode::kNotFound);
}

TEST(Npy, ADamagedHeadNeverCrashes) {
  constexpr std::uint64_t kSeed = 31;
  Random random(kSeed);
  const std::string whole = npy("{'descr': '<f2', 'fortran_order': False, 'shape': (3, 4), }", std::string(24, '\0'));
  std::size_t read = 0;
  for (int round = 0; round < 100000; ++round) {
    std::string bytes = whole;
    for (std::uint64_t changes = 1 + random.next() % 4; changes > 0; --changes) {
      bytes[random.next() % bytes.size()] = static_cast<char>(random.next());
    }
    if (random.next() % 4 == 0) bytes.resize(random.next() % bytes.size());
    // Most lengths are left alone, or nothing else would be looked at.
    if (round % 8 != 0 && bytes.size() > 10) bytes.replace(8, 2, whole, 8, 2);
    const Result<FileMatrix> matrix = parse_npy(MemorySource(std::as_bytes(std::span(bytes))));
    if (!matrix.ok()) continue;
    ++read;
    ASSERT_LE(matrix->offset, bytes.size()) << "seed " << kSeed << ", round " << round;
  }
  EXPECT_GT(read, 1000u);
}

TEST_F(FileVectors, AFileThatShrinksIsNoticed) {
  auto source = open("x.fbin", bytes_of(std::vector<std::uint32_t>{3, 2}) + std::string(24, '\0'));
  write_all_bytes(folder_.file("x.fbin"), std::string(20, '\0'));
  std::vector<float> out(6);
  EXPECT_EQ(source->read(0, 3, out.data()).code(), StatusCode::kCorruptFile);
}

}  // namespace
}  // namespace segue::test
