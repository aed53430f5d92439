#pragma once
// What a soak is judged by: errors, wrong answers, rates that were not kept, memory that grows, a p99 that drifts, recall that
// falls.
//
// Growth and drift are slopes through all periods after the warm-up, by Theil and Sen (the median of the slopes of all
// pairs; Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 1968): up to 29 % of the periods may
// be anything, so a minute in which something else ran on the machine is no drift, and a steady leak is one.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace segue::bench {

struct SoakPeriod {
  double begin = 0, end = 0;       // seconds since the start
  std::uint64_t searches = 0;      // in the live index
  std::uint64_t serving_searches = 0, updates = 0;
  std::uint64_t errors = 0;        // calls that failed, and answers that were wrong
  double p99 = 0;                  // of searches in the live index, microseconds
  double serving_p99 = 0;          // of those in the Serving
  std::uint64_t resident = 0;      // the least of it within the period, bytes: peaks are those of snapshots
  double recall = -1;              // -1: not looked at
  double serving_recall = -1;
};

struct SoakLimits {
  double warm_up = 240;            // seconds that are not judged, but for errors
  double growth = 0.03;            // of resident memory, from the end of the warm-up to the end; a share of it
  std::uint64_t growth_bytes = 4 << 20;  // and so much more, which one arena of the allocator takes
  double drift = 0.25;             // of either p99 in the same time; a share. Below 0: not judged
  double searches = 1000;          // a second that are due, in the live index
  double serving_searches = 250, updates = 500;
  double kept = 0.98;              // so much of each has to be done
  double recall = 0.93;            // on average, of either
  double recall_fall = 0.02;       // and so much of it may be lost in the same time
};

// The median of the slopes of all pairs; 0 of fewer than two.
inline double steady_slope(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[j] != x[i]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    }
  }
  if (slopes.empty()) return 0;
  const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  return *middle;
}

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct SoakVerdict {
  std::vector<std::string> failures;  // none: it held
  std::size_t judged = 0;             // periods after the warm-up
  double growth = 0;                  // bytes, over the periods judged
  double resident = 0;                // the median of it
  double drift = 0, serving_drift = 0;  // shares, over the periods judged
  double p99 = 0, serving_p99 = 0;    // medians
  double recall = 0, serving_recall = 0;  // on average
};

// A figure in time: what was seen of it after the warm-up.
struct SoakCourse {
  std::vector<double> at, values;

  void add(double time, double value) {
    at.push_back(time);
    values.push_back(value);
  }
  double seconds() const { return at.empty() ? 0 : at.back() - at.front(); }
  // By how much it went up from the first to the last, but for noise.
  double rise() const { return steady_slope(at, values) * seconds(); }
  double average() const {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
  }
};

inline SoakVerdict judge(const std::vector<SoakPeriod>& periods, const SoakLimits& limits) {
  SoakVerdict verdict;
  const auto fail = [&](const char* format, auto... values) {
    char text[256];
    std::snprintf(text, sizeof(text), format, values...);
    verdict.failures.emplace_back(text);
  };
  SoakCourse resident, p99, serving_p99, recall, serving_recall;
  std::uint64_t errors = 0;
  double judged_seconds = 0, searches = 0, serving_searches = 0, updates = 0;
  for (const SoakPeriod& period : periods) {
    errors += period.errors;
    if (period.begin < limits.warm_up) continue;
    judged_seconds += period.end - period.begin;
    searches += static_cast<double>(period.searches);
    serving_searches += static_cast<double>(period.serving_searches);
    updates += static_cast<double>(period.updates);
    const double at = (period.begin + period.end) / 2;
    resident.add(at, static_cast<double>(period.resident));
    p99.add(at, period.p99);
    serving_p99.add(at, period.serving_p99);
    if (period.recall >= 0) recall.add(at, period.recall);
    if (period.serving_recall >= 0) serving_recall.add(at, period.serving_recall);
  }
  if (errors != 0) fail("%llu errors or wrong answers", static_cast<unsigned long long>(errors));
  verdict.judged = resident.at.size();
  if (verdict.judged < 3) {
    fail("%zu periods after a warm-up of %.0f s are too few to judge; 3 are needed", verdict.judged, limits.warm_up);
    return verdict;
  }
  const double seconds = resident.seconds();
  const auto judge_rate = [&](double done, double rate, const char* what) {
    if (done < limits.kept * rate * judged_seconds) {
      fail("%.1f of %.1f %s a second were done", done / judged_seconds, rate, what);
    }
  };
  judge_rate(searches, limits.searches, "searches in the live index");
  judge_rate(serving_searches, limits.serving_searches, "searches in the Serving");
  judge_rate(updates, limits.updates, "updates");
  verdict.resident = median(resident.values);
  verdict.growth = resident.rise();
  if (verdict.growth > limits.growth * verdict.resident + static_cast<double>(limits.growth_bytes)) {
    fail("memory grew by %.1f MB of %.1f MB in %.0f s", verdict.growth / 1e6, verdict.resident / 1e6, seconds);
  }
  const auto judge_p99 = [&](const SoakCourse& course, const char* where, double& middle, double& drift) {
    middle = median(course.values);
    drift = course.rise() / std::max(middle, 1.0);
    if (limits.drift >= 0 && drift > limits.drift) {
      fail("p99 of searches in %s rose by %.0f %% in %.0f s", where, 100 * drift, seconds);
    }
  };
  judge_p99(p99, "the live index", verdict.p99, verdict.drift);
  judge_p99(serving_p99, "the Serving", verdict.serving_p99, verdict.serving_drift);
  const auto judge_recall = [&](const SoakCourse& course, const char* where, double& average) {
    average = course.average();
    if (course.values.empty()) fail("recall of %s was never looked at", where);
    else if (average < limits.recall) fail("recall of %s is %.4f", where, average);
    if (-course.rise() > limits.recall_fall) fail("recall of %s fell by %.4f in %.0f s", where, -course.rise(), seconds);
  };
  judge_recall(recall, "the live index", verdict.recall);
  judge_recall(serving_recall, "the Serving", verdict.serving_recall);
  return verdict;
}

}  // namespace segue::bench
