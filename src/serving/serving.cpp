#include "segue/serving.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "items/check_input.hpp"
#include "metrics/observed.hpp"
#include "serving/open_snapshot.hpp"
#include "serving/pinned_slots.hpp"
#include "serving/reaper.hpp"
#include "serving/snapshot.hpp"
#include "serving/stand_back.hpp"

namespace segue {
namespace {

using Snapshots = PinnedSlots<ServingSnapshotBody>;
using Pin = Snapshots::Pin;
using Opened = Result<std::unique_ptr<ServingSnapshotBody>>;

class ServingBody final : public Serving, private MetricsSource {
 public:
  explicit ServingBody(ServingOptions options) : options_(std::move(options)), reaper_(std::make_shared<Reaper>()) {}
  ~ServingBody() override {
    metrics_.leave();
    // What is freed from here on is freed here.
    reaper_->close();
    snapshots_.exchange(nullptr);
  }

  Result<std::uint64_t> swap(const std::string& path) override {
    return replace([&] { return open_snapshot(path, options_, metric_); });
  }
  Result<std::uint64_t> swap(std::shared_ptr<const Index> index) override {
    return replace([&] { return adopt_snapshot(std::move(index), options_, metric_); });
  }
  template <class Open>
  Result<std::uint64_t> replace(const Open& open);
  template <class Open>
  Status replace_by(const Open& open, std::uint64_t& generation, std::uint64_t& items);

  Status search_into(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                     float* scores) const override {
    const Pin now(snapshots_);
    return explain(queries, *now, now->index().search_into(queries, k, options, ids, scores));
  }
  Result<SearchResult> search(MatrixView queries, std::size_t k, const SearchOptions& options) const override {
    const Pin now(snapshots_);
    Result<SearchResult> found = now->index().search(queries, k, options);
    if (found.ok()) return found;
    return explain(queries, *now, found.status());
  }
  Result<RangeResult> range_search(MatrixView queries, float threshold, const SearchOptions& options) const override {
    const Pin now(snapshots_);
    Result<RangeResult> found = now->index().range_search(queries, threshold, options);
    if (found.ok()) return found;
    return explain(queries, *now, found.status());
  }

  std::shared_ptr<const ServingSnapshot> current() const override { return Pin(snapshots_).share(); }
  std::uint64_t generation() const noexcept override { return Pin(snapshots_)->generation(); }
  std::string path() const override { return Pin(snapshots_)->path(); }
  std::chrono::system_clock::time_point loaded_at() const noexcept override { return Pin(snapshots_)->loaded_at(); }
  std::size_t held() const noexcept override { return reaper_->held(); }
  Metric metric() const noexcept override { return *metric_; }
  void set_metrics(std::shared_ptr<Metrics> metrics) override {
    std::shared_ptr<Metrics> before;
    const std::lock_guard lock(switching_);
    std::uint64_t number = 0;
    before = metrics_.set(metrics, *this, number);
    Pin(snapshots_)->index().set_metrics(std::move(metrics));
  }
  std::shared_ptr<Metrics> metrics() const override { return metrics_.get(); }

 private:
  void add_gauges(MetricsSnapshot& snapshot) const override {
    ServingGauges& gauges = snapshot.serving ? *snapshot.serving : snapshot.serving.emplace();
    const Pin now(snapshots_);
    gauges.generation = std::max(gauges.generation, now->generation());
    gauges.held += held();
    const std::chrono::duration<double> age = std::chrono::system_clock::now() - now->loaded_at();
    gauges.age = std::max(gauges.age, age.count());
  }
  static std::string name_of(const ServingSnapshotBody& snapshot) {
    return "generation " + std::to_string(snapshot.generation()) +
           (snapshot.path().empty() ? "" : " ('" + snapshot.path() + "')");
  }
  // A query of another dimension: it may have been made for a snapshot that served a moment ago.
  static Status explain(MatrixView queries, const ServingSnapshotBody& snapshot, Status status) {
    if (status.ok() || queries.cols() == snapshot.index().dim() || queries.rows() == 0) return status;
    return {status.code(), status.message() + "; it is " + name_of(snapshot) +
                               " of what this Serving has served, and one before it may have had another dimension: hold "
                               "current() from making a query to its answer"};
  }

  const ServingOptions options_;
  std::optional<Metric> metric_;  // of the first snapshot, before anybody else sees this
  const std::shared_ptr<Reaper> reaper_;
  Snapshots snapshots_;
  MetricsLink metrics_;
  std::mutex switching_;  // held while metrics change, and while an index gets them and begins to serve
  std::mutex swapping_;
  std::uint64_t generation_ = 0;
};

template <class Open>
Result<std::uint64_t> ServingBody::replace(const Open& open) {
  if (is_preparing(options_)) return invalid_argument("prepare called swap() of the Serving that it prepares for");
  std::uint64_t generation = 0;
  std::uint64_t items = 0;
  const Status done = observed(metrics_, Operation::kSwap, items, [&] { return replace_by(open, generation, items); });
  if (!done.ok()) return done;
  return generation;
}

template <class Open>
Status ServingBody::replace_by(const Open& open, std::uint64_t& generation, std::uint64_t& items) {
  const std::lock_guard one_at_a_time(swapping_);
  Opened opened = open();
  if (!opened.ok()) {
    if (generation_ == 0) return opened.status();
    return Status(opened.status().code(), opened.status().message() + "; " + name_of(*Pin(snapshots_)) + " goes on serving");
  }
  ServingSnapshotBody& next = **opened;
  next.generation_ = generation_ + 1;
  next.loaded_at_ = std::chrono::system_clock::now();
  const Metric metric = next.index().metric();
  items = next.index().size();
  std::shared_ptr<const ServingSnapshotBody> watched;
  SEGUE_RETURN_IF_ERROR(guard_memory([&]() -> Status {
    watched = reaper_->watch(std::move(*opened));
    return {};
  }));
  if (!metric_) metric_ = metric;
  generation = ++generation_;
  {
    const std::lock_guard switching(switching_);
    if (std::shared_ptr<Metrics> metrics = metrics_.get()) watched->index().set_metrics(std::move(metrics));
    snapshots_.exchange(std::move(watched)).reset();
  }
  reaper_->wait();
  return {};
}

template <class What>
Result<std::unique_ptr<Serving>> start(What what, ServingOptions options) {
  if (options.niceness < 0 || options.niceness > kOnlyIdle) {
    return invalid_argument("niceness is " + std::to_string(options.niceness) + "; it must be between 0 and 20");
  }
  std::unique_ptr<ServingBody> serving;
  SEGUE_RETURN_IF_ERROR(guard_memory([&]() -> Status {
    serving = std::make_unique<ServingBody>(std::move(options));
    return serving->swap(std::move(what)).status();
  }));
  return std::unique_ptr<Serving>(std::move(serving));
}

}  // namespace

Result<std::unique_ptr<Serving>> Serving::open(const std::string& path, ServingOptions options) {
  return start(path, std::move(options));
}

Result<std::unique_ptr<Serving>> Serving::create(std::shared_ptr<const Index> index, ServingOptions options) {
  return start(std::move(index), std::move(options));
}

}  // namespace segue
