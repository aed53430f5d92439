// A writer under load is killed (SIGKILL) at random moments, over and over on the same directory. On opening it again,
// everything that it was told is there is there, nothing that it never sent, and the index is whole.
//
// The writer is this program, started anew with a filter for the test below. SEGUE_CRASH_ROUNDS says how often (50).

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include "live/live_cases.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kWriters = 3;
constexpr Id kIdsEach = 40;  // that a writer changes again and again
constexpr int kPipe = 100;

struct Acknowledged {
  std::uint32_t writer;
  std::uint32_t step;
};

// What a writer has made of its own items and rows.
struct Own {
  std::map<Id, std::uint64_t> items;
  std::map<Id, std::int64_t> rows;
  bool operator==(const Own&) const = default;
};

Id own_id(std::size_t writer, std::uint64_t n) { return static_cast<Id>(1000 * (writer + 1) + n % kIdsEach); }

// Step by step: vectors replaced, some removed, rows replaced, rows removed.
std::vector<Id> ids_of_step(std::size_t writer, std::uint32_t step) {
  std::vector<Id> ids;
  const std::size_t count = 1 + (step * 7 + writer) % 5;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(own_id(writer, step * 13 + i));
  return ids;
}

void apply(Own& own, std::size_t writer, std::uint32_t step) {
  for (const Id id : ids_of_step(writer, step)) {
    if (step % 6 == 3) own.items.erase(id);
    else if (step % 6 == 4) own.rows[id] = step;
    else if (step % 6 == 5) own.rows.erase(id);
    else own.items[id] = step;
  }
}

Status make(LiveIndex& live, std::size_t writer, std::uint32_t step) {
  const std::vector<Id> ids = ids_of_step(writer, step);
  if (step % 6 == 3) return live.remove(ids).status();
  if (step % 6 == 4) {
    const std::vector rows = {ColumnData::integers("n", std::vector<std::int64_t>(ids.size(), step))};
    return live.catalog()->upsert(rows, {ids, {}});
  }
  if (step % 6 == 5) return live.catalog()->remove(ids).status();
  const std::vector<float> x = live_vectors(ids, step);
  return live.upsert(MatrixView(x, kLiveDim), ids);
}

