#include "metrics/shadow_recall.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "items/index_internals.hpp"
#include "metrics/metrics_body.hpp"
#include "segue/core/mix64.hpp"
#include "segue/core/scorer.hpp"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

// Rows of a piece: 512 of 128 dimensions are copied in 20 us, which is how long a writer may have to wait for it.
constexpr std::size_t kPiece = kMaxScoreList;
// Shorter sleeps would be longer than asked for.
constexpr std::chrono::microseconds kWorkBeforeSleep(1000);

// A rate as a bound for 64-bit numbers.
std::uint64_t threshold_of(double rate) noexcept {
  return rate >= 1 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(std::ldexp(rate, 64));
}

// Wilson's 95 % interval for `share` of n.
void set_interval(double n, double share, RecallEstimate& estimate) noexcept {
  constexpr double z = 1.959963984540054;
  const double scale = 1 + z * z / n;
  const double centre = (share + z * z / (2 * n)) / scale;
  const double half = z / scale * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  estimate.low = std::clamp(centre - half, 0.0, share);
  estimate.high = std::clamp(centre + half, share, 1.0);
}

}  // namespace

ShadowRecall::ShadowRecall(const ShadowRecallOptions& options, const MetricsBody& metrics)
    : options_(options), metrics_(metrics), threshold_(threshold_of(options.rate)) {
  waiting_.reserve(options.queue);
  thread_ = std::thread([this] { run(); });
}

ShadowRecall::~ShadowRecall() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool ShadowRecall::chosen(std::uint64_t number) const noexcept {
  const std::uint64_t drawn = mix64(mix64(options_.seed) + (number + 1) * kGoldenGamma);
  return drawn < threshold_ || threshold_ == std::numeric_limits<std::uint64_t>::max();
}

void ShadowRecall::offer(std::uint64_t first, std::uint64_t source, MatrixView queries, std::size_t k,
                         const SearchOptions& options, const Id* ids) noexcept {
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    if (!chosen(first + q)) continue;
    take(source, {queries.row(q), queries.cols()}, k, options.filter, options.exclude.of(q), {ids + q * k, k});
  }
}

void ShadowRecall::take(std::uint64_t source, std::span<const float> query, std::size_t k, const IdSet* filter,
                        std::span<const Id> exclude, std::span<const Id> found) noexcept {
  sampled_.fetch_add(1, std::memory_order_relaxed);
  bool taken = false;
  try {
    // The thread holds it for as long as a swap takes; whoever meets that moment, or another query, does not wait.
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock() && waiting_.size() < options_.queue) {
      waiting_.push_back({source, ScanQuery(query, k, filter, exclude, found)});
      taken = true;
    }
  } catch (const std::bad_alloc&) {
  }
  if (taken) wake_.notify_one();
  else dropped_.fetch_add(1, std::memory_order_relaxed);
}

void ShadowRecall::run() {
  std::vector<Job> jobs;
  for (;;) {
    jobs.clear();
    jobs.reserve(options_.queue);
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      jobs.swap(waiting_);
    }
    awake_since_ = Clock::now();
    answer(jobs);
  }
}

void ShadowRecall::answer(std::vector<Job>& jobs) {
  std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.source < b.source; });
  for (auto first = jobs.begin(); first != jobs.end();) {
    const auto last = std::find_if(first, jobs.end(), [&](const Job& job) { return job.source != first->source; });
    std::vector<ScanQuery*> queries;
    for (auto job = first; job != last; ++job) queries.push_back(&job->query);
    bool scanned = false;
    try {
      scanned = scan(first->source, queries);
    } catch (const std::bad_alloc&) {
    }
    if (stopping_) return;
    const std::lock_guard lock(figures_mutex_);
    for (const ScanQuery* query : queries) {
      if (!scanned || query->wanted() == 0) {
        ++figures_.skipped;
        continue;
      }
      ++figures_.measured;
      figures_.wanted += query->wanted();
      figures_.found += query->hits();
      recalls_ += static_cast<double>(query->hits()) / static_cast<double>(query->wanted());
    }
    first = last;
  }
}

bool ShadowRecall::scan(std::uint64_t source, std::span<ScanQuery* const> queries) {
  std::optional<ExactScan> scan;
  std::vector<Id> ids;
  std::vector<float> rows;
  for (std::size_t first = 0, slots = 1; first < slots; first += kPiece) {
    bool readable = false;
    const bool there = metrics_.with_source(source, [&](const MetricsSource& known) {
      const IndexInternals* const index = known.scanned();
      if (index == nullptr) return;
      if (!scan) {
        const auto& face = dynamic_cast<const Index&>(*index);
        scan.emplace(face.dim(), face.metric(), queries);
      }
      slots = index->read_slots(first, kPiece, ids, rows);
      readable = true;
    });
    if (!there || !readable) return false;
    scan->take(ids, rows);
    if (!pause()) return false;
  }
  return true;
}

bool ShadowRecall::pause() {
  const Clock::time_point now = Clock::now();
  worked_ += now - awake_since_;
  awake_since_ = now;
  if (worked_ >= kWorkBeforeSleep && options_.load < 1) {
    const auto rest = std::chrono::duration_cast<Clock::duration>(worked_ * (1 / options_.load - 1));
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, rest, [this] { return stopping_.load(); });
    awake_since_ = Clock::now();
    worked_ = {};
  }
  return !stopping_;
}

RecallEstimate ShadowRecall::estimate() const {
  RecallEstimate now;
  {
    const std::lock_guard lock(figures_mutex_);
    now = figures_;
    if (now.measured != 0) {
      const auto n = static_cast<double>(now.measured);
      now.recall = std::min(1.0, recalls_ / n);
      set_interval(n, now.recall, now);
    }
  }
  now.dropped = dropped_.load(std::memory_order_relaxed);
  now.sampled = sampled_.load(std::memory_order_relaxed);
  return now;
}

}  // namespace segue
