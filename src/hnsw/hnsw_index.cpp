#include "hnsw/hnsw_index.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <string>

#include "hnsw/adapt_storage.hpp"
#include "hnsw/change_items.hpp"
#include "hnsw/hnsw_file.hpp"
#include "hnsw/lay_out.hpp"
#include "hnsw/repair_graph.hpp"
#include "hnsw/validate_state.hpp"
#include "items/curve_sections.hpp"
#include "items/range_result.hpp"
#include "items/return_memory.hpp"
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
  for (const Storage named : {options.storage, options.rerank}) {
    if (rabitq_bits(named) == 0) continue;
    return invalid_argument(std::string(named == options.storage ? "storage" : "rerank") + " is " +
                            std::string(to_string(named)) +
                            ", which IvfIndex alone keeps; a graph has auto, f32, f16, bf16, sq8, sq4 or pca8");
  }
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

// All or nothing, in one of two ways. What can be cancelled, or codes all rows anew, works on a copy, which costs memory
// for a time. Otherwise items are made beside what others search, and appear there one by one once nothing can fail.
Status HnswIndexBody::change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  if (state_.ids.slots() == 0 || options.progress || is_storage_due(state_, state_.ids.size() + vectors.rows())) {
    HnswState fresh = state_;
    if (!put_items(fresh, vectors, ids, options, {})) return cancelled("the call was cancelled; the index is as it was");
    publish_([&] { std::swap(state_, fresh); });
  } else {
    put_items(state_, vectors, ids, options, publish_);
  }
  tidy_if_needed(vectors.rows(), options.threads);
  return {};
}

// Short of memory, the dead stay marked: they are as invisible as before, and the next change tries again. Items stay where
// they are.
void HnswIndexBody::tidy_if_needed(std::size_t changed, int threads) {
  try {
    if (needs_repair(state_)) repair_after(state_, changed, threads, publish_);
    if (wants_layout(state_)) {
      lay_out_anew(state_, threads, publish_);
      // It made the index a second time; otherwise each thread that ever does this keeps that much for its next.
      return_freed_memory(state_.ids.size());
    }
  } catch (const std::bad_alloc&) {
  }
}

void HnswIndexBody::do_remove(std::span<const Id> ids) {
  remove_items(state_, ids, publish_);
  tidy_if_needed(ids.size(), 0);
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

void HnswIndexBody::refresh(std::shared_ptr<const MatchPlan>& plan, const SearchOptions& options) const {
  if (options.filter == nullptr || (plan != nullptr && plan->made == state_.changes.now())) return;
  const IdSet& filter = *options.filter;
  const std::size_t room = (state_.rows.memory_usage() + state_.graph.memory_usage()) / 4;
  plan = plans_.find_or_make(filter, state_.changes, room, [&](const MatchPlan* old, std::span<const std::uint32_t> changed) {
    return old == nullptr ? make_plan(state_, filter) : update_plan(state_, filter, *old, changed);
  });
}

std::size_t HnswIndexBody::width(std::size_t k, const SearchOptions& options) const noexcept {
  const std::size_t ef = std::max(k, options.ef == 0 ? kDefaultEf : options.ef);
  return std::min(ef, std::max<std::size_t>(k, state_.ids.slots() + 1));
}

// The lock is taken for each query, or for those that are searched together, so that a long batch keeps nobody waiting.
void HnswIndexBody::do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                              float* scores) const {
  const std::size_t n = queries.rows();
  int threads = 1;
  if (n > 1) {
    // About what a walk scores; an estimate will do.
    const std::shared_lock lock(mutex_);
    const std::size_t scored = std::min(state_.ids.size(), width(k, options) * state_.options.m);
    threads = threads_for(n * scored * state_.rows.stride(), options.threads);
  }
  // Queries that scan codes first do so together; with a deadline of its own, or a filter that changes the plan, each
  // goes by itself.
  const bool together = metric_ == Metric::kInnerProduct && options.deadline_us == 0 && options.filter == nullptr;
  const std::size_t workers = std::max<std::size_t>(1, worker_count(n, threads, 1));
  const std::size_t group = together ? std::clamp<std::size_t>((n + workers - 1) / workers, 1, kHeadQueries) : 1;
  parallel_for((n + group - 1) / group, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<HnswSearchMemory>::Lease memory(scratch_);
    std::shared_ptr<const MatchPlan> plan;
    for (std::size_t g = begin; g < end; ++g) {
      const std::size_t first = g * group;
      const std::shared_lock lock(mutex_);
      refresh(plan, options);
      search_some(queries.slice(first, std::min(group, n - first)), first, k, options, plan.get(), together, *memory, ids,
                  scores);
    }
  });
}

// Queries first, first + 1, ... of a call.
void HnswIndexBody::search_some(MatrixView queries, std::size_t first, std::size_t k, const SearchOptions& options,
                                const MatchPlan* plan, bool scan_together, HnswSearchMemory& memory, Id* ids,
                                float* scores) const {
  const std::size_t n = queries.rows();
  const std::size_t ef = width(k, options);
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
  // What one query alone has spent so far is its own, and saves two looks at the clock.
  const double shared = options.stats.empty() || n == 1 ? 0 : microseconds_since(start) / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t q = first + i;
    const auto own_start = options.stats.empty() || n == 1 ? start : Clock::now();
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
  std::vector<RangeResult> found(queries.rows());
  parallel_for(queries.rows(), options.threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<HnswSearchMemory>::Lease memory(scratch_);
    std::shared_ptr<const MatchPlan> plan;
    std::vector<Candidate> within;
    for (std::size_t q = begin; q < end; ++q) {
      const std::shared_lock lock(mutex_);
      refresh(plan, options);
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
      within.clear();
      for (const Candidate c : memory->found) {
        if (cost_of(c) <= bound) within.push_back(c);
      }
      found[q] = make_range_result({&within, 1}, state_.ids, metric_);
      if (options.stats.empty()) continue;
      options.stats[q] = {stats.distances, stats.visited, microseconds_since(start), stats.cut};
    }
  });
  return join_range_results(found);
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
  const std::lock_guard still(changing_);
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
  const std::lock_guard still(changing_);
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
