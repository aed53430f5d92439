#include "segue/tune.hpp"

#include <algorithm>
#include <string>

#include "items/check_input.hpp"
#include "tuning/exact_answers.hpp"
#include "tuning/make_queries.hpp"
#include "tuning/measure_curve.hpp"

namespace segue {
namespace {

Status check_options(const Index& index, MatrixView queries, const TuneOptions& options) {
  if (!(options.recall > 0 && options.recall < 1)) {
    return invalid_argument("recall is " + std::to_string(options.recall) +
                            "; it must be above 0 and below 1: no sample proves that all is always found");
  }
  SEGUE_RETURN_IF_ERROR(check_search(queries, options.k, {.threads = options.threads}, index.dim(), index.metric()));
  if (index.size() == 0) return invalid_argument("the index is empty; add items, then tune");
  if (options.truth.empty()) {
    if (queries.rows() == 0 && options.sample == 0) {
      return invalid_argument("sample is 0 and there are no queries; give queries, or let at least 1 item be one");
    }
    return {};
  }
  if (queries.rows() == 0) return invalid_argument("truth came without queries; give the queries that it belongs to");
  if (options.truth.size() % queries.rows() != 0 || options.truth.size() / queries.rows() < options.k) {
    return invalid_argument(
        "truth has " + std::to_string(options.truth.size()) + " ids for " + std::to_string(queries.rows()) +
        " queries; it must have the same number for each, k = " + std::to_string(options.k) + " or more");
  }
  return {};
}

// One scale, of as many steps as there are items: a quarter each for the scans that find queries and truth, half for
// the passes; how many of those a curve needs is known only once it ends.
class TuneProgress {
 public:
  TuneProgress(const Progress& progress, std::size_t items) : progress_(progress), items_(items) {}
  bool scanned_for_queries(std::size_t items) const { return report(items); }
  bool scanned_for_truth(std::size_t items) const { return report(items_ + items); }
  bool passed(std::size_t passes, std::size_t most) const {
    return report(2 * items_ + 2 * items_ * passes / (most + 1));
  }
  void finished() const { report(4 * items_); }

 private:
  bool report(std::size_t done) const { return !progress_ || progress_(done / 4, items_); }

  const Progress& progress_;
  std::size_t items_;
};

// An exact index has one point, and nothing to find out but what a query costs.
Result<Tuning> measure_exact(const Index& index, MatrixView queries, const TuneOptions& options) {
  std::vector<QueryStats> stats(queries.rows());
  const auto found = index.search(queries, options.k, {.threads = options.threads, .stats = stats});
  if (!found.ok()) return found.status();
  double distances = 0;
  double microseconds = 0;
  for (const QueryStats& s : stats) {
    distances += static_cast<double>(s.distances);
    microseconds += s.microseconds;
  }
  const auto n = static_cast<double>(queries.rows());
  Tuning tuning;
  tuning.curve = {options.k, queries.rows(), index.size(), 0, {{0, 1, 1, distances / n}}};
  tuning.microseconds = {microseconds / n};
  tuning.reached = true;
  tuning.expected_recall = 1;
  tuning.expected_microseconds = microseconds / n;
  return tuning;
}

double time_at(const Tuning& tuning, std::size_t effort) {
  const std::vector<CurvePoint>& points = tuning.curve.points;
  std::size_t above = 0;
  while (above + 1 < points.size() && points[above].effort < effort) ++above;
  if (above == 0) return tuning.microseconds.front();
  const auto from = static_cast<double>(points[above - 1].effort);
  const double share = (static_cast<double>(effort) - from) / (static_cast<double>(points[above].effort) - from);
  return tuning.microseconds[above - 1] + share * (tuning.microseconds[above] - tuning.microseconds[above - 1]);
}

Result<Tuning> tune_checked(Index& index, MatrixView queries, const TuneOptions& options) {
  const std::vector<Id> items = index.ids();
  const TuneProgress progress(options.progress, items.size());
  if (!progress.scanned_for_queries(0)) return cancelled("tune was cancelled; the index keeps what it had");
  std::vector<float> own_queries;
  if (queries.rows() == 0) {
    Result<std::vector<float>> made =
        make_queries(index, items, options.sample, options.seed, options.threads,
                     [&](std::size_t done) { return progress.scanned_for_queries(done); });
    if (!made.ok()) return made.status();
    own_queries = std::move(made).value();
    queries = MatrixView(own_queries, index.dim());
  }
  if (index.exact()) {
    Result<Tuning> tuning = measure_exact(index, queries, options);
    progress.finished();
    return tuning;
  }

  Sample sample{queries, options.truth, options.truth.size() / queries.rows(), options.k};
  std::vector<Id> truth;
  if (options.truth.empty()) {
    sample.columns = options.k;
    Result<std::vector<Id>> exact =
        exact_answers(index, items, search_metric_of(index.metric()), queries, options.k, options.threads,
                      [&](std::size_t done) { return progress.scanned_for_truth(done); });
    if (!exact.ok()) return exact.status();
    truth = std::move(exact).value();
    sample.truth = truth;
  }
  Result<MeasuredCurve> measured =
      measure_curve(index, sample, options.recall, options.threads,
                    [&](std::size_t done, std::size_t most) { return progress.passed(done, most); });
  if (!measured.ok()) return measured.status();

  Tuning tuning;
  tuning.curve = {options.k, queries.rows(), items.size(), 0, std::move(measured->points)};
  tuning.microseconds = std::move(measured->microseconds);
  const std::size_t effort = tuning.curve.effort_for(options.recall);
  tuning.reached = effort != 0;
  tuning.effort = tuning.reached ? effort : tuning.curve.points.back().effort;
  tuning.expected_recall = tuning.curve.recall_at(tuning.effort);
  tuning.expected_microseconds = time_at(tuning, tuning.effort);
  SEGUE_RETURN_IF_ERROR(index.set_recall_curve(tuning.curve));
  progress.finished();
  return tuning;
}

}  // namespace

Result<Tuning> tune(Index& index, MatrixView queries, const TuneOptions& options) {
  Tuning tuning;
  const Status status = guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(check_options(index, queries, options));
    Result<Tuning> made = tune_checked(index, queries, options);
    if (!made.ok()) return made.status();
    tuning = std::move(made).value();
    return {};
  });
  if (!status.ok()) return status;
  return tuning;
}

}  // namespace segue
