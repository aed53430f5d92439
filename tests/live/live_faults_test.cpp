// Every call of the file layer fails, once or from then on. A call that fails has changed nothing, what was acknowledged is
// there after opening again, and at most one step more where nobody could know.

#include <cerrno>
#include <filesystem>

#include "live/live_scenario.hpp"
#include "support/file_faults.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

struct FaultCase {
  int error;
  bool lasting;
  std::size_t largest;
};

class LiveFaults : public testing::TestWithParam<FaultCase> {};

TEST_P(LiveFaults, AtEveryCall) {
  const std::vector<LiveStep> steps = live_steps();
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  const std::string path = folder.file("live");
  std::size_t n = 0;
  for (bool fired = true; fired; ++n) {
    fs::remove_all(path);
    LiveModel model = make_live_directory(path);
    LiveModel maybe = model;
    std::string context;
    {
      const FaultyCalls faults(
          {.at = n, .error = GetParam().error, .lasting = GetParam().lasting, .largest_transfer = GetParam().largest});
      Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(path, {.snapshots = false});
      if (!live.ok()) {
        ASSERT_TRUE(faults.fired()) << live.status().message();
      } else {
        for (const LiveStep& step : steps) {
          const bool changeable = (*live)->health().ok();
          const Status done = step.act(**live);
          if (done.ok()) {
            ASSERT_TRUE(changeable) << n;
            step.expect(model);
            maybe = model;
          } else {
            context += step.name + ": " + done.message() + "; ";
            ASSERT_TRUE(faults.fired()) << context;
            // Steps that need another that failed, as one with a new dimension, are not refused: all take what there is.
            const bool known = (*live)->health().ok();
            if (changeable && !known) {
              maybe = model;
              step.expect(maybe);
            }
            if (known) {
              ASSERT_EQ(model_of(**live), model) << "call " << n << ": " << context;
            }
          }
        }
        const Status closed = (*live)->close();
        if (!closed.ok()) context += "close: " + closed.message();
      }
      fired = faults.fired();
      context = "call " + std::to_string(n) + ", " + faults.failed_call() + ": " + context;
    }
    const Result<std::unique_ptr<LiveIndex>> again = LiveIndex::open(path);
    ASSERT_TRUE(again.ok()) << context << " -> " << again.status().message();
    const LiveModel found = model_of(**again);
    ASSERT_TRUE(found == model || found == maybe) << context;
    ASSERT_TRUE((*again)->validate().ok()) << context;
  }
  EXPECT_GT(n, 60u);
}

INSTANTIATE_TEST_SUITE_P(Errors, LiveFaults,
                         testing::Values(FaultCase{EIO, false, 0}, FaultCase{ENOSPC, false, 0}, FaultCase{EIO, true, 0},
                                         FaultCase{ENOSPC, true, 0}, FaultCase{ENOSPC, false, 700}),
                         [](const auto& fault) {
                           return std::string(fault.param.error == EIO ? "EIO" : "ENOSPC") +
                                  (fault.param.lasting ? "Lasting" : "Once") +
                                  (fault.param.largest == 0 ? "" : "ShortWrites");
                         });

// A disk without room: the changes that do not fit fail, the others go on, and so does everything once there is room.
TEST(LiveFault, NoRoomForAWhile) {
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  const std::string path = folder.file("live");
  make_live_directory(path);
  std::unique_ptr<LiveIndex> live = open_live(path);
  const LiveStep step = put_step(id_range(100, 50), 1);
  {
    const FaultyCalls faults({.at = 1, .error = ENOSPC, .lasting = true, .only = "pwrite", .largest_transfer = 100});
    const Status full = step.act(*live);
    EXPECT_EQ(full.code(), StatusCode::kIoError);
    EXPECT_NE(full.message().find("No space left"), std::string::npos) << full.message();
    EXPECT_NE(full.message().find("nothing was changed"), std::string::npos) << full.message();
    EXPECT_FALSE(live->contains(100));
    EXPECT_TRUE(live->health().ok());
  }
  ASSERT_TRUE(step.act(*live).ok());
  live.reset();
  live = open_live(path);
  EXPECT_EQ(live->open_report().cut_bytes, 0u);
  EXPECT_EQ(live->size(), 60u);
}

TEST(LiveFault, AFailedSyncEndsIt) {
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  const std::string path = folder.file("live");
  make_live_directory(path);
  std::unique_ptr<LiveIndex> live = open_live(path);
  {
    const FaultyCalls faults({.at = 0, .error = EIO, .only = "fdatasync"});
    const Status failed = put_step({100}, 1).act(*live);
    EXPECT_EQ(failed.code(), StatusCode::kIoError);
    EXPECT_NE(failed.message().find("fdatasync"), std::string::npos) << failed.message();
    EXPECT_NE(failed.message().find("opened again"), std::string::npos) << failed.message();
  }
  // The next sync would work, and prove nothing.
  EXPECT_EQ(put_step({101}, 1).act(*live).code(), StatusCode::kIoError);
  EXPECT_EQ(live->health().code(), StatusCode::kIoError);
  EXPECT_EQ(live->sync().code(), StatusCode::kIoError);
  EXPECT_FALSE(live->contains(101));
  const std::vector<float> query = live_vector(0);
  EXPECT_TRUE(live->search(MatrixView(query.data(), 1, kLiveDim), 3).ok());
  EXPECT_EQ(live->close().code(), StatusCode::kIoError);
  live = open_live(path);
  EXPECT_TRUE(live->health().ok());
  ASSERT_TRUE(put_step({102}, 1).act(*live).ok());
}

}  // namespace
}  // namespace segue::test
