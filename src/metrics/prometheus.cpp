// The text format of Prometheus, version 0.0.4.

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "metrics/latency_buckets.hpp"
#include "segue/metrics.hpp"

namespace segue {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The shortest digits that read back as the same number.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 40> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), written.ptr};
}

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\') out += "\\\\";
    else if (c == '"') out += "\\\"";
    else if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

// Powers of two of nanoseconds, which are edges of buckets.
std::vector<double> usual_bounds() {
  std::vector<double> bounds;
  for (int power = 13; power <= 34; ++power) bounds.push_back(std::ldexp(1e-9, power));
  return bounds;
}

struct Named {
  const char* op;  // null: none
  const OperationMetrics& of;
};

class Page {
 public:
  Page(const Labels& labels, const std::vector<double>& bounds) : bounds_(bounds.empty() ? usual_bounds() : bounds) {
    for (const auto& [name, value] : labels) common_ += (common_.empty() ? "" : ",") + name + "=\"" + escaped(value) + "\"";
  }

  void head(const char* name, const char* type, const char* help) {
    text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  }
  void sample(std::string_view name, std::string_view op, std::string_view more, const std::string& value) {
    std::string labels = common_;
    const auto add = [&](std::string_view label, std::string_view of) {
      if (of.empty()) return;
      if (!labels.empty()) labels += ",";
      labels.append(label).append("=\"").append(of).append("\"");
    };
    add("op", op);
    add("le", more);
    text_ += name;
    if (!labels.empty()) text_ += "{" + labels + "}";
    text_ += " " + value + "\n";
  }
  void one(const char* name, const char* type, const char* help, std::uint64_t value) {
    head(name, type, help);
    sample(name, "", "", std::to_string(value));
  }
  void one(const char* name, const char* type, const char* help, double value) {
    head(name, type, help);
    sample(name, "", "", number(value));
  }
  void each(const char* name, const char* help, std::initializer_list<Named> operations,
            std::uint64_t OperationMetrics::* what) {
    head(name, "counter", help);
    for (const Named& operation : operations) sample(name, op_of(operation), "", std::to_string(operation.of.*what));
  }
  void latencies(const char* name, const char* help, std::initializer_list<Named> operations) {
    head(name, "histogram", help);
    const std::string base = name;
    for (const Named& operation : operations) {
      const LatencyHistogram& latency = operation.of.latency;
      for (const double bound : bounds_) {
        sample(base + "_bucket", op_of(operation), number(bound), std::to_string(latency.at_most(bound)));
      }
      sample(base + "_bucket", op_of(operation), "+Inf", std::to_string(latency.count));
      sample(base + "_sum", op_of(operation), "", number(latency.seconds));
      sample(base + "_count", op_of(operation), "", std::to_string(latency.count));
    }
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string_view op_of(const Named& operation) { return operation.op == nullptr ? "" : operation.op; }

  std::string common_;
  std::vector<double> bounds_;
  std::string text_;
};

void put_searches(Page& page, const MetricsSnapshot& now) {
  const std::initializer_list<Named> searches = {{"search", now.search}, {"range_search", now.range_search}};
  page.each("segue_searches_total", "Calls that were answered.", searches, &OperationMetrics::calls);
  page.each("segue_search_errors_total", "Calls that failed.", searches, &OperationMetrics::errors);
  page.each("segue_search_queries_total", "Queries in the calls that were answered.", searches, &OperationMetrics::items);
  page.latencies("segue_search_latency_seconds", "What a caller waited for, a batch of queries once.", searches);
  page.one("segue_search_distances_total", "counter", "Scores computed.", now.distances);
  page.one("segue_search_visited_total", "counter", "Vertices expanded, or rows scanned.", now.visited);
  page.one("segue_search_cut_total", "counter", "Queries that a deadline ended.", now.cut);
}

void put_changes(Page& page, const MetricsSnapshot& now) {
  const std::initializer_list<Named> changes = {{"add", now.add}, {"upsert", now.upsert}, {"remove", now.remove}};
  page.each("segue_updates_total", "Calls that changed an index.", changes, &OperationMetrics::calls);
  page.each("segue_update_errors_total", "Calls that failed.", changes, &OperationMetrics::errors);
  page.each("segue_updated_items_total", "Items in the calls that changed an index.", changes, &OperationMetrics::items);
  page.latencies("segue_update_latency_seconds", "What a caller waited for.", changes);
}

void put_snapshots(Page& page, const MetricsSnapshot& now) {
  page.one("segue_snapshots_total", "counter", "Snapshots of live indexes written.", now.snapshot.calls);
  page.one("segue_snapshot_errors_total", "counter", "Snapshots that failed.", now.snapshot.errors);
  page.one("segue_snapshot_bytes_total", "counter", "Bytes in the snapshots written.", now.snapshot.items);
  page.latencies("segue_snapshot_latency_seconds", "How long a snapshot took.", {{nullptr, now.snapshot}});
  if (!now.live) return;
  page.one("segue_journal_lag_changes", "gauge", "Changes that the disk does not have yet.", now.live->journal_lag);
  page.one("segue_journal_bytes", "gauge", "Journal since the last snapshot.", now.live->journal_bytes);
  page.one("segue_snapshot_age_seconds", "gauge", "Since the last snapshot was begun.", now.live->snapshot_age);
}

void put_serving(Page& page, const MetricsSnapshot& now) {
  page.one("segue_swaps_total", "counter", "Swaps to another index.", now.swap.calls);
  page.one("segue_swap_errors_total", "counter", "Swaps that failed and changed nothing.", now.swap.errors);
  page.latencies("segue_swap_latency_seconds", "How long a swap took.", {{nullptr, now.swap}});
  if (!now.serving) return;
  page.one("segue_serving_generation", "gauge", "Of the index that serves.", now.serving->generation);
  page.one("segue_serving_held", "gauge", "Snapshots held in memory.", now.serving->held);
  page.one("segue_serving_age_seconds", "gauge", "Since the index that serves began to.", now.serving->age);
}

void put_recall(Page& page, const RecallEstimate& recall) {
  page.one("segue_shadow_sampled_total", "counter", "Queries chosen to be answered a second time, exactly.", recall.sampled);
  page.one("segue_shadow_measured_total", "counter", "Of those, compared.", recall.measured);
  page.one("segue_shadow_dropped_total", "counter", "Of those, dropped as too many waited.", recall.dropped);
  page.one("segue_shadow_skipped_total", "counter", "Of those, with nothing to be found, or of an index that has gone.",
           recall.skipped);
  page.one("segue_shadow_wanted_total", "counter", "True answers of the queries compared.", recall.wanted);
  page.one("segue_shadow_found_total", "counter", "Of those, found when they were asked.", recall.found);
  if (recall.measured == 0) return;
  page.one("segue_recall_estimate", "gauge", "Mean recall of the queries compared.", recall.recall);
  page.one("segue_recall_estimate_low", "gauge", "Lower end of its 95 % interval.", recall.low);
  page.one("segue_recall_estimate_high", "gauge", "Upper end of its 95 % interval.", recall.high);
}

}  // namespace

std::string to_prometheus(const MetricsSnapshot& now, const Labels& labels, const std::vector<double>& bounds) {
  Page page(labels, bounds);
  put_searches(page, now);
  put_changes(page, now);
  put_snapshots(page, now);
  put_serving(page, now);
  put_recall(page, now.recall);
  page.one("segue_indexes", "gauge", "Indexes attached.", now.indexes);
  page.one("segue_items", "gauge", "Items in them.", now.items);
  page.one("segue_memory_bytes", "gauge", "Bytes held by them, mapped files included.", now.memory);
  return page.take();
}

}  // namespace segue
