// Saving, when everything goes wrong: whichever call fails, the old file is whole, nothing stays behind, no descriptor
// leaks, and the error says which call it was.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iterator>

#include "example_file.hpp"
#include "file/file_reader.hpp"
#include "support/as_nobody.hpp"
#include "support/file_faults.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

mode_t permissions(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

// Larger than the writer's buffer, in pieces on both sides of it, so that there are several writes.
struct LargeFile {
  std::vector<float> vectors = std::vector<float>(std::size_t{700} * 1000, 1.5f);
  FileIdentity identity{"large", Metric::kL2, Storage::kF32, Storage::kAuto, 1000, 700};
  std::vector<SectionToWrite> sections() const {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(vectors));
    return {{"a", 4, bytes.first(400'000), {}},
            {"b", 4, {}, {bytes.first(500'000), bytes.first(700'000), bytes.first(1'200'000)}},
            {"c", 4, bytes, {}}};
  }
};

class SaveFaults : public ::testing::TestWithParam<bool> {
 protected:
  // Saves over an old file, or where none is, with every call failing in turn. How many calls there were.
  std::size_t fail_every_call(int error, bool lasting) {
    const bool over_old = GetParam();
    const ExampleFile old;
    const LargeFile large;
    const TemporaryFolder folder;
    const std::string path = folder.file("index.segue");
    std::size_t calls = 0;
    for (std::size_t n = 0;; ++n) {
      fs::remove(path);
      if (over_old) {
        EXPECT_TRUE(write_file(path, old.identity, old.sections()).ok());
      }
      const std::size_t descriptors = open_descriptors();
      Status status;
      bool fired = false;
      std::string call;
      {
        const FaultyCalls faults({.at = n, .error = error, .lasting = lasting});
        status = write_file(path, large.identity, large.sections());
        fired = faults.fired();
        call = faults.failed_call();
        calls = faults.count();
      }
      const std::string context = call + " failing as call " + std::to_string(n) + ": " + status.message();
      EXPECT_EQ(open_descriptors(), descriptors) << context;
      if (!fired) {
        EXPECT_TRUE(status.ok()) << context;
        break;
      }
      // Once renamed, the new file is the file: what fails then is only the promise that it survives a power cut. A
      // close that fails then, of a folder that was only read, says nothing.
      const std::vector<std::string> names = folder.names();
      const bool renamed = fs::exists(path) && fs::file_size(path) > 1'000'000;
      if (renamed) {
        EXPECT_TRUE(FileReader::open(path, true, true).ok()) << context;
        EXPECT_EQ(status.ok(), call == "close") << context;
        if (!status.ok()) {
          EXPECT_NE(status.message().find("fsync of the folder"), std::string::npos) << context;
        }
      } else {
        EXPECT_EQ(status.code(), StatusCode::kIoError) << context;
        EXPECT_NE(status.message().find(call), std::string::npos) << context;
        EXPECT_NE(status.message().find("'" + path + "'"), std::string::npos) << context;
        EXPECT_NE(status.message().find("nothing was changed"), std::string::npos) << context;
        if (error == ENOSPC) {
          EXPECT_NE(status.message().find("No space left"), std::string::npos) << context;
        }
        if (error == ENOSPC && (call == "write" || call == "fsync")) {
          EXPECT_NE(status.message().find("the file needs "), std::string::npos) << context;
        }
        if (over_old) {
          EXPECT_EQ(read_bytes(path), old.bytes()) << context;
        }
      }
      EXPECT_EQ(names, over_old || renamed ? std::vector<std::string>{"index.segue"} : std::vector<std::string>{})
          << context;
      if (n > 1000 || ::testing::Test::HasFailure()) break;
    }
    return calls;
  }
};

TEST_P(SaveFaults, EveryCallFailsOnce) {
  for (const int error : {EIO, ENOSPC}) {
    // lstat, open, 5 writes or more, fsync, close, open of the folder, rename, fsync, close
    EXPECT_GE(fail_every_call(error, false), 12u);
  }
}

TEST_P(SaveFaults, EveryCallFailsFromThenOn) { EXPECT_GE(fail_every_call(EIO, true), 12u); }

INSTANTIATE_TEST_SUITE_P(Targets, SaveFaults, ::testing::Bool(),
                         [](const auto& target) { return target.param ? "OverAnOldFile" : "WhereNoneWas"; });

// Only this order survives a power cut: the bytes are on the disk before the name leads to them, and the name before
// save() says so.
TEST(Save, TheOrderOfCalls) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  for (const bool over_old : {false, true}) {
    const FaultyCalls faults({});
    ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
    std::vector<std::string> expected = {"lstat", "open", "write", "fsync", "close", "open", "rename", "fsync", "close"};
    if (over_old) expected.insert(expected.begin() + 2, "fchmod");
    EXPECT_EQ(faults.calls(), expected);
  }
}

TEST(Save, ShortWritesAndInterruptsChangeNothing) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  for (const std::size_t largest : {1u, 7u, 64u, 1000u}) {
    const FaultyCalls faults({.largest_transfer = largest, .interrupt = true});
    const Status status = write_file(path, example.identity, example.sections());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(faults.bytes_written(), example.bytes().size());
    for (const bool mmap : {false, true}) {
      const Result<FileReader> reader = FileReader::open(path, mmap, true);
      ASSERT_TRUE(reader.ok()) << reader.status().message();
    }
  }
  EXPECT_EQ(read_bytes(path), example.bytes());
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(Save, ReadingFailsAtEveryCall) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  for (const bool mmap : {false, true}) {
    std::size_t failures = 0;
    for (std::size_t n = 0; n < 100; ++n) {
      const std::size_t descriptors = open_descriptors();
      {
        const FaultyCalls faults({.at = n, .error = EIO});
        const Result<FileReader> reader = FileReader::open(path, mmap, true);
        if (!faults.fired()) {
          EXPECT_TRUE(reader.ok());
          break;
        }
        if (faults.failed_call() != "close") {
          ++failures;
          EXPECT_EQ(reader.status().code(), StatusCode::kIoError);
          EXPECT_NE(reader.status().message().find(faults.failed_call() + " failed"), std::string::npos)
              << reader.status().message();
        }
      }
      EXPECT_EQ(open_descriptors(), descriptors);
    }
    EXPECT_EQ(failures, 6u) << "open, fstat, header, table, footer, and mmap or the content";
  }
}

