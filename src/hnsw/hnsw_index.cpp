#include "hnsw/hnsw_index.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <string>

#include "hnsw/change_items.hpp"
#include "hnsw/hnsw_file.hpp"
#include "hnsw/repair_graph.hpp"
#include "hnsw/validate_state.hpp"
#include "items/curve_sections.hpp"
#include "items/next_id.hpp"
#include "items/range_result.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/isa.hpp"

namespace segue {
namespace {

using Clock = Deadline::Clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

Status check_range(const char* name, std::size_t value, std::size_t least, std::size_t most) {
  if (value >= least && value <= most) return {};
  return invalid_argument(std::string(name) + " is " + std::to_string(value) + "; it must be between " +
                          std::to_string(least) + " and " + std::to_string(most));
}

}  // namespace

Status check_hnsw_options(const HnswOptions& options) {
  SEGUE_RETURN_IF_ERROR(check_range("m", options.m, 2, kMaxScoreList / 2));
  SEGUE_RETURN_IF_ERROR(check_range("ef_construction", options.ef_construction, 1, 65536));
  SEGUE_RETURN_IF_ERROR(check_storage("storage", options.storage));
  SEGUE_RETURN_IF_ERROR(check_storage("rerank", options.rerank));
  const Storage storage = options.storage == Storage::kAuto ? Storage::kF32 : options.storage;
  if (options.rerank != Storage::kAuto && !is_finer(options.rerank, storage)) {
    return invalid_argument("rerank is " + std::string(to_string(options.rerank)) + ", which is not finer than storage " +
                            std::string(to_string(storage)) + "; leave it at auto or name a finer one");
  }
  return {};
}

Result<std::unique_ptr<HnswIndex>> HnswIndex::create(std::size_t dim, Metric metric, const HnswOptions& options) {
  SEGUE_RETURN_IF_ERROR(isa::environment_status());
  SEGUE_RETURN_IF_ERROR(check_dim(dim));
  SEGUE_RETURN_IF_ERROR(check_metric(metric));
  SEGUE_RETURN_IF_ERROR(check_hnsw_options(options));
  SEGUE_RETURN_IF_ERROR(check_head_codes(dim, metric, options));
  return std::unique_ptr<HnswIndex>(std::make_unique<HnswIndexBody>(dim, metric, options));
}

Status check_head_codes(std::size_t dim, Metric metric, const HnswOptions& options) {
  if (options.storage != Storage::kPca8) return {};
  if (metric == Metric::kInnerProduct) {
    return invalid_argument("storage is pca8 and metric ip; codes of the leading coordinates know distances only: "
                            "leave storage at auto, or use l2 or cosine");
  }
  if (dim > Projection::kMaxTrainedDim) {
    return invalid_argument("storage is pca8 and dim " + std::to_string(dim) + "; directions are found up to dim " +
                            std::to_string(Projection::kMaxTrainedDim) + ": use another storage");
  }
  return {};
}

HnswIndexBody::HnswIndexBody(std::size_t dim, Metric metric, const HnswOptions& options)
    : CheckedIndex(dim, metric), options_(options), state_(dim, metric, options, kernels::active_kernels()) {}

Status HnswIndexBody::do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return change(vectors, ids, options);
}

Status HnswIndexBody::do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return change(vectors, ids, options);
}

// All or nothing, in one of two ways. What can be cancelled works on a copy, which costs memory for a time. Otherwise the
// vectors go in under ids that nobody uses; once all of them are in, the old ones are marked and the ids change hands,
// which cannot fail.
Status HnswIndexBody::change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  std::vector<Id> replaced;
  for (const Id id : ids) {
    if (state_.ids.find(id) != kNoSlot) replaced.push_back(id);
  }
  if (state_.ids.slots() == 0 || options.progress) {
    HnswState fresh = state_;
    mark_removed(fresh, replaced);
    if (!add_items(fresh, vectors, ids, options)) return cancelled("the call was cancelled; the index is as it was");
    state_ = std::move(fresh);
  } else if (replaced.empty()) {
    add_or_undo(vectors, ids, options);
  } else {
    const std::vector<Id> unused = unused_ids(ids, state_.ids, next_id_);
    state_.dead.reserve(state_.dead.size() + ids.size());
    state_.free_slots.reserve(state_.free_slots.size() + ids.size());
    add_or_undo(vectors, unused, options);
    mark_removed(state_, replaced);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::uint32_t slot = state_.ids.find(unused[i]);
      if (slot == kNoSlot) continue;  // only in a damaged file
      state_.ids.erase(unused[i]);
      state_.ids.insert(ids[i], slot);
      state_.changes.add(slot);
    }
  }
  repair_if_needed(options.threads);
  return {};
}

void HnswIndexBody::add_or_undo(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  try {
    add_items(state_, vectors, ids, options);
  } catch (...) {
    std::vector<Id> there;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(there),
                 [this](Id id) { return state_.ids.find(id) != kNoSlot; });
    mark_removed(state_, there);
    throw;
  }
}

