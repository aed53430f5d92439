// changes_beside_searches VECTORS [--kind hnsw] [--metric cosine] [--readers 1] [--rate 1000] [--batch 1]
//                         [--seconds 5] [--rounds 3] [--k 10] [--ef 64] [--nprobe 16]
//
// What searches lose to changes beside them. Each reader asks one query after the other; `rounds` times for `seconds`
// alone, then as long beside a writer that upserts `rate` vectors a second, `batch` a call, by the clock (a call that takes
// long is made up for). The last tenth of the file's rows is what comes new, nine tenths are indexed; queries are rows
// with noise. Prints, for all rounds together, searches a second, p50, p99, p99.9 and the longest in microseconds, and of the
// upserts how many were made and the longest call.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "changes/arguments.hpp"

namespace {

using namespace segue;
using namespace segue::bench;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A cheap histogram would round; what is asked about is the tail.
using Times = std::vector<float>;

void print(const char* name, const std::vector<Times>& of_readers, double seconds) {
  Times all;
  for (const Times& times : of_readers) all.insert(all.end(), times.begin(), times.end());
  std::sort(all.begin(), all.end());
  const auto at = [&](double q) { return static_cast<double>(all[static_cast<std::size_t>(q * static_cast<double>(all.size() - 1))]); };
  std::printf("%-7s %9.0f searches/s   p50 %7.1f   p99 %7.1f   p99.9 %7.1f   max %9.1f us\n", name,
              static_cast<double>(all.size()) / seconds, at(0.5), at(0.99), at(0.999), at(1));
}

struct Written {
  std::size_t vectors = 0;
  double longest = 0;
};

}  // namespace

int main(int count, char** words) {
  const Arguments a(count, words, {{"kind", "hnsw"}, {"metric", "cosine"}, {"readers", "1"}, {"rate", "1000"}, {"batch", "1"},
                                   {"seconds", "5"}, {"rounds", "3"}, {"k", "10"}, {"ef", "64"}, {"nprobe", "16"}});
  const Rows rows(a.path);
  const std::size_t items = rows.size() / 10 * 9, spare = rows.size() - items, k = a.count("k"), batch = a.count("batch");
  const std::unique_ptr<Index> index = need(build(rows.slice(0, items), {}, build_options(a)));
  SearchOptions options{.threads = 1};
  (a.text("kind") == "ivf" ? options.nprobe : options.ef) = a.count(a.text("kind") == "ivf" ? "nprobe" : "ef");

  std::mt19937_64 random(11);
  std::normal_distribution<float> normal;
  constexpr std::size_t kQueries = 4096;
  std::vector<float> queries(kQueries * rows.dim);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const float x = rows.values[i / rows.dim * (items / kQueries) * rows.dim + i % rows.dim];
    queries[i] = x * (1 + 0.1F * normal(random));
  }

  std::atomic<std::size_t> failed{0};
  const auto read = [&](std::size_t reader, double seconds, Times& times) {
    std::vector<Id> ids(k);
    std::vector<float> scores(k);
    const Clock::time_point start = Clock::now();
    Clock::time_point before = start;
    for (std::size_t q = reader * 997; seconds_since(start) < seconds; ++q) {
      const MatrixView query(queries.data() + q % kQueries * rows.dim, 1, rows.dim);
      failed += !index->search_into(query, k, options, ids.data(), scores.data()).ok() || ids.back() < 0;
      const Clock::time_point now = Clock::now();
      times.push_back(std::chrono::duration<float, std::micro>(now - before).count());
      before = now;
    }
  };
  std::size_t next = 0;
  const auto write = [&](const std::atomic<bool>& done, Written& written) {
    std::vector<Id> ids(batch);
    const Clock::time_point start = Clock::now();
    for (std::size_t made = 0; !done; made += batch) {
      const double due = static_cast<double>(made) / a.number("rate") - seconds_since(start);
      if (due > 0) std::this_thread::sleep_for(std::chrono::duration<double>(due));
      for (Id& id : ids) id = static_cast<Id>(random() % items);
      std::sort(ids.begin(), ids.end());
      if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) continue;
      const Clock::time_point before = Clock::now();
      need(index->upsert(rows.slice(next % (spare - batch), batch), ids, {.threads = 1, .progress = {}}));
      next += batch;
      written.longest = std::max(written.longest, seconds_since(before));
      written.vectors += batch;
    }
  };

  const std::size_t readers = a.count("readers");
  std::vector<Times> alone(readers), beside(readers);
  double alone_seconds = 0, beside_seconds = 0;
  Written written;
  for (std::size_t round = 0; round < a.count("rounds"); ++round) {
    for (const bool with_writer : {false, true}) {
      std::atomic<bool> done{false};
      std::thread writer;
      if (with_writer) writer = std::thread([&] { write(done, written); });
      const Clock::time_point start = Clock::now();
      std::vector<std::thread> team;
      for (std::size_t t = 0; t < readers; ++t) {
        team.emplace_back([&, t] { read(t, a.number("seconds"), (with_writer ? beside : alone)[t]); });
      }
      for (std::thread& member : team) member.join();
      (with_writer ? beside_seconds : alone_seconds) += seconds_since(start);
      done = true;
      if (with_writer) writer.join();
    }
  }
  std::printf("%s, %zu items of %zu dimensions, %zu readers, %zu queries failed\n", std::string(index->kind()).c_str(), items,
              rows.dim, readers, failed.load());
  print("alone", alone, alone_seconds);
  print("beside", beside, beside_seconds);
  std::printf("upserts %9.0f vectors/s, longest call %.1f ms\n", static_cast<double>(written.vectors) / beside_seconds,
              1e3 * written.longest);
  return failed == 0 ? 0 : 1;
}