TEST(Save, FileSystemsWithoutMmapAreRead) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  const FaultyCalls faults({.at = 0, .error = ENODEV, .only = "mmap"});
  const Result<FileReader> reader = FileReader::open(path, true, true);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_TRUE(faults.fired());
  EXPECT_EQ(reader->section<std::int64_t>("ids").value()[22], example.ids[22]);
}

// The kernel itself refuses to let the file grow: the nearest to a full disk that needs no rights.
TEST(Save, TheFileMayNotGrow) {
  const ExampleFile old;
  const LargeFile large;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  ASSERT_TRUE(write_file(path, old.identity, old.sections()).ok());
  rlimit former = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &former), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{1000}, rlim_t{1'500'000}, rlim_t{3'000'000}}) {
    const rlimit limit = {bytes, former.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Status status = write_file(path, large.identity, large.sections());
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &former), 0);
    EXPECT_EQ(status.code(), StatusCode::kIoError);
    EXPECT_NE(status.message().find("write failed: File too large"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("the file needs "), std::string::npos) << status.message();
    EXPECT_EQ(read_bytes(path), old.bytes());
    EXPECT_EQ(folder.names(), std::vector<std::string>{"index.segue"});
  }
  std::signal(SIGXFSZ, handler);
}

TEST(Save, AFullDisk) {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "no rights to mount a small disk; TheFileMayNotGrow and SaveFaults stand in";
  }
  const ExampleFile old;
  const LargeFile large;
  const std::string path = folder.file("index.segue");
  EXPECT_TRUE(write_file(path, old.identity, old.sections()).ok());
  const Status status = write_file(path, large.identity, large.sections());
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_NE(status.message().find("write failed: No space left on device"), std::string::npos) << status.message();
  EXPECT_EQ(read_bytes(path), old.bytes());
  EXPECT_EQ(folder.names(), std::vector<std::string>{"index.segue"});
  EXPECT_EQ(::umount(folder.path().c_str()), 0);
}

