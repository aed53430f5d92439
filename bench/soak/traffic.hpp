#pragma once
// Traffic at a steady rate: who searches, who changes. Each thing has a moment when it is due, whatever became of those
// before it, and its latency counts from then: a call that had to wait behind a slow one is as slow as somebody who came at
// that moment would have found it (Tene, "How not to measure latency": no coordinated omission).

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "segue/segue.hpp"
#include "soak/latencies.hpp"
#include "soak/made_vectors.hpp"
#include "soak/world.hpp"

namespace segue::bench {

using Clock = std::chrono::steady_clock;

inline Clock::duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// What went wrong: how often, and the first few in words.
class Faults {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (texts_.size() < 10) texts_.push_back(what);
  }
  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::vector<std::string> texts_;
};

// Waits for one moment after another, `rate` of them a second: each anywhere within its share of the second, so that threads
// of the same rate do not meet at every one.
class Pacer {
 public:
  Pacer(Clock::time_point start, double rate, std::uint64_t seed) : start_(start), rate_(rate), random_(mix64(seed)) {
#ifdef __linux__
    ::prctl(PR_SET_TIMERSLACK, 1);  // wakes this thread when it is time, not up to 50 us later
#endif
  }
  // The moment that was waited for; past already where the one before took long.
  Clock::time_point wait() {
    random_ = mix64(random_ + kGoldenGamma);
    const double share = static_cast<double>(random_ >> 11) * 0x1p-53;
    const Clock::time_point due = start_ + seconds_of((static_cast<double>(waited_++) + share) / rate_);
    std::this_thread::sleep_until(due);
    return due;
  }

 private:
  Clock::time_point start_;
  double rate_;
  std::uint64_t random_, waited_ = 0;
};

// Searches until `stop`. `search(query, ids, scores)` is the call under test.
template <class Search>
void drive_searches(Pacer pacer, const MadeVectors& vectors, std::size_t k, std::uint64_t seed, const Search& search,
                    const std::atomic<bool>& stop, Latencies& latencies, Faults& faults) {
  std::vector<float> query(vectors.dim()), scores(k);
  std::vector<Id> ids(k);
  for (std::uint64_t n = 0; !stop.load(std::memory_order_relaxed); ++n) {
    vectors.write(mix64(seed) + n, query.data());
    const Clock::time_point due = pacer.wait();
    const Status status = search(MatrixView(query, vectors.dim()), ids.data(), scores.data());
    latencies.add(Clock::now() - due);
    if (!status.ok()) {
      faults.add("search: " + status.message());
    } else if (ids.back() < 0 || !std::is_sorted(scores.begin(), scores.end())) {
      faults.add("search: an answer is short or out of order");
    }
  }
}

// Changes places writer, writer + writers, ... at random until `stop`: half of the updates give an item another vector, a
// quarter removes one, and each of those is followed by a new one at that place.
inline void drive_updates(Pacer pacer, const MadeVectors& vectors, std::size_t writer, std::size_t writers, World& world,
                          Index& index, const std::atomic<bool>& stop, Latencies& latencies, Faults& faults) {
  std::vector<float> row(vectors.dim());
  std::uint64_t random = mix64(writer + 1);
  const std::size_t own = (world.places() - writer + writers - 1) / writers;
  std::size_t empty = world.places();  // none
  while (!stop.load(std::memory_order_relaxed)) {
    random = mix64(random + kGoldenGamma);
    const bool refill = empty != world.places();
    const std::size_t place = refill ? empty : static_cast<std::size_t>(random >> 8) % own * writers + writer;
    const bool remove = !refill && random % 3 == 0;  // then one in two of three calls is an upsert, and two are a pair
    const std::uint64_t vector = remove ? 0 : world.next_vector();
    if (!remove) vectors.write(vector, row.data());
    const Clock::time_point due = pacer.wait();
    world.begin();
    World::Item& item = world.item(place);
    Status status;
    if (remove) {
      const Result<std::size_t> removed = index.remove(std::vector<Id>{item.id});
      status = removed.status();
      if (removed.ok() && *removed != 1) faults.add("remove: id " + std::to_string(item.id) + " was not there");
    } else {
      const Id id = refill ? world.next_id(item.id) : item.id;
      const MatrixView view(row, vectors.dim());
      status = refill ? index.add(view, std::vector<Id>{id}, {.threads = 1, .progress = {}})
                      : index.upsert(view, std::vector<Id>{id}, {.threads = 1, .progress = {}});
      if (status.ok()) item = {id, vector, true};
    }
    if (status.ok()) {
      item.there = !remove;
      empty = remove ? place : world.places();
    } else {
      faults.add("update: " + status.message());
    }
    world.end();
    latencies.add(Clock::now() - due);
  }
}

}  // namespace segue::bench
