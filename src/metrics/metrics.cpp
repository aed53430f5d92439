#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <system_error>

#include "items/check_input.hpp"
#include "metrics/metrics_body.hpp"

namespace segue {
namespace {

bool is_label_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

Status check_labels(const MetricsOptions& options) {
  for (std::size_t i = 0; i < options.labels.size(); ++i) {
    const std::string& name = options.labels[i].first;
    const std::string what = "label '" + name + "'";
    if (!is_label_name(name)) {
      return invalid_argument(what + " is no name of a label; it must be letters, digits and underscores, no digit first");
    }
    if (name == "le" || name == "op" || name.rfind("__", 0) == 0) {
      return invalid_argument(what + " is taken by the metrics themselves; choose another name");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (options.labels[j].first == name) return invalid_argument(what + " came twice; give each name once");
    }
  }
  return {};
}

Status check_bounds(const std::vector<double>& bounds) {
  double last = 0;
  for (const double bound : bounds) {
    if (!(bound > last) || std::isinf(bound)) {
      return invalid_argument("latency_bounds has " + std::to_string(bound) + " after " + std::to_string(last) +
                              "; they must be seconds above 0, ascending and finite");
    }
    last = bound;
  }
  return {};
}

Status check_shadow(const ShadowRecallOptions& shadow) {
  if (!(shadow.rate >= 0 && shadow.rate <= 1)) {
    return invalid_argument("shadow.rate is " + std::to_string(shadow.rate) + "; it must be 0 to 1");
  }
  if (shadow.queue < 1 || shadow.queue > 65'536) {
    return invalid_argument("shadow.queue is " + std::to_string(shadow.queue) + "; it must be 1 to 65536");
  }
  if (!(shadow.load > 0 && shadow.load <= 1)) {
    return invalid_argument("shadow.load is " + std::to_string(shadow.load) + "; it must be above 0 and at most 1");
  }
  return {};
}

}  // namespace

const char* span_name(Operation operation) noexcept {
  constexpr const char* kNames[] = {"segue.search", "segue.range_search", "segue.add", "segue.upsert",
                                    "segue.remove", "segue.snapshot",     "segue.swap"};
  return kNames[static_cast<unsigned>(operation)];
}

Result<std::shared_ptr<Metrics>> Metrics::create(MetricsOptions options) {
  SEGUE_RETURN_IF_ERROR(check_labels(options));
  SEGUE_RETURN_IF_ERROR(check_bounds(options.latency_bounds));
  SEGUE_RETURN_IF_ERROR(check_shadow(options.shadow));
  std::shared_ptr<Metrics> made;
  SEGUE_RETURN_IF_ERROR(guard_memory([&]() -> Status {
    try {
      made = std::make_shared<MetricsBody>(std::move(options));
    } catch (const std::system_error& error) {
      return out_of_memory(std::string("the thread of shadow queries could not be started: ") + error.what());
    }
    return {};
  }));
  return made;
}

MetricsBody::MetricsBody(MetricsOptions options) : options_(std::move(options)) {
  if (options_.shadow.rate > 0) shadow_ = std::make_unique<ShadowRecall>(options_.shadow, *this);
}

MetricsBody::~MetricsBody() { shadow_.reset(); }

OperationCounters& MetricsBody::counters(Operation operation) noexcept {
  switch (operation) {
    case Operation::kSearch: return shares_[my_share()].search;
    case Operation::kRangeSearch: return shares_[my_share()].range_search;
    case Operation::kAdd: return add_;
    case Operation::kUpsert: return upsert_;
    case Operation::kRemove: return remove_;
    case Operation::kSnapshot: return snapshot_;
    case Operation::kSwap: break;
  }
  return swap_;
}

std::uint64_t MetricsBody::record_search(Operation operation, std::uint64_t nanoseconds, std::size_t queries,
                                         std::span<const QueryStats> stats) noexcept {
  const std::size_t share = my_share();
  SearchCounters& mine = shares_[share];
  std::uint64_t distances = 0;
  std::uint64_t visited = 0;
  std::uint64_t cut = 0;
  for (const QueryStats& query : stats) {
    distances += query.distances;
    visited += query.visited;
    cut += query.cut;
  }
  raise_by(mine.distances, distances);
  raise_by(mine.visited, visited);
  if (cut != 0) raise_by(mine.cut, cut);
  (operation == Operation::kSearch ? mine.search : mine.range_search).succeed(nanoseconds, queries);
  if (operation != Operation::kSearch || shadow_ == nullptr) return 0;
  const std::uint64_t before = mine.numbered.fetch_add(queries, std::memory_order_relaxed);
  return std::uint64_t{share} << 56 | before;
}

MetricsSnapshot MetricsBody::snapshot() const {
  MetricsSnapshot now;
  for (const SearchCounters& share : shares_) {
    now.distances += value_of(share.distances);
    now.visited += value_of(share.visited);
    now.cut += value_of(share.cut);
    share.search.add_to(now.search);
    share.range_search.add_to(now.range_search);
  }
  add_.add_to(now.add);
  upsert_.add_to(now.upsert);
  remove_.add_to(now.remove);
  snapshot_.add_to(now.snapshot);
  swap_.add_to(now.swap);
  if (shadow_ != nullptr) now.recall = shadow_->estimate();
  const std::lock_guard lock(sources_mutex_);
  for (const auto& [number, source] : sources_) source->add_gauges(now);
  return now;
}

std::string MetricsBody::prometheus() const {
  return to_prometheus(snapshot(), options_.labels, options_.latency_bounds);
}

std::uint64_t MetricsBody::join(const MetricsSource& source) noexcept {
  const std::lock_guard lock(sources_mutex_);
  try {
    sources_.emplace_back(next_source_, &source);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return next_source_++;
}

void MetricsBody::leave(std::uint64_t number) noexcept {
  const std::lock_guard lock(sources_mutex_);
  std::erase_if(sources_, [number](const auto& known) { return known.first == number; });
}

}  // namespace segue