TEST(Save, NoPermissionToWrite) {
  const ExampleFile old;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  ASSERT_TRUE(write_file(path, old.identity, old.sections()).ok());
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  {
    const AsNobody nobody;
    if (!nobody.effective()) GTEST_SKIP() << "root may write everywhere, and cannot stop being root here";
    const Status status = write_file(path, old.identity, {});
    EXPECT_EQ(status.code(), StatusCode::kIoError);
    EXPECT_NE(status.message().find("open of a new file in '" + folder.path() + "' failed: Permission denied"),
              std::string::npos)
        << status.message();
  }
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(read_bytes(path), old.bytes());
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(Save, TargetsThatAreNoFile) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const auto save = [&](const std::string& path) {
    const Status status = write_file(path, example.identity, example.sections());
    EXPECT_FALSE(status.ok()) << path;
    return status;
  };
  EXPECT_NE(save(folder.path()).message().find("is a directory"), std::string::npos);
  EXPECT_NE(save(folder.path() + "/").message().find("is a directory"), std::string::npos);
  // Root could rename a file over a device.
  EXPECT_NE(save("/dev/null").message().find("is a device"), std::string::npos);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EXPECT_NE(save(folder.file("fifo")).message().find("is a fifo"), std::string::npos);
  EXPECT_EQ(save("").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(save(std::string("a\0b", 3)).code(), StatusCode::kInvalidArgument);
  EXPECT_NE(save(folder.file("none/index.segue")).message().find("No such file or directory"), std::string::npos);
  fs::create_symlink("circle", folder.file("circle"));
  EXPECT_NE(save(folder.file("circle")).message().find("symbolic links"), std::string::npos);
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"circle", "fifo"}));
}

TEST(Save, LinksAreFollowed) {
  const ExampleFile example;
  const TemporaryFolder folder;
  fs::create_directory(folder.file("data"));
  fs::create_directory(folder.file("links"));
  fs::create_symlink("../data/index.segue", folder.file("links/relative"));
  fs::create_symlink(folder.file("links/relative"), folder.file("absolute"));
  const std::string path = folder.file("data/index.segue");
  for (int round = 0; round < 2; ++round) {  // first where the link dangles
    const Status status = write_file(folder.file("absolute"), example.identity, example.sections());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(fs::is_symlink(folder.file("absolute")));
    EXPECT_TRUE(fs::is_symlink(folder.file("links/relative")));
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(path)));
    EXPECT_EQ(read_bytes(path), example.bytes());
    write_all_bytes(path, std::string("old"));
  }
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"absolute", "data", "links"}));
}

TEST(Save, PermissionsAreKeptOrAsTheUmaskSays) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  const mode_t former = ::umask(027);
  EXPECT_TRUE(write_file(path, example.identity, example.sections()).ok());
  EXPECT_EQ(permissions(path), 0640u);
  for (const mode_t mode : {0600u, 0664u, 0444u, 0755u}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_TRUE(write_file(path, example.identity, example.sections()).ok());
    EXPECT_EQ(permissions(path), mode);
  }
  ::umask(former);
}

TEST(Save, RootKeepsTheOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file("index.segue");
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  ASSERT_TRUE(write_file(path, example.identity, example.sections()).ok());
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 65534u);
  EXPECT_EQ(status.st_gid, 65534u);
}

TEST(Save, NamesAsLongAsTheyCanBe) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const std::string path = folder.file(std::string(255, 'x'));
  const Status status = write_file(path, example.identity, example.sections());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(read_bytes(path), example.bytes());
}

TEST(Save, IntoTheFolderOfTheProcess) {
  const ExampleFile example;
  const TemporaryFolder folder;
  const fs::path former = fs::current_path();
  fs::current_path(folder.path());
  const Status status = write_file("index.segue", example.identity, example.sections());
  fs::current_path(former);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"index.segue"});
}

}  // namespace
}  // namespace segue::test
