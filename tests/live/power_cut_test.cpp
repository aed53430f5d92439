// The power goes after any call of the file layer, with all, nothing, or some pages of what was not synced on the disk. What
// was acknowledged is there, at most the step under way beside it, and the index is whole.

#include "support/power_cut.hpp"

#include <atomic>
#include <filesystem>

#include "live/live_scenario.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

TEST(PowerCuts, EverywhereInALife) {
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  const std::string path = folder.file("live");
  const std::string cut = folder.file("cut");
  fs::create_directory(cut);
  std::vector<LiveModel> models = {make_live_directory(path)};
  const std::vector<LiveStep> steps = live_steps();
  for (const LiveStep& step : steps) {
    models.push_back(models.back());
    step.expect(models.back());
  }
  std::atomic<std::uint64_t> acknowledged{0};
  std::vector<PowerCut::Moment> moments;
  {
    PowerCut power(path, [&] { return acknowledged.load(); });
    const std::unique_ptr<LiveIndex> live = open_live(path, {.snapshots = false});
    ASSERT_NE(live, nullptr);
    for (const LiveStep& step : steps) {
      const Status done = step.act(*live);
      ASSERT_TRUE(done.ok()) << step.name << ": " << done.message();
      ++acknowledged;
    }
    ASSERT_EQ(model_of(*live), models.back());
    ASSERT_TRUE(live->close().ok());
    moments = power.moments();
  }
  EXPECT_GT(moments.size(), 60u);
  for (std::size_t n = 0; n < moments.size(); ++n) {
    const PowerCut::Moment& moment = moments[n];
    for (std::size_t variant = 0; variant < PowerCut::kVariants; ++variant) {
      moment.restore(variant, cut);
      const std::string context = "after call " + std::to_string(n) + " (" + moment.call + "), " +
                                  std::to_string(moment.mark) + " steps acknowledged; " + PowerCut::describe(variant);
      for (const bool read_only : {true, false}) {
        const Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(cut, {.snapshots = false, .read_only = read_only});
        ASSERT_TRUE(live.ok()) << context << ": " << live.status().message();
        const LiveModel found = model_of(**live);
        const bool before = found == models[moment.mark];
        ASSERT_TRUE(before || (moment.mark < steps.size() && found == models[moment.mark + 1])) << context;
        ASSERT_TRUE((*live)->validate().ok()) << context;
        if (read_only) continue;
        const LiveStep more = put_step({500}, 2);
        ASSERT_TRUE(more.act(**live).ok()) << context;
      }
      ASSERT_TRUE(open_live(cut, {.read_only = true})->contains(500)) << context;
    }
  }
}

// While it is made: no index, or all of it.
TEST(PowerCuts, WhileADirectoryIsMade) {
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  const std::string path = folder.file("live");
  const std::string cut = folder.file("cut");
  fs::create_directory(cut);
  fs::create_directory(path);
  std::atomic<std::uint64_t> made{0};
  LiveModel model;
  std::vector<PowerCut::Moment> moments;
  {
    PowerCut power(path, [&] { return made.load(); });
    model = make_live_directory(path);
    moments = power.moments();
  }
  std::size_t whole = 0;
  for (std::size_t n = 0; n < moments.size(); ++n) {
    for (std::size_t variant = 0; variant < PowerCut::kVariants; ++variant) {
      moments[n].restore(variant, cut);
      Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(cut);
      const std::string context = "after call " + std::to_string(n) + " (" + moments[n].call + "); " +
                                  PowerCut::describe(variant) + ": " + live.status().message();
      if (live.ok()) {
        ++whole;
        EXPECT_EQ(model_of(**live), model) << context;
        continue;
      }
      EXPECT_EQ(live.status().code(), StatusCode::kNotFound) << context;
      const Status again = LiveIndex::create(cut, *make_live_index("flat")).status();
      EXPECT_TRUE(again.ok()) << context << "; " << again.message();
    }
  }
  EXPECT_GT(whole, 0u);
  EXPECT_LT(whole, moments.size() * PowerCut::kVariants);
}

}  // namespace
}  // namespace segue::test