// Only as the program that the test below kills.
TEST(CrashWriter, DISABLED_Run) {
  const char* path = std::getenv("SEGUE_CRASH_DIRECTORY");
  ASSERT_NE(path, nullptr);
  std::array<std::uint32_t, kWriters> first{};
  std::istringstream(std::getenv("SEGUE_CRASH_STEPS")) >> first[0] >> first[1] >> first[2];
  const std::unique_ptr<LiveIndex> live = open_live(path, {.snapshot_bytes = 30'000});
  ASSERT_NE(live, nullptr);
  std::vector<std::thread> writers;
  for (std::uint32_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (std::uint32_t step = first[w];; ++step) {
        const Status made = make(*live, w, step);
        if (!made.ok()) std::fprintf(stderr, "%s\n", made.message().c_str());
        const Acknowledged acknowledged{w, step};
        if (!made.ok() || ::write(kPipe, &acknowledged, sizeof(acknowledged)) != sizeof(acknowledged)) std::_Exit(3);
        if (w == 0 && step % 50 == 49) (void)live->snapshot();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
}

pid_t start_writer(const std::string& path, const std::array<std::uint32_t, kWriters>& steps, int pipe) {
  const std::string counts = std::to_string(steps[0]) + " " + std::to_string(steps[1]) + " " + std::to_string(steps[2]);
  ::setenv("SEGUE_CRASH_DIRECTORY", path.c_str(), 1);
  ::setenv("SEGUE_CRASH_STEPS", counts.c_str(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe, kPipe);
    const int quiet = ::open("/dev/null", O_WRONLY);
    ::dup2(quiet, STDOUT_FILENO);
    ::execl("/proc/self/exe", "crash_writer", "--gtest_filter=CrashWriter.DISABLED_Run",
            "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    ::_exit(4);
  }
  return child;
}

TEST(Crash, KilledAtRandomMoments) {
  const char* wanted = std::getenv("SEGUE_CRASH_ROUNDS");
  const int rounds = wanted == nullptr ? 50 : std::atoi(wanted);
  const std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  std::printf("seed %llu, %d rounds\n", static_cast<unsigned long long>(seed), rounds);
  Random random(seed);
  const TemporaryFolder folder;
  const std::string path = folder.file("live");
  {
    std::unique_ptr<Index> index = make_live_index("hnsw");
    const std::vector<float> x = live_vectors(id_range(0, 200));
    ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
    index->set_catalog(Catalog::create(std::vector{ColumnData::integers("n", {})}).value());
    ASSERT_TRUE(LiveIndex::create(path, *index).ok());
  }
  std::array<std::uint32_t, kWriters> steps{};  // acknowledged, or found there
  std::array<Own, kWriters> own;
  std::size_t acknowledged_in_all = 0;
  std::size_t unacknowledged = 0;
  std::size_t cut = 0;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = start_writer(path, steps, ends[1]);
    ASSERT_GT(child, 0);
    ::close(ends[1]);
    // Up to so many changes, then at any moment of the next; some rounds end while it still opens.
    const std::size_t until = round % 10 == 9 ? 0 : 1 + random.next() % 150;
    Acknowledged acknowledged{};
    std::size_t seen = 0;
    const auto take = [&] {
      ++seen;
      ASSERT_EQ(acknowledged.step, steps[acknowledged.writer]);
      apply(own[acknowledged.writer], acknowledged.writer, acknowledged.step);
      ++steps[acknowledged.writer];
    };
    while (seen < until && ::read(ends[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) {
      ASSERT_NO_FATAL_FAILURE(take());
    }
    const auto wait = std::chrono::microseconds(random.next() % (until == 0 ? 40'000 : 3'000));
    for (const auto start = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() - start < wait;) {
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(ends[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) {
      ASSERT_NO_FATAL_FAILURE(take());
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ": the writer ended by itself, " << status;
    ::close(ends[0]);
    ASSERT_GE(seen, until) << "round " << round;
    acknowledged_in_all += seen;

    const std::unique_ptr<LiveIndex> live = open_live(path, {.read_only = true});
    ASSERT_NE(live, nullptr) << "round " << round;
    cut += live->open_report().cut_bytes != 0;
    std::map<Id, std::uint64_t> items = versions(id_range(0, 200));
    for (std::size_t w = 0; w < kWriters; ++w) {
      Own found;
      for (Id id = own_id(w, 0); id < own_id(w, 0) + kIdsEach; ++id) {
        if (live->contains(id)) {
          const std::vector<float> row = live->get(std::vector<Id>{id}).value();
          std::uint64_t version = steps[w] + 1;  // the newest that may be
          while (row != live_vector(id, version)) {
            ASSERT_NE(version, 0u) << "round " << round << ": id " << id << " has a vector that was never sent";
            --version;
          }
          found.items[id] = version;
        }
        if (live->catalog()->contains(id)) {
          found.rows[id] = live->catalog()->take(std::vector<Id>{id}, "n").value().numbers[0];
        }
      }
      if (found != own[w]) {
        // The step that was under way.
        apply(own[w], w, steps[w]);
        ++steps[w];
        ++unacknowledged;
        ASSERT_EQ(found, own[w]) << "round " << round << ", writer " << w << ", step " << steps[w];
      }
      items.insert(own[w].items.begin(), own[w].items.end());
    }
    ASSERT_NO_FATAL_FAILURE(expect_items(*live, items));
    ASSERT_TRUE(live->catalog()->validate().ok());
    std::size_t right = 0;
    for (const auto& [id, version] : items) {
      const std::vector<float> query = live_vector(id, version);
      right += live->search(MatrixView(query, kLiveDim), 1)->ids[0] == id;
    }
    ASSERT_GE(right, items.size() * 98 / 100) << "round " << round;
  }
  std::printf("%zu changes acknowledged, %zu there without; %zu torn tails cut\n", acknowledged_in_all, unacknowledged, cut);
}

}  // namespace
}  // namespace segue::test
