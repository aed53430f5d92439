#include "segue/live/live_index.hpp"

#include <utility>

#include "items/check_input.hpp"
#include "live/live_names.hpp"
#include "live/live_state.hpp"

namespace segue {
namespace {

constexpr std::string_view kNames[] = {"batch", "interval", "never"};

}  // namespace

std::string_view to_string(Durability durability) noexcept {
  const auto number = static_cast<std::size_t>(durability);
  return number < std::size(kNames) ? kNames[number] : "unknown";
}

Result<Durability> parse_durability(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Durability>(i);
  }
  return invalid_argument("durability '" + std::string(name) + "' is unknown; known are batch, interval and never");
}

Result<std::unique_ptr<LiveIndex>> LiveIndex::create(const std::string& directory, const Index& index,
                                                     const LiveOptions& options) {
  SEGUE_RETURN_IF_ERROR(LiveState::create(directory, index, options));
  return open(directory, options);
}

Result<std::unique_ptr<LiveIndex>> LiveIndex::open(const std::string& directory, const LiveOptions& options) {
  Result<std::shared_ptr<LiveState>> state = LiveState::open(directory, options);
  if (!state.ok()) return state.status();
  return std::unique_ptr<LiveIndex>(new LiveIndex(std::move(state).value()));
}

Result<bool> LiveIndex::exists(const std::string& directory) {
  const Result<LiveFiles> files = list_live_files(directory);
  if (files.ok()) return !files->snapshots.empty();
  if (files.status().code() == StatusCode::kNotFound) return false;
  return files.status();
}

LiveIndex::~LiveIndex() { (void)state_->close(); }

std::shared_ptr<const Index> LiveIndex::index() const { return state_->index(); }
Status LiveIndex::replace(const Index& index) { return state_->replace(index); }
Status LiveIndex::snapshot() { return state_->snapshot(); }
Status LiveIndex::sync() { return state_->sync(); }
Status LiveIndex::close() { return state_->close(); }
const std::string& LiveIndex::directory() const noexcept { return state_->directory(); }
const LiveOptions& LiveIndex::options() const noexcept { return state_->options(); }
const OpenReport& LiveIndex::open_report() const noexcept { return state_->report(); }
LiveStats LiveIndex::live_stats() const { return state_->stats(); }
Status LiveIndex::health() const { return state_->health(); }

std::string_view LiveIndex::kind() const noexcept { return state_->index()->kind(); }
std::size_t LiveIndex::dim() const noexcept { return state_->index()->dim(); }
Metric LiveIndex::metric() const noexcept { return state_->index()->metric(); }
Storage LiveIndex::storage() const noexcept { return state_->index()->storage(); }
std::size_t LiveIndex::size() const { return state_->index()->size(); }
bool LiveIndex::contains(Id id) const { return state_->index()->contains(id); }
std::vector<Id> LiveIndex::ids() const { return state_->index()->ids(); }

Status LiveIndex::add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return state_->add(vectors, ids, options);
}
Status LiveIndex::upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return state_->upsert(vectors, ids, options);
}
Result<std::size_t> LiveIndex::remove(std::span<const Id> ids) { return state_->remove(ids); }
Result<std::vector<float>> LiveIndex::get(std::span<const Id> ids) const { return state_->index()->get(ids); }

Status LiveIndex::search_into(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                              float* scores) const {
  return state_->index()->search_into(queries, k, options, ids, scores);
}
Result<RangeResult> LiveIndex::range_search(MatrixView queries, float threshold, const SearchOptions& options) const {
  return state_->index()->range_search(queries, threshold, options);
}

std::size_t LiveIndex::memory_usage() const { return state_->index()->memory_usage(); }
Status LiveIndex::validate() const { return state_->index()->validate(); }
Status LiveIndex::save(const std::string& path) const { return state_->index()->save(path); }
Result<std::vector<unsigned char>> LiveIndex::to_bytes() const { return state_->index()->to_bytes(); }
bool LiveIndex::exact() const noexcept { return state_->index()->exact(); }
std::vector<RecallCurve> LiveIndex::recall_curves() const { return state_->index()->recall_curves(); }
Status LiveIndex::set_recall_curve(const RecallCurve& curve) { return state_->set_recall_curve(curve); }
std::shared_ptr<Catalog> LiveIndex::catalog() const { return state_->index()->catalog(); }
Status LiveIndex::replace_catalog(std::shared_ptr<Catalog> catalog) {
  return state_->replace_catalog(std::move(catalog));
}
void LiveIndex::set_catalog(std::shared_ptr<Catalog> catalog) {
  const Status replaced = state_->replace_catalog(std::move(catalog));
  if (!replaced.ok()) {
    state_->fail({replaced.code(), "the catalog could not be replaced: " + replaced.message() +
                                       "; no more changes are taken until the directory is opened again"});
  }
}

void LiveIndex::set_metrics(std::shared_ptr<Metrics> metrics) const { state_->set_metrics(std::move(metrics)); }
std::shared_ptr<Metrics> LiveIndex::metrics() const { return state_->metrics(); }

IndexStats LiveIndex::stats() const {
  IndexStats stats = state_->index()->stats();
  const LiveStats live = live_stats();
  const auto add = [&](const char* name, auto value) { stats.emplace_back(name, static_cast<double>(value)); };
  add("live: changes", live.sequence);
  add("live: changes on disk", live.durable);
  add("live: journal bytes", live.journal_bytes);
  add("live: journal syncs", live.syncs);
  add("live: changes in snapshot", live.snapshot);
  add("live: snapshot bytes", live.snapshot_bytes);
  add("live: snapshot age, seconds", live.snapshot_age);
  add("live: snapshots written", live.snapshots);
  add("live: last snapshot's pause, seconds", live.snapshot_pause);
  add("live: torn bytes cut when opened", open_report().cut_bytes);
  return stats;
}

}  // namespace segue
