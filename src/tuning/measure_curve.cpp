#include "tuning/measure_curve.hpp"

#include <algorithm>
#include <cmath>

#include "items/recall_curves.hpp"
#include "tuning/fit_curve.hpp"

namespace segue {
namespace {

constexpr double kStep = 1.4142135623730951;
constexpr std::size_t kLargestEffort = 65536;
constexpr double kHighRecall = 0.999;        // where a curve ends
constexpr std::size_t kBeyondTarget = 8;     // or at so many times the effort that the target takes
constexpr std::size_t kQueriesAPiece = 128;  // between two looks at progress

// The share of `wanted` that is in `found`. Of an index with fewer than k items no more is wanted than there are.
double recall_of(std::span<const Id> found, std::span<const Id> wanted) {
  std::size_t there = 0;
  std::size_t hits = 0;
  for (const Id id : wanted) {
    if (id == kMissingId) break;
    ++there;
    hits += std::find(found.begin(), found.end(), id) != found.end();
  }
  return there == 0 ? 1.0 : static_cast<double>(hits) / static_cast<double>(there);
}

// All queries at one effort.
class Passes {
 public:
  Passes(const Index& index, const Sample& sample, int threads) : index_(index), sample_(sample), threads_(threads) {
    recalls_.resize(sample.queries.rows());
  }

  // Fills point.recall, recall_low, distances and `microseconds`.
  template <class GoOn>
  Status run(CurvePoint& point, double& microseconds, const GoOn& go_on) {
    const std::size_t k = sample_.k;
    const std::size_t n = sample_.queries.rows();
    double distances = 0;
    microseconds = 0;
    for (std::size_t first = 0; first < n; first += kQueriesAPiece) {
      const std::size_t count = std::min(kQueriesAPiece, n - first);
      stats_.assign(count, {});
      const SearchOptions options{.ef = point.effort, .nprobe = point.effort, .threads = threads_, .stats = stats_};
      const Result<SearchResult> found = index_.search(sample_.queries.slice(first, count), k, options);
      if (!found.ok()) return found.status();
      for (std::size_t q = 0; q < count; ++q) {
        recalls_[first + q] =
            recall_of({found->ids.data() + q * k, k}, sample_.truth.subspan((first + q) * sample_.columns, k));
        distances += static_cast<double>(stats_[q].distances);
        microseconds += stats_[q].microseconds;
      }
      if (!go_on()) return cancelled("tune was cancelled; the index keeps what it had");
    }
    const MeasuredRecall measured = summarize_recalls(recalls_, k);
    point.recall = measured.mean;
    point.recall_low = std::min(measured.low, measured.mean);
    point.distances = distances / static_cast<double>(n);
    microseconds /= static_cast<double>(n);
    return {};
  }

 private:
  const Index& index_;
  const Sample& sample_;
  int threads_;
  std::vector<double> recalls_;
  std::vector<QueryStats> stats_;
};

// Of a graph: from the k candidates that it keeps at least; beyond the number of items nothing changes. Of lists: from
// one to all of them.
std::vector<std::size_t> efforts_to_try(const Index& index, std::size_t k) {
  // By its figures, not by its class: an index of lists may be inside of another, as in a LiveIndex.
  const bool of_lists = index.kind() == "ivf";
  std::size_t lists = 0;
  if (of_lists) {
    for (const auto& [name, figure] : index.stats()) lists = name == "lists" ? static_cast<std::size_t>(figure) : lists;
  }
  const std::size_t least = of_lists ? 1 : k;
  const std::size_t most = of_lists ? lists : index.size();
  const std::size_t largest = std::max(least, std::min({most, kLargestEffort, kMaxEffort}));
  std::vector<std::size_t> efforts{least};
  while (efforts.back() < largest && efforts.size() < kMaxCurvePoints) {
    const auto next = static_cast<std::size_t>(std::lround(static_cast<double>(efforts.back()) * kStep));
    efforts.push_back(std::min(largest, std::max(next, efforts.back() + 1)));
  }
  return efforts;
}

}  // namespace

Result<MeasuredCurve> measure_curve(const Index& index, const Sample& sample, double recall, int threads,
                                    const std::function<bool(std::size_t, std::size_t)>& progress) {
  MeasuredCurve curve;
  Passes passes(index, sample, threads);
  const double half = static_cast<double>(index.size()) / 2;
  const std::vector<std::size_t> efforts = efforts_to_try(index, sample.k);
  std::size_t done = 0;
  const auto go_on = [&] { return progress(done, efforts.size()); };
  {
    // A pass that counts for nothing: the first one after loading reads the file, and time is measured.
    CurvePoint cold{.effort = efforts.front()};
    double microseconds = 0;
    SEGUE_RETURN_IF_ERROR(passes.run(cold, microseconds, go_on));
  }
  std::size_t enough = kMaxEffort;
  for (const std::size_t effort : efforts) {
    CurvePoint point{.effort = effort};
    double microseconds = 0;
    SEGUE_RETURN_IF_ERROR(passes.run(point, microseconds, go_on));
    ++done;
    curve.points.push_back(point);
    curve.microseconds.push_back(microseconds);
    if (enough == kMaxEffort && point.recall_low >= recall) enough = effort * kBeyondTarget;
    const bool high = point.recall_low >= std::max(recall, kHighRecall);
    if (high || effort >= enough || point.distances >= half) break;
  }
  fit_curve(curve.points);
  return curve;
}

}  // namespace segue
