// soak [--seconds N] [--items N] ... [--out FILE.jsonl]  (soak_options.hpp has all; `make soak` runs it)
//
// A LiveIndex that serves for a long time: searches at a steady rate, updates beside them that keep the size what it is, a
// snapshot now and then, and a Serving that swaps to each and is searched too. Prints a line of figures a period, and at
// the end whether it held: no call failed, no answer was wrong, memory did not grow, p99 did not drift, recall stayed, and
// what was acknowledged is there when the directory is opened again. Exit status: 0 it held, 1 it did not, 2 it could not
// begin.
//
//   t            seconds since the start, of the end of the period
//   p50 p99 max  from when a search was due to its answer, microseconds, in the live index and in the Serving
//   resident     least and most within the period
//   recall       of some queries, asked between two updates, against a scan; of the Serving after each swap

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "live/live_names.hpp"
#include "segue/segue.hpp"
#include "soak/check_answers.hpp"
#include "soak/process_memory.hpp"
#include "soak/soak_options.hpp"
#include "soak/traffic.hpp"
#include "soak/verdict.hpp"

namespace segue::bench {
namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "soak: %s\n", why.c_str());
  std::exit(2);
}

template <class T>
T value_of(Result<T> result) {
  if (!result.ok()) give_up(result.status().message());
  return std::move(result).value();
}

double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

