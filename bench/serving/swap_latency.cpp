// serving_swap_latency A.segue B.segue QUERIES.npy [--threads N] [--k N] [--ef N] [--swaps N] [--rate N]
//                      [--niceness N] [--warm-up-bytes-per-s N] [--no-warm-up] [--no-verify]
//
// How long queries take before, during and after hot swaps between two files: each of some threads searches one query
// after the other without a pause (or `rate` a second; then waiting for its turn counts), while another swaps. "during"
// is from the call of swap() to its return, "after" the half second from then on, "before" the half second up to it.
// Prints queries/s, p50, p99, p99.9 and the longest of each in microseconds, over all swaps.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "segue/serving.hpp"
#include "segue/vector_source.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kAround = std::chrono::milliseconds(500);

struct Sample {
  Clock::time_point end;
  float microseconds;
};

struct Arguments {
  std::vector<std::string> paths;
  std::size_t threads = 2, k = 10, ef = 100, swaps = 20;
  double rate = 0;
  segue::ServingOptions serving;
};

Arguments parse(int count, char** values) {
  Arguments a;
  for (int i = 1; i < count; ++i) {
    const std::string name = values[i];
    const auto number = [&] { return ++i < count ? std::strtoull(values[i], nullptr, 10) : 0; };
    if (name == "--threads") a.threads = number();
    else if (name == "--k") a.k = number();
    else if (name == "--ef") a.ef = number();
    else if (name == "--swaps") a.swaps = number();
    else if (name == "--rate") a.rate = static_cast<double>(number());
    else if (name == "--niceness") a.serving.niceness = static_cast<int>(number());
    else if (name == "--warm-up-bytes-per-s") a.serving.warm_up_bytes_per_s = number();
    else if (name == "--no-warm-up") a.serving.warm_up = false;
    else if (name == "--no-verify") a.serving.verify = false;
    else a.paths.push_back(name);
  }
  return a;
}

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

void print(const char* name, std::vector<float> times, double seconds) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  const auto at = [&](double q) { return static_cast<double>(times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))]); };
  std::printf("%-8s %9zu queries %9.0f q/s   p50 %7.1f   p99 %7.1f   p99.9 %7.1f   max %8.1f us\n", name, times.size(),
              static_cast<double>(times.size()) / seconds, at(0.5), at(0.99), at(0.999), at(1));
}

}  // namespace

int main(int count, char** values) {
  const Arguments a = parse(count, values);
  if (a.paths.size() != 3) fail("give two index files and a file of queries");
  auto source = segue::open_vectors(a.paths[2]);
  if (!source.ok()) fail(source.status().message());
  const std::size_t rows = (*source)->rows(), dim = (*source)->dim();
  std::vector<float> queries(rows * dim);
  if (const auto read = (*source)->read(0, rows, queries.data()); !read.ok()) fail(read.message());
  auto serving = segue::Serving::open(a.paths[0], a.serving);
  if (!serving.ok()) fail(serving.status().message());

  std::atomic<bool> done{false};
  std::atomic<std::size_t> failed{0};
  std::vector<std::vector<Sample>> samples(a.threads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < a.threads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<segue::Id> ids(a.k);
      std::vector<float> scores(a.k);
      samples[t].reserve(std::size_t{1} << 22);
      Clock::time_point start = Clock::now();
      for (std::size_t q = t * 97; !done; ++q) {
        if (a.rate > 0) {
          start += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / a.rate));
          if (Clock::now() < start) std::this_thread::sleep_until(start);
        }
        const auto status = (*serving)->search_into(segue::MatrixView(queries.data() + q % rows * dim, 1, dim), a.k,
                                                    {.ef = a.ef}, ids.data(), scores.data());
        failed += !status.ok() || ids.back() < 0;
        const Clock::time_point end = Clock::now();
        samples[t].push_back({end, std::chrono::duration<float, std::micro>(end - start).count()});
        if (a.rate == 0) start = end;
      }
    });
  }

  struct Swap {
    Clock::time_point begin, end;
  };
  std::vector<Swap> swaps;
  std::this_thread::sleep_for(4 * kAround);
  for (std::size_t i = 0; i < a.swaps; ++i) {
    const Clock::time_point begin = Clock::now();
    if (const auto swapped = (*serving)->swap(a.paths[1 - i % 2]); !swapped.ok()) fail(swapped.status().message());
    swaps.push_back({begin, Clock::now()});
    std::this_thread::sleep_for(2 * kAround + std::chrono::milliseconds(50));
  }
  done = true;
  for (std::thread& thread : threads) thread.join();

  std::vector<float> before, during, after;
  double swapping = 0, longest = 0;
  for (const auto& [begin, end] : swaps) {
    const double seconds = std::chrono::duration<double>(end - begin).count();
    swapping += seconds;
    longest = std::max(longest, seconds);
    for (const std::vector<Sample>& of_thread : samples) {
      for (const Sample& s : of_thread) {
        if (s.end > begin - kAround && s.end <= begin) before.push_back(s.microseconds);
        if (s.end > begin && s.end <= end) during.push_back(s.microseconds);
        if (s.end > end && s.end <= end + kAround) after.push_back(s.microseconds);
      }
    }
  }
  const double around = static_cast<double>(swaps.size()) * std::chrono::duration<double>(kAround).count();
  std::printf("%zu swaps of %.2f s on average, %.2f s at most; %zu queries failed\n", swaps.size(),
              swapping / static_cast<double>(swaps.size()), longest, failed.load());
  print("before", std::move(before), around);
  print("during", std::move(during), swapping);
  print("after", std::move(after), around);
  return failed == 0 ? 0 : 1;
}