// Short of memory, the dead stay marked: they are as invisible as before, and the next change tries again.
void HnswIndexBody::repair_if_needed(int threads) {
  if (!needs_repair(state_)) return;
  try {
    repair_graph(state_, threads);
  } catch (const std::bad_alloc&) {
  }
}

void HnswIndexBody::do_remove(std::span<const Id> ids) {
  mark_removed(state_, ids);
  repair_if_needed(0);
}

Storage HnswIndexBody::storage() const noexcept {
  const std::shared_lock lock(mutex_);
  return options_.storage == Storage::kAuto ? state_.rows.storage() : options_.storage;
}

void HnswIndexBody::do_read(std::span<const std::uint32_t> slots, float* out) const {
  ScratchPool<HnswSearchMemory>::Lease memory(scratch_);
  state_.read(slots, out, memory->head);
}

const float* HnswIndexBody::prepare(const float* query, HnswSearchMemory& memory) const {
  if (metric_ != Metric::kCosine) return query;
  memory.normalized.resize(dim_);
  normalize(query, dim_, memory.normalized.data());
  return memory.normalized.data();
}

std::shared_ptr<const MatchPlan> HnswIndexBody::plan_for(const SearchOptions& options) const {
  if (options.filter == nullptr) return nullptr;
  const IdSet& filter = *options.filter;
  const std::size_t room = (state_.rows.memory_usage() + state_.graph.memory_usage()) / 4;
  return plans_.find_or_make(filter, state_.changes, room, [&](const MatchPlan* old, std::span<const std::uint32_t> changed) {
    return old == nullptr ? make_plan(state_, filter) : update_plan(state_, filter, *old, changed);
  });
}

std::size_t HnswIndexBody::width(std::size_t k, const SearchOptions& options) const noexcept {
  const std::size_t ef = std::max(k, options.ef == 0 ? kDefaultEf : options.ef);
  return std::min(ef, std::max<std::size_t>(k, state_.ids.slots() + 1));
}

void HnswIndexBody::do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                              float* scores) const {
  const std::size_t ef = width(k, options);
  // About what a walk scores; an estimate will do.
  const std::size_t scored = std::min(state_.ids.size(), ef * state_.options.m);
  const int threads = threads_for(queries.rows() * scored * state_.rows.stride(), options.threads);
  // Queries that scan codes first do so together; with a deadline of its own, or a filter that changes the plan, each
  // goes by itself.
  const bool together = metric_ == Metric::kInnerProduct && options.deadline_us == 0 && options.filter == nullptr;
  const std::shared_ptr<const MatchPlan> plan = plan_for(options);
  const std::size_t n = queries.rows();
  const std::size_t workers = std::max<std::size_t>(1, worker_count(n, threads, 1));
  const std::size_t group = together ? std::clamp<std::size_t>((n + workers - 1) / workers, 1, kHeadQueries) : 1;
  parallel_for((n + group - 1) / group, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<HnswSearchMemory>::Lease memory(scratch_);
    for (std::size_t g = begin; g < end; ++g) {
      const std::size_t first = g * group;
      search_some(queries.slice(first, std::min(group, n - first)), first, k, ef, options, plan.get(), together, *memory,
                  ids, scores);
    }
  });
}

// Queries first, first + 1, ... of a call.
void HnswIndexBody::search_some(MatrixView queries, std::size_t first, std::size_t k, std::size_t ef,
                                const SearchOptions& options, const MatchPlan* plan, bool scan_together,
                                HnswSearchMemory& memory, Id* ids, float* scores) const {
  const std::size_t n = queries.rows();
  const auto start = options.stats.empty() ? Clock::time_point{} : Clock::now();
  const Deadline deadline(options.deadline_us);
  if (memory.excluded.size() < n) memory.excluded.resize(n);
  memory.gates.clear();
  memory.stats.assign(n, {});
  for (std::size_t i = 0; i < n; ++i) {
    memory.gates.emplace_back(state_.ids, options, first + i, memory.excluded[i],
                              plan == nullptr ? nullptr : &plan->marks, !scan_together);
  }
  if (scan_together) {
    memory.queries.clear();
    for (std::size_t i = 0; i < n; ++i) memory.queries.push_back(queries.row(i));
    scan_heads(state_, memory.queries, memory.gates, nullptr, k, ef, deadline, memory.head_scan, memory.stats);
  }
  const double shared = options.stats.empty() ? 0 : microseconds_since(start) / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t q = first + i;
    const auto own_start = options.stats.empty() ? Clock::time_point{} : Clock::now();
    WalkStats& stats = memory.stats[i];
    search_graph(state_, prepare(queries.row(i), memory), k, ef, plan, memory.gates[i], deadline, memory, stats,
                 scan_together ? i : kNoHead);
    const std::vector<Candidate>& found = memory.found;
    for (std::size_t j = 0; j < found.size(); ++j) {
      ids[q * k + j] = state_.ids.id(vertex_of(found[j]));
      scores[q * k + j] = score_of_cost(metric_, cost_of(found[j]));
    }
    std::fill(ids + q * k + found.size(), ids + (q + 1) * k, kMissingId);
    std::fill(scores + q * k + found.size(), scores + (q + 1) * k, missing_score(metric_));
    if (options.stats.empty()) continue;
    options.stats[q] = {stats.distances, stats.visited, shared + microseconds_since(own_start), stats.cut};
  }
}