std::string make_folder(const SoakOptions& options) {
  if (!options.directory.empty()) {
    if (!std::filesystem::create_directory(options.directory)) give_up("'" + options.directory + "' is there already");
    return options.directory;
  }
  std::string name = (std::filesystem::temp_directory_path() / "segue-soak-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) give_up("cannot make a folder like " + name);
  return name;
}

class Soak {
 public:
  explicit Soak(const SoakOptions& options)
      : options_(options), vectors_(options.dim), world_(options.items), folder_(make_folder(options)) {}
  ~Soak() {
    live_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    if (out_ != nullptr) std::fclose(out_);
  }
  Soak(const Soak&) = delete;

  int run() {
    if (!options_.out.empty() && (out_ = std::fopen(options_.out.c_str(), "w")) == nullptr) {
      give_up("cannot write '" + options_.out + "'");
    }
    begin();
    start_ = Clock::now();
    std::vector<std::thread> threads = start_traffic();
    threads.emplace_back([this] { write_snapshots(); });
    threads.emplace_back([this] { check(); });
    report();
    stop_ = true;
    {
      const std::lock_guard lock(sleeping_);
    }
    wake_.notify_all();
    for (std::thread& thread : threads) thread.join();
    return end();
  }

 private:
  void begin() {
    std::vector<float> rows(options_.items * options_.dim);
    for (std::size_t i = 0; i < options_.items; ++i) vectors_.write(world_.item(i).vector, &rows[i * options_.dim]);
    const std::unique_ptr<Index> index = value_of(HnswIndex::create(options_.dim, Metric::kL2));
    const Clock::time_point from = Clock::now();
    if (const Status added = index->add(MatrixView(rows, options_.dim)); !added.ok()) give_up(added.message());
    const double seconds = std::chrono::duration<double>(Clock::now() - from).count();
    live_ = value_of(
        LiveIndex::create(live_directory(), *index, {.durability = options_.durability, .snapshots = false}));
    serving_ = value_of(Serving::open(newest_snapshot()));
    std::printf("%zu x %zu, built in %.1f s; %.0f searches/s, %.0f in a Serving, %.0f updates/s (%s), a snapshot each "
                "%.0f s, for %.0f s\n",
                options_.items, options_.dim, seconds, options_.searches, options_.serving_searches, options_.updates,
                std::string(to_string(options_.durability)).c_str(), options_.snapshot_every, options_.seconds);
    write("{\"items\": %zu, \"dim\": %zu, \"k\": %zu, \"ef\": %zu, \"searches\": %g, \"serving_searches\": %g, "
          "\"updates\": %g, \"snapshot_every\": %g, \"durability\": \"%s\", \"seconds\": %g, \"warm_up\": %g, "
          "\"cores\": %u}\n",
          options_.items, options_.dim, options_.k, options_.ef, options_.searches, options_.serving_searches,
          options_.updates, options_.snapshot_every, std::string(to_string(options_.durability)).c_str(),
          options_.seconds, options_.limits.warm_up, std::thread::hardware_concurrency());
  }

  std::vector<std::thread> start_traffic() {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < options_.searchers; ++i) {
      threads.emplace_back([this, i] {
        drive_searches(
            Pacer(start_, options_.searches / static_cast<double>(options_.searchers), 10 + i), vectors_, options_.k,
            1000 + i,
            [this](MatrixView query, Id* ids, float* scores) {
              return live_->search_into(query, options_.k, {.ef = options_.ef, .threads = 1}, ids, scores);
            },
            stop_, searches_, faults_);
      });
    }
    threads.emplace_back([this] {
      drive_searches(
          Pacer(start_, options_.serving_searches, 20), vectors_, options_.k, 2000,
          [this](MatrixView query, Id* ids, float* scores) {
            return serving_->search_into(query, options_.k, {.ef = options_.ef, .threads = 1}, ids, scores);
          },
          stop_, serving_searches_, faults_);
    });
    for (std::size_t i = 0; i < options_.writers; ++i) {
      threads.emplace_back([this, i] {
        drive_updates(
            Pacer(start_, options_.updates / static_cast<double>(options_.writers), 30 + i), vectors_, i,
            options_.writers, world_, *live_, stop_, updates_, faults_);
      });
    }
    return threads;
  }

  void write_snapshots() {
    for (std::size_t n = 1; sleep_until(start_ + seconds_of(static_cast<double>(n) * options_.snapshot_every)); ++n) {
      if (const Status written = live_->snapshot(); !written.ok()) {
        faults_.add("snapshot: " + written.message());
        continue;
      }
      if (const Result<std::uint64_t> swapped = serving_->swap(newest_snapshot()); !swapped.ok()) {
        faults_.add("swap: " + swapped.status().message());
        continue;
      }
      ++swaps_;
      checked_serving_ = false;
    }
  }

  void check() {
    // In the middle of each period.
    for (std::size_t n = 0; sleep_until(start_ + seconds_of((static_cast<double>(n) + 0.5) * options_.period)); ++n) {
      recall_ = check_live(*live_, world_, vectors_, options_.checked, options_.k, options_.ef, 3000 + n, faults_);
      if (checked_serving_.exchange(true)) continue;
      const std::shared_ptr<const ServingSnapshot> now = serving_->current();
      serving_recall_ =
          check_snapshot(now->index(), vectors_, options_.checked, options_.k, options_.ef, 4000 + n, faults_);
    }
  }

  // A line a period; memory is looked at four times a second.
  void report() {
    std::printf("%7s %8s %7s %7s %8s | %7s %7s %8s | %7s %7s %7s | %7s %7s %7s | %6s %6s | %s\n", "t", "searches", "p50",
                "p99", "max", "serving", "p99", "max", "updates", "p50", "p99", "MB", "to", "journal", "recall",
                "serves", "swaps, errors");
    const auto count = static_cast<std::size_t>(options_.seconds / options_.period);
    for (std::size_t n = 0; n < count; ++n) {
      SoakPeriod period;
      period.begin = static_cast<double>(n) * options_.period;
      period.end = period.begin + options_.period;
      ProcessMemory least = process_memory();
      std::uint64_t most = least.resident;
      for (Clock::time_point at = start_ + seconds_of(period.begin); at < start_ + seconds_of(period.end);) {
        at = std::min(at + std::chrono::milliseconds(250), start_ + seconds_of(period.end));
        std::this_thread::sleep_until(at);
        const ProcessMemory now = process_memory();
        most = std::max(most, now.resident);
        if (now.resident < least.resident) least = now;
      }
      period.resident = least.resident;
      write_line(period, least, most);
      periods_.push_back(period);
    }
  }

  void write_line(SoakPeriod& period, const ProcessMemory& least, std::uint64_t most) {
    const LatencySummary live = searches_.take(), serving = serving_searches_.take(), updates = updates_.take();
    const LiveStats stats = live_->live_stats();
    const std::uint64_t faults = faults_.count();
    period.errors = faults - std::exchange(faults_seen_, faults);
    period.searches = live.count;
    period.serving_searches = serving.count;
    period.updates = updates.count;
    period.p99 = live.p99;
    period.serving_p99 = serving.p99;
    period.recall = recall_.exchange(-1);
    period.serving_recall = serving_recall_.exchange(-1);
    const auto text = [](double recall) {
      char written[16] = "";
      if (recall >= 0) std::snprintf(written, sizeof(written), "%.4f", recall);
      return std::string(written);
    };
    std::printf("%7.1f %8llu %7.0f %7.0f %8.0f | %7llu %7.0f %8.0f | %7llu %7.0f %7.0f | %7.1f %7.1f %7.1f | %6s %6s | "
                "%llu, %llu\n",
                period.end, static_cast<unsigned long long>(live.count), live.p50, live.p99, live.max,
                static_cast<unsigned long long>(serving.count), serving.p99, serving.max,
                static_cast<unsigned long long>(updates.count), updates.p50, updates.p99, megabytes(least.resident),
                megabytes(most), megabytes(stats.journal_bytes), text(period.recall).c_str(),
                text(period.serving_recall).c_str(), static_cast<unsigned long long>(swaps_.load()),
                static_cast<unsigned long long>(period.errors));
    std::fflush(stdout);
    const auto json = [](double recall) { return recall < 0 ? std::string("null") : std::to_string(recall); };
    write("{\"t\": %g, \"searches\": %llu, \"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f, \"serving_searches\": %llu, "
          "\"serving_p50\": %.1f, \"serving_p99\": %.1f, \"serving_max\": %.1f, \"updates\": %llu, \"update_p50\": %.1f, "
          "\"update_p99\": %.1f, \"update_max\": %.1f, \"resident\": %llu, \"resident_most\": %llu, \"anonymous\": %llu, "
          "\"index\": %llu, \"items\": %zu, \"journal\": %llu, \"syncs\": %llu, \"snapshots\": %llu, "
          "\"snapshot_pause\": %.4f, \"snapshot_seconds\": %.3f, \"swaps\": %llu, \"held\": %zu, \"recall\": %s, "
          "\"serving_recall\": %s, \"errors\": %llu}\n",
          period.end, static_cast<unsigned long long>(live.count), live.p50, live.p99, live.max,
          static_cast<unsigned long long>(serving.count), serving.p50, serving.p99, serving.max,
          static_cast<unsigned long long>(updates.count), updates.p50, updates.p99, updates.max,
          static_cast<unsigned long long>(least.resident), static_cast<unsigned long long>(most),
          static_cast<unsigned long long>(least.anonymous), static_cast<unsigned long long>(live_->memory_usage()),
          live_->size(), static_cast<unsigned long long>(stats.journal_bytes),
          static_cast<unsigned long long>(stats.syncs), static_cast<unsigned long long>(stats.snapshots),
          stats.snapshot_pause, stats.snapshot_seconds, static_cast<unsigned long long>(swaps_.load()),
          serving_->held(), json(period.recall).c_str(), json(period.serving_recall).c_str(),
          static_cast<unsigned long long>(period.errors));
  }

  int end() {
    if (const Status closed = live_->close(); !closed.ok()) faults_.add("close: " + closed.message());
    live_.reset();
    const Result<std::unique_ptr<LiveIndex>> again = LiveIndex::open(live_directory());
    if (again.ok()) {
      const OpenReport& found = (*again)->open_report();
      std::printf("opened again in %.2f s: %llu records after the last snapshot\n",
                  found.load_seconds + found.replay_seconds, static_cast<unsigned long long>(found.records));
      world_.pause([&](const std::vector<World::Item>& items) { check_all(**again, items, vectors_, faults_); });
    } else {
      faults_.add("open again: " + again.status().message());
    }
    if (const std::uint64_t late = faults_.count() - faults_seen_; late != 0 && !periods_.empty()) {
      periods_.back().errors += late;
    }
    const SoakVerdict verdict = judge(periods_, options_.limits);
    std::printf("after %.0f s of warm-up, %zu periods: p99 %.0f us, %+.0f %%; in the Serving %.0f us, %+.0f %%; memory "
                "%.1f MB, %+.1f MB; recall %.4f, in the Serving %.4f; %llu swaps\n",
                options_.limits.warm_up, verdict.judged, verdict.p99, 100 * verdict.drift, verdict.serving_p99,
                100 * verdict.serving_drift, verdict.resident / 1e6, verdict.growth / 1e6, verdict.recall,
                verdict.serving_recall, static_cast<unsigned long long>(swaps_.load()));
    for (const std::string& text : faults_.texts()) std::printf("error: %s\n", text.c_str());
    for (const std::string& failure : verdict.failures) std::printf("FAILED: %s\n", failure.c_str());
    if (swaps_ == 0) std::printf("FAILED: no swap came about in that time\n");
    const bool held = verdict.failures.empty() && swaps_ != 0;
    std::printf("%s\n", held ? "it held" : "it did not hold");
    return held ? 0 : 1;
  }

  std::string live_directory() const { return folder_ + "/live"; }
  std::string newest_snapshot() const { return snapshot_path(live_directory(), live_->live_stats().snapshot); }

  // False: it ended before.
  bool sleep_until(Clock::time_point time) {
    std::unique_lock lock(sleeping_);
    return !wake_.wait_until(lock, time, [this] { return stop_.load(); });
  }

  template <class... Values>
  void write(const char* format, Values... values) {
    if (out_ == nullptr) return;
    std::fprintf(out_, format, values...);
    std::fflush(out_);
  }

  const SoakOptions options_;
  const MadeVectors vectors_;
  World world_;
  const std::string folder_;
  std::FILE* out_ = nullptr;
  std::unique_ptr<LiveIndex> live_;
  std::unique_ptr<Serving> serving_;
  Clock::time_point start_;
  Latencies searches_, serving_searches_, updates_;
  Faults faults_;
  std::uint64_t faults_seen_ = 0;
  std::atomic<double> recall_{-1}, serving_recall_{-1};
  std::atomic<std::uint64_t> swaps_{0};
  std::atomic<bool> checked_serving_{false}, stop_{false};
  std::mutex sleeping_;
  std::condition_variable wake_;
  std::vector<SoakPeriod> periods_;
};

}  // namespace
}  // namespace segue::bench

int main(int count, char** values) {
  const segue::bench::SoakOptions options = segue::bench::parse_options(count, values);
  return segue::bench::Soak(options).run();
}
