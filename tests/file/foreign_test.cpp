// What is not a Segue file, or not a file, is refused at once and called what it is.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "example_file.hpp"
#include "file/file_reader.hpp"
#include "segue/file.hpp"
#include "support/as_nobody.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

using namespace std::string_literals;

// The same from every way in.
Status open_status(const std::string& path) {
  const Status status = FileReader::open(path, true, true).status();
  EXPECT_FALSE(status.ok()) << path;
  for (const bool mmap : {false, true}) {
    const Status other = FileReader::open(path, mmap, false).status();
    EXPECT_EQ(other.code(), status.code());
    EXPECT_EQ(other.message(), status.message());
  }
  EXPECT_EQ(inspect(path).status().message(), status.message());
  return status;
}

void expect(const Status& status, StatusCode code, const std::string& part) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message() << "\nexpected in it: " << part;
}

TEST(FileForeign, ContentsOfOtherKinds) {
  const TemporaryFolder folder;
  const std::string path = folder.file("what.segue");
  std::string hnswlib(128, '\0');
  const std::uint64_t fields[6] = {0, 1000, 900, 652, 644, 132};
  std::memcpy(hnswlib.data(), fields, sizeof(fields));
  const std::pair<std::string, std::string> kinds[] = {
      {"", "the file is empty"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "a git-lfs pointer"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') + "\nsize 1073741824\n",
       "git lfs pull"},
      {"\x93NUMPY\x01\x00v\x00"s + std::string(200, ' '), "a numpy array"},
      {"PK\x03\x04"s + std::string(200, 'x'), "a zip archive"},
      {"PAR1"s + std::string(200, 'x'), "a Parquet table"},
      {"\x1f\x8b\x08"s + std::string(200, 'x'), "gzip"},
      {"\x28\xb5\x2f\xfd"s + std::string(200, 'x'), "zstd"},
      {"IHNf"s + std::string(200, 'x'), "an index of FAISS"},
      {"IxF2"s + std::string(200, 'x'), "an index of FAISS"},
      {"\x80\x04\x95"s + std::string(200, 'x'), "a Python pickle"},
      {"SQLite format 3\0"s + std::string(200, 'x'), "an SQLite database"},
      {"<!DOCTYPE html><html>" + std::string(200, 'x'), "an HTML page"},
      {hnswlib, "an index of hnswlib"},
      {std::string(300, '\0'), "zeros"},
      {"tracks", "something of 6 bytes"},
      {std::string(5000, 'x'), "of a kind that is not known here"},
      {"\x89SEGUE\n\x01\x00\x00\x00"s + std::string(200, 'x'), "transferred as text"},
      {"\x89SEGUE\r\n"s, "truncated: the file is 8 bytes"},
  };
  for (const auto& [content, part] : kinds) {
    write_all_bytes(path, content);
    const Status status = open_status(path);
    expect(status, StatusCode::kCorruptFile, part);
    EXPECT_TRUE(status.message().starts_with("'" + path + "': ")) << status.message();
  }
}

TEST(FileForeign, MissingFiles) {
  const TemporaryFolder folder;
  expect(open_status(folder.file("none.segue")), StatusCode::kNotFound, "no such file");
  expect(open_status(""), StatusCode::kNotFound, "no such file");
  std::filesystem::create_symlink("nowhere", folder.file("dangling.segue"));
  expect(open_status(folder.file("dangling.segue")), StatusCode::kNotFound, "no such file");
  expect(open_status("a\0b"s), StatusCode::kInvalidArgument, "zero byte");
}

TEST(FileForeign, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  const TemporaryFolder folder;
  expect(open_status(folder.path()), StatusCode::kIoError, "is a directory");
  expect(open_status("/dev/null"), StatusCode::kIoError, "is a device");
  expect(open_status("/dev/zero"), StatusCode::kIoError, "is a device");
  // Nobody writes to it: opening it the plain way would hang.
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  expect(open_status(folder.file("fifo")), StatusCode::kIoError, "is a fifo");

  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = folder.file("s");
  if (listener >= 0 && path.size() < sizeof(address.sun_path)) {
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    expect(open_status(path), StatusCode::kIoError, "open failed");
  }
  ::close(listener);

  write_all_bytes(folder.file("plain"), "x"s);
  expect(open_status(folder.file("plain") + "/index.segue"), StatusCode::kIoError, "open failed");
}

TEST(FileForeign, NoPermissionToRead) {
  const TemporaryFolder folder;
  const ExampleFile example;
  const std::string path = folder.file("secret.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0711), 0);
  const AsNobody nobody;
  if (!nobody.effective()) GTEST_SKIP() << "root may read everything, and cannot stop being root here";
  expect(open_status(path), StatusCode::kIoError, "open failed: Permission denied");
}

}  // namespace
}  // namespace segue::test