RangeResult HnswIndexBody::do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const {
  const float bound = larger_is_better(metric_) ? -threshold : threshold;
  std::vector<std::vector<Candidate>> found(queries.rows());
  const std::shared_ptr<const MatchPlan> plan = plan_for(options);
  parallel_for(queries.rows(), options.threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<HnswSearchMemory>::Lease memory(scratch_);
    for (std::size_t q = begin; q < end; ++q) {
      const auto start = Clock::now();
      const Deadline deadline(options.deadline_us);
      memory->excluded.resize(std::max<std::size_t>(1, memory->excluded.size()));
      Gate gate(state_.ids, options, q, memory->excluded[0], plan == nullptr ? nullptr : &plan->marks);
      const float* query = prepare(queries.row(q), *memory);
      WalkStats stats;
      // As long as all that was found is within the threshold, there may be more: look for four times as many.
      for (std::size_t k = std::max<std::size_t>(16, options.ef);; k *= 4) {
        k = std::min(k, std::max<std::size_t>(1, state_.ids.size()));
        search_graph(state_, query, k, width(2 * k, options), plan.get(), gate, deadline, *memory, stats);
        const std::vector<Candidate>& best = memory->found;
        if (best.size() < k || !(cost_of(best.back()) <= bound) || k >= state_.ids.size() || stats.cut) break;
      }
      for (const Candidate c : memory->found) {
        if (cost_of(c) <= bound) found[q].push_back(c);
      }
      if (options.stats.empty()) continue;
      options.stats[q] = {stats.distances, stats.visited, microseconds_since(start), stats.cut};
    }
  });
  return make_range_result(found, state_.ids, metric_);
}

std::size_t HnswIndexBody::memory_usage() const {
  const std::shared_lock lock(mutex_);
  return state_.ids.memory_usage() + state_.rows.memory_usage() + (state_.fine ? state_.fine->memory_usage() : 0) +
         state_.graph.memory_usage() + state_.twins.memory_usage() + state_.codes.memory_usage() +
         state_.regions.memory_usage() + plans_.memory_usage() +
         (state_.coder ? state_.coder->memory_usage() : 0) + state_.dead.memory_usage() +
         state_.free_slots.memory_usage() + curves_.memory_usage();
}

IndexStats HnswIndexBody::stats() const {
  const std::shared_lock lock(mutex_);
  std::size_t vertices = 0;
  std::size_t twins = 0;
  std::size_t links = 0;
  for (std::uint32_t slot = 0; slot < state_.graph.size(); ++slot) {
    twins += state_.twins.is_twin(slot);
    if (!state_.is_vertex(slot)) continue;
    ++vertices;
    links += state_.graph.links(slot, 0).size();
  }
  IndexStats figures = {
      {"items", static_cast<double>(state_.ids.size())},
      {"vertices", static_cast<double>(vertices)},
      {"twins", static_cast<double>(twins)},
      {"dead", static_cast<double>(state_.dead.size())},
      {"levels", static_cast<double>(state_.graph.empty() ? 0 : state_.graph.entry_level() + 1)},
      {"mean degree", vertices == 0 ? 0.0 : static_cast<double>(links) / static_cast<double>(vertices)},
      {"bytes a row", static_cast<double>(state_.rows.stride())}};
  curves_.append_stats(figures);
  return figures;
}

Status HnswIndexBody::validate() const {
  const std::shared_lock lock(mutex_);
  return validate_state(state_, next_id_);
}

void HnswIndexBody::do_write(const WriteSections& write) const { write_state(state_, next_id_, curves_, write); }

Result<std::unique_ptr<Index>> HnswIndexBody::open(const FileReader& file, bool verify) {
  const Result<HnswOptions> options = read_options(file);
  if (!options.ok()) return options.status();
  const Status valid_codes = check_head_codes(file.identity().dim, file.identity().metric, *options);
  if (!valid_codes.ok()) return file.corrupt_section("hnsw", valid_codes.message());
  auto index = std::make_unique<HnswIndexBody>(file.identity().dim, file.identity().metric, *options);
  SEGUE_RETURN_IF_ERROR(open_state(file, index->state_, index->next_id_));
  SEGUE_RETURN_IF_ERROR(read_curves(file, index->curves_));
  return finish_open(std::move(index), file, verify);
}

}  // namespace segue
