// Whatever goes wrong while lists are built in a file: it is named, the old file stays, nothing else is left.

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "index/vectors.hpp"
#include "segue/build_file.hpp"
#include "segue/file.hpp"
#include "support/file_faults.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

// Vectors without end, of which one row is wrong.
class OneBadRow final : public VectorSource {
 public:
  OneBadRow(std::size_t rows, std::size_t bad, float number) : rows_(rows), bad_(bad), number_(number) {}
  std::size_t rows() const noexcept override { return rows_; }
  std::size_t dim() const noexcept override { return 2; }
  Status read(std::size_t first, std::size_t count, float* out) override {
    EXPECT_LE(first + count, rows_);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = first + i;
      out[2 * i] = row == bad_ ? number_ : std::cos(static_cast<float>(row));
      out[2 * i + 1] = row == bad_ ? number_ : std::sin(static_cast<float>(row));
    }
    reads_ += count;
    if (fail_after != 0 && reads_ > fail_after) return io_error("the disk is gone");
    return {};
  }
  std::size_t fail_after = 0;

 private:
  std::size_t rows_, bad_;
  float number_;
  std::size_t reads_ = 0;
};

TEST(BuildFileFailures, WhatIsWrongIsNamedAndNothingIsLeft) {
  const TemporaryFolder folder;
  const std::string path = folder.file("lists.segue");
  const auto fails = [&](VectorSource& source, const BuildFileOptions& options, StatusCode code, const char* says,
                         std::span<const Id> ids = {}) {
    const Status status = build_file(source, ids, path, options);
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
    EXPECT_TRUE(folder.names().empty());
  };
  OneBadRow nan(200000, 123456, std::numeric_limits<float>::quiet_NaN());
  fails(nan, {}, StatusCode::kInvalidArgument, "row 123456 of the vectors has a NaN");
  OneBadRow zero(200000, 123456, 0);
  fails(zero, {.metric = Metric::kCosine}, StatusCode::kInvalidArgument, "row 123456 of the vectors is a zero vector");
  OneBadRow none(0, 0, 0);
  fails(none, {}, StatusCode::kInvalidArgument, "there are no vectors");
  OneBadRow few(20, 99, 0);
  fails(few, {.ivf = {.nlist = 21}}, StatusCode::kInvalidArgument, "nlist is 21 and there are 20 vectors");
  fails(few, {.max_memory = 1000}, StatusCode::kInvalidArgument, "max_memory is 0.001 MB");
  fails(few, {.threads = -1}, StatusCode::kInvalidArgument, "threads is -1");
  fails(few, {.ivf = {.rerank = Storage::kF32}}, StatusCode::kInvalidArgument, "rerank");
  const std::vector<Id> twice(20, 4);
  fails(few, {}, StatusCode::kInvalidArgument, "there twice", twice);
  fails(few, {}, StatusCode::kInvalidArgument, "one id a vector", std::span(twice).first(19));
  for (const std::size_t after : {1u, 30000u}) {
    OneBadRow failing(20000, 99999, 0);
    failing.fail_after = after;
    fails(failing, {}, StatusCode::kIoError, "the disk is gone");
  }
  const Status nowhere = build_file(few, {}, folder.file("no/such/folder.segue"));
  EXPECT_EQ(nowhere.code(), StatusCode::kIoError) << nowhere.message();
}

TEST(BuildFileFailures, StoppedAnywhereTheOldFileStays) {
  Random random(24);
  const Vectors x = gaussian_vectors(random, 1000, 24);
  const TemporaryFolder folder;
  const std::string path = folder.file("lists.segue");
  write_all_bytes(path, std::string("old"));
  std::size_t stopped = 0;
  for (;; ++stopped) {
    std::size_t calls = 0, last = 0;
    const BuildFileOptions options{.progress = [&](std::size_t done, std::size_t total) {
      EXPECT_LE(done, total);
      EXPECT_GE(done, last);
      last = done;
      return calls++ != stopped;
    }};
    const Status status = build_file(*source_of(MatrixView(x, 24)), {}, path, options);
    if (status.ok()) break;
    EXPECT_EQ(status.code(), StatusCode::kCancelled);
    ASSERT_EQ(folder.names(), std::vector<std::string>{"lists.segue"});
    ASSERT_EQ(read_bytes(path).size(), 3u);
  }
  EXPECT_GT(stopped, 10u);
  EXPECT_TRUE(verify(path).ok());
}

// Every call of the operating system fails once, then all from one on, as when a disk is full.
TEST(BuildFileFailures, AFullDiskLeavesNothing) {
  Random random(25);
  const Vectors x = gaussian_vectors(random, 300, 8);
  const TemporaryFolder folder;
  const std::string path = folder.file("lists.segue");
  const BuildFileOptions options{.threads = 1};
  for (const bool lasting : {false, true}) {
    for (std::size_t at = 0;; ++at) {
      FaultyCalls faults({.at = at, .error = ENOSPC, .lasting = lasting});
      const Status status = build_file(*source_of(MatrixView(x, 8)), {}, path, options);
      if (!faults.fired()) {
        EXPECT_GT(at, 20u);
        EXPECT_TRUE(status.ok());
        std::remove(path.c_str());
        break;
      }
      const std::string& call = faults.failed_call();
      if (!status.ok()) {
        EXPECT_EQ(status.code(), StatusCode::kIoError) << status.message();
        const auto says = [&](const std::string& words) { return status.message().find(words) != std::string::npos; };
        EXPECT_TRUE(lasting || says(call)) << call << ": " << status.message();
        // How much room there has to be, and where.
        EXPECT_TRUE(call != "pwrite" || says("has to hold") || says("the file needs")) << status.message();
      }
      // The sync of the folder is the one that comes after the rename.
      const bool in_place = status.ok() || status.message().find("in place") != std::string::npos;
      ASSERT_EQ(folder.names().size(), in_place ? 1u : 0u) << at << " " << call << ": " << status.message();
      if (in_place) std::remove(path.c_str());
    }
  }
  FaultyCalls slow({.largest_transfer = 1000, .interrupt = true});
  ASSERT_TRUE(build_file(*source_of(MatrixView(x, 8)), {}, path, options).ok());
  auto memory = IvfIndex::create(8).value();
  ASSERT_TRUE(memory->add(MatrixView(x, 8)).ok());
  EXPECT_TRUE(read_bytes(path) == memory->to_bytes().value());
}

}  // namespace
}  // namespace segue::test
