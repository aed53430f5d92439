#pragma once
// CodedIndex: what an index of dense rows with codes in front shares with others of its kind (FlatIndex, IvfIndex).
//
// Rows lie densely from slot 0; removing one moves the last into its place. A search takes queries in groups, scans codes
// for all of a group at once, and decides each query by the rows themselves. What a kind adds is its codes: how they are
// laid out, and which of them a query looks at.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codes/code_front.hpp"
#include "codes/filter_plan.hpp"
#include "codes/plan_cache.hpp"
#include "codes/scan_codes.hpp"
#include "items/checked_index.hpp"
#include "items/gate.hpp"
#include "items/named_among.hpp"
#include "items/range_result.hpp"
#include "items/score_each.hpp"
#include "items/storages.hpp"
#include "items/take_sections.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/core/scratch_pool.hpp"

namespace segue {

// What codes are asked for: rows of `queries`, each prepared in the memory's fronts.
struct CodeScan {
  std::span<const float* const> queries;
  std::size_t k;
  std::span<const float> thresholds;  // no upper bound below this value is wanted; one a query, or none
  const SearchOptions& options;
  const AcceptsSlot& accepts;
  const FilterPlan* filter;  // null: there is none
  const Deadline& deadline;
};

// ScanMemory is a ScanCodesMemory, with what the kind's scan works in besides.
template <class PublicIndex, class ScanMemory>
class CodedIndex : public CheckedIndex<PublicIndex> {
 public:
  Storage storage() const noexcept override {
    const std::shared_lock lock(mutex_);
    return store_.storage();
  }

 protected:
  using Base = CheckedIndex<PublicIndex>;
  using Base::dim_, Base::metric_, Base::mutex_, Base::next_id_, Base::publish_;

  CodedIndex(std::size_t dim, Metric metric, Storage storage)
      : Base(dim, metric), store_(kernels::active_kernels(), storage == Storage::kAuto ? Storage::kF32 : storage, dim) {}

  // What create() refuses of any kind.
  static Status check_options(std::size_t dim, Metric metric, Storage storage) {
    SEGUE_RETURN_IF_ERROR(check_dim(dim));
    SEGUE_RETURN_IF_ERROR(check_metric(metric));
    SEGUE_RETURN_IF_ERROR(check_storage("storage", storage));
    if (storage != Storage::kPca8 && rabitq_bits(storage) == 0) return {};
    return invalid_argument("storage is " + std::string(to_string(storage)) +
                            ", which FlatIndex does not keep; it must be auto, f32, f16, bf16, sq8 or sq4");
  }

  // ---- the codes of a kind ----
  // Whether codes can bound a query's scores; if not its rows are scored one by one.
  virtual bool covers(const float* query) const noexcept = 0;
  virtual void prepare(std::span<const float* const> queries, std::span<CodedQuery> out,
                       CodeQueryMemory& memory) const = 0;
  virtual void scan(const CodeScan& wanted, ScanMemory& memory, std::span<WalkStats> stats) const = 0;
  // Exact costs of one query; `coded` is what prepare() made of it, or null. Good until the next call with that memory.
  virtual ExactScorer& exact_scorer(const float* query, const CodedQuery* coded, ScanMemory& memory) const = 0;
  // Whether there is a row of store_ for each slot; if not, its codes are all that is known of it.
  virtual bool keeps_store() const noexcept { return true; }
  // Bytes that a query looks at, about; and how many queries a scan serves at most.
  virtual std::size_t scanned_bytes(const SearchOptions& options) const noexcept = 0;
  virtual std::size_t group_size() const noexcept = 0;
  virtual const BlockArrays& arrays() const noexcept = 0;
  // Of a filter that lets no more through all rows are scored: one by one or, once it has come often, by codes of their own.
  virtual std::size_t few_rows() const noexcept = 0;
  // So many at most are scored one by one in the time of a search: a deadline leaves time for that.
  virtual std::size_t quick_rows() const noexcept { return few_rows(); }
  // What a kind's scan wants of a plan besides marks.
  virtual void complete(FilterPlan&) const {}
  // Whether so many queries save what improve() costs; and copies of what a plan lets through, for scans of their own. False:
  // that would save nothing.
  virtual bool pays(const FilterPlan& plan, std::size_t queries) const noexcept = 0;
  virtual bool improve(FilterPlan& plan) const = 0;
  // Codes of what a plan lets through, as of before these blocks changed, brought up to date; null: they are not worth it.
  virtual std::shared_ptr<const CodedMatches> update(const CodedMatches& old, const FilterMarks& marks,
                                                     std::span<const std::uint32_t> blocks) const = 0;
  // The code of a slot goes; that of slot `last` becomes slot `hole`'s; there are `slots` now.
  virtual void remove_code(std::uint32_t slot) noexcept = 0;
  virtual void rename_code(std::uint32_t last, std::uint32_t hole) noexcept = 0;
  virtual void resize_codes(std::size_t slots) = 0;

  // ---- rows ----
  const IdMap& id_map() const noexcept final { return ids_; }
  void do_read(std::span<const std::uint32_t> slots, float* out) const override { store_.read(slots, out); }

  // As they are stored: normalised under cosine.
  void write_rows(MatrixView vectors, std::size_t first, int threads, VectorStore& to) const {
    parallel_for(vectors.rows(), threads, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
      std::vector<float> normalized(dim_);
      for (std::size_t i = begin; i < end; ++i) {
        const float* x = vectors.row(i);
        if (metric_ == Metric::kCosine) {
          normalize(x, dim_, normalized.data());
          x = normalized.data();
        }
        to.write(first + i, x);
      }
    });
  }

  // Row i belongs in slot slots[i]: that of its id, or one of the next ones. How many slots there will be.
  std::size_t choose_slots(std::span<const Id> ids, std::vector<std::uint32_t>& slots) const {
    std::size_t next = ids_.slots();
    slots.resize(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::uint32_t slot = ids_.find(ids[i]);
      slots[i] = slot != kNoSlot ? slot : static_cast<std::uint32_t>(next++);
    }
    return next;
  }

  // So that take_row() of these moves nothing that others read.
  void make_room(std::span<const Id> ids, std::span<const std::uint32_t> slots, std::size_t after) {
    bool ids_are_slots = true;
    for (std::size_t i = 0; i < ids.size(); ++i) ids_are_slots = ids_are_slots && ids[i] == static_cast<Id>(slots[i]);
    ids_.reserve(after, ids.size(), !ids_are_slots, publish_);
    if (keeps_store()) store_.reserve(after, publish_);
  }
  // Row i of `rows`, if any are kept, becomes that of slot `slot`, which is the id's or the next. While nobody reads.
  void take_row(const VectorStore& rows, std::size_t i, Id id, std::uint32_t slot) {
    if (slot >= ids_.slots()) ids_.insert(id, slot);
    if (!keeps_store()) return;
    if (slot >= store_.size()) store_.resize(slot + std::size_t{1});
    store_.copy_row_from(rows, i, slot);
  }

  void remove_rows(std::span<const Id> ids) {
    constexpr std::size_t kPiece = 8;
    // The last one moves into a hole, which is not its id.
    const bool holes = ids.size() > 1 || ids_.find(ids[0]) + std::size_t{1} != ids_.slots();
    ids_.reserve(ids_.slots(), 0, holes, publish_);
    publish_.in_pieces(ids.size(), kPiece, [&](std::size_t begin, std::size_t end) {
      for (const Id id : ids.subspan(begin, end - begin)) remove_row(id);
    });
  }
  void remove_row(Id id) {
    const std::uint32_t hole = ids_.find(id);
    if (hole == kNoSlot) return;  // only in a damaged file
    const auto last = static_cast<std::uint32_t>(ids_.slots() - 1);
    const Id moved = ids_.id(last);
    ids_.erase(id);
    remove_code(hole);
    if (hole != last) {
      ids_.erase(moved);
      ids_.insert(moved, hole);
      if (keeps_store()) store_.copy_row(last, hole);
      rename_code(last, hole);
    }
    ids_.truncate(last);
    if (keeps_store()) store_.resize(last);
    resize_codes(last);
  }

  Status validate_rows() const {
    SEGUE_RETURN_IF_ERROR(ids_.validate());
    if (ids_.size() != ids_.slots()) return corrupt_file("section 'ids': there are empty slots");
    if (store_.size() != (keeps_store() ? ids_.slots() : 0)) return corrupt_file("section 'rows' does not fit section 'ids'");
    for (std::size_t slot = 0; slot < ids_.slots(); ++slot) {
      if (!id_fits(ids_.id(static_cast<std::uint32_t>(slot)), next_id_)) {
        return corrupt_file("an id is not below the next free id");
      }
    }
    return {};
  }

  FileIdentity identity() const {
    return {std::string(this->kind()), metric_, storage(), Storage::kAuto, dim_, ids_.size()};
  }
  void add_row_sections(std::vector<SectionToWrite>& sections) const {
    sections.push_back(make_section<Id>("ids", ids_.id_array().span()));
    sections.push_back(make_section<std::uint32_t>("id_table", ids_.table().span()));
    sections.push_back(make_section<unsigned char>("rows", store_.bytes().span()));
  }
  void open_rows(TakeSections& sections, Id next_id) {
    const std::size_t size = sections.file().identity().size;
    Buffer<Id> ids = sections.take<Id>("ids", size);
    Buffer<std::uint32_t> table = sections.take<std::uint32_t>("id_table");
    Buffer<unsigned char> rows = sections.take<unsigned char>("rows", keeps_store() ? size : 0, store_.stride());
    if (size > kMaxItems) sections.fail("ids", "there are more items than an index can hold");
    if (!table.empty() && !std::has_single_bit(table.size())) {
      sections.fail("id_table", "its size is not a power of two");
    }
    if (!sections.status().ok()) return;
    ids_ = IdMap(std::move(ids), std::move(table), size);
    store_.adopt(std::move(rows));
    next_id_ = std::max<Id>(0, next_id);
  }

  // ---- searches ----
  void do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids, float* scores) const final {
    const Wanted wanted{k, std::numeric_limits<float>::infinity(), options, nullptr};
    answer_all(queries, wanted, [&](std::size_t query, const std::vector<Candidate>& found) {
      emit(found, k, ids + query * k, scores + query * k);
    });
  }

  RangeResult do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const final {
    const float bound = larger_is_better(metric_) ? -threshold : threshold;
    std::vector<RangeResult> found(queries.rows());
    const Wanted wanted{std::numeric_limits<std::size_t>::max(), bound, options, nullptr};
    answer_all(queries, wanted, [&](std::size_t query, std::vector<Candidate>& all) {
      std::erase_if(all, [bound](Candidate c) { return !(cost_of(c) <= bound); });
      found[query] = make_range_result({&all, 1}, ids_, metric_);
    });
    return join_range_results(found);
  }

  IdMap ids_;
  VectorStore store_;
  mutable PlanCache<FilterPlan> plans_;

 private:
  using Clock = Deadline::Clock;

  // Answers beyond k that are sought where some may turn out to be excluded: so many, and one of so many.
  static constexpr std::size_t kSpare = 4;
  static constexpr std::size_t kOneSpareOf = 32;

  // Queries of a call, and which of it they are. Those that are asked again have their exclusions marked, and were at it
  // before.
  struct Asked {
    MatrixView queries;
    std::vector<std::size_t> numbers;
    bool again = false;
    std::vector<WalkStats> spent;  // one each
  };

  struct Memory {
    Asked asked;
    ScanMemory scan;
    ScoreEachMemory each;
    std::vector<VisitedSet> excluded;
    std::vector<Gate> gates;
    std::vector<float> normalized;
    std::vector<std::size_t> coded;  // which of the queries at hand go through the codes
    std::vector<const float*> queries;
    std::vector<float> thresholds;
    std::vector<WalkStats> stats;
    std::vector<Candidate> found;
    NamedAmong named;
    std::vector<std::uint32_t> left_out;
  };

  // What a search asks for, whatever the query.
  struct Wanted {
    std::size_t k;
    float bound;  // no greater cost is wanted
    const SearchOptions& options;
    const FilterPlan* filter;  // null: there is none

    // Codes of all that matches, where there are any.
    const CodedMatches* matches() const noexcept { return filter == nullptr ? nullptr : filter->coded.get(); }
    // The only slots that match, if they are few.
    const std::vector<std::uint32_t>* some() const noexcept {
      return filter != nullptr && filter->slots.size() == filter->marks.rows() ? &filter->slots : nullptr;
    }
  };

  // The plan as of now, for so many queries more; null where there is no filter.
  std::shared_ptr<const FilterPlan> plan_for(const SearchOptions& options, std::size_t queries) const {
    if (options.filter == nullptr) return nullptr;
    const IdSet& filter = *options.filter;
    const auto make = [&](const FilterPlan* old, std::span<const std::uint32_t> changed) {
      FilterPlan plan{old != nullptr ? old->marks : FilterMarks(arrays(), ids_, filter)};
      if (old != nullptr) plan.marks.update(arrays(), ids_, filter, changed);
      if (few(plan)) plan.slots = plan.marks.slots(arrays());
      if (plan.marks.rows() > quick_rows()) complete(plan);
      if (old != nullptr && old->coded != nullptr) plan.coded = update_codes(*old->coded, plan.marks, changed);
      return plan;
    };
    const auto pays = [this](const FilterPlan& plan, std::size_t asked) { return this->pays(plan, asked); };
    const auto improve = [this](const FilterPlan& plan) -> std::optional<FilterPlan> {
      try {
        FilterPlan better = plan;
        if (this->improve(better)) return better;
      } catch (const std::bad_alloc&) {  // slower, not wrong
      }
      return std::nullopt;
    };
    // All plans take as much as the codes do, at most.
    const std::size_t room = arrays().code_array().memory_usage();
    return plans_.find_or_make(filter, queries, arrays().changes(), room, make, pays, improve);
  }
  std::shared_ptr<const CodedMatches> update_codes(const CodedMatches& old, const FilterMarks& marks,
                                                   std::span<const std::uint32_t> changed) const {
    try {
      std::vector<std::uint32_t> blocks(changed.begin(), changed.end());
      std::sort(blocks.begin(), blocks.end());
      blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
      return update(old, marks, blocks);
    } catch (const std::bad_alloc&) {  // slower, not wrong
      return nullptr;
    }
  }
  bool few(const FilterPlan& plan) const noexcept { return plan.marks.rows() <= few_rows(); }

  const float* normalize_all(MatrixView queries, std::vector<float>& normalized) const {
    if (metric_ != Metric::kCosine) return queries.data();
    normalized.resize(std::max(normalized.size(), queries.rows() * dim_));
    for (std::size_t i = 0; i < queries.rows(); ++i) normalize(queries.row(i), dim_, normalized.data() + i * dim_);
    return normalized.data();
  }

  // Of `sought` answers those that are not excluded. False: too few are left, though there may be more.
  bool leave_out(Gate& gate, std::size_t k, std::size_t sought, bool cut, Memory& memory) const {
    std::vector<Candidate>& found = memory.found;
    if (gate.unmarked().empty()) return true;
    const bool all = found.size() < sought;
    if (found.size() <= 2 * sought) {
      memory.named.clear();
      for (const Candidate c : found) memory.named.add(ids_.id(vertex_of(c)), vertex_of(c));
      memory.named.find(gate.unmarked(), memory.left_out);
      gate.mark_only(memory.left_out);
    } else if (cut) {
      gate.mark_excluded();
    } else {
      return false;  // ties without end
    }
    std::erase_if(found, [&](Candidate c) { return gate.excludes(vertex_of(c)); });
    return all || cut || found.size() >= k;  // there is no time for more where the first search was cut
  }

  // take(i, found, stats) gets what query i of the call found, in no order.
  //
  // Excluded ids are few of what is near, as a rule: a search for some more than k, from which they are dropped, is right
  // where k are left. Where not, they are marked and kept out of another search, of all such queries together.
  template <class Take>
  void answer(const Asked& asked, const Wanted& wanted, const Deadline& deadline, Memory& memory, const Take& take) const {
    const MatrixView queries = asked.queries;
    const std::size_t n = queries.rows();
    const RowMetric row_metric = score_metric(metric_);
    if (memory.excluded.size() < n) memory.excluded.resize(n);
    memory.gates.clear();
    const bool range = wanted.bound < std::numeric_limits<float>::infinity();
    const bool later = !asked.again && !range && !wanted.options.exclude.ids.empty();
    for (std::size_t i = 0; i < n; ++i) {
      memory.gates.emplace_back(ids_, wanted.options, asked.numbers[i], memory.excluded[i], nullptr, later);
    }
    const std::size_t sought = wanted.k + (later ? kSpare + wanted.k / kOneSpareOf : 0);
    const std::vector<std::uint32_t>* some = wanted.some();
    const CodedMatches* matches = wanted.matches();
    const bool each = matches == nullptr && some != nullptr && (wanted.options.deadline_us == 0 || some->size() <= quick_rows());
    const float* rows = normalize_all(queries, memory.normalized);
    memory.coded.clear();
    memory.queries.clear();
    memory.thresholds.clear();
    memory.stats.clear();
    for (std::size_t i = 0; i < n; ++i) {
      const float* query = rows + i * dim_;
      if ((matches != nullptr ? matches->covers(query) : !each) && covers(query)) {
        memory.coded.push_back(i);
        memory.queries.push_back(query);
        memory.stats.push_back(asked.spent[i]);
        continue;
      }
      WalkStats stats = asked.spent[i];
      memory.gates[i].mark_excluded();
      score_each(exact_scorer(query, nullptr, memory.scan), wanted.k, wanted.bound, memory.gates[i], some,
                 ids_.slots(), deadline, memory.each, memory.found, stats);
      take(asked.numbers[i], memory.found, stats);
    }
    if (memory.coded.empty()) return;
    const std::size_t coded = memory.coded.size();
    if (memory.scan.coded.size() < coded) memory.scan.coded.resize(coded);
    const std::span<CodedQuery> prepared = std::span(memory.scan.coded).first(coded);
    if (matches != nullptr) {
      matches->prepare(memory.queries, prepared, memory.scan.coding);
    } else {
      prepare(memory.queries, prepared, memory.scan.coding);
    }
    for (std::size_t at = 0; range && at < coded; ++at) {
      const CodedQuery& query = memory.scan.coded[at];
      const double least = query.value_of_cost(row_metric, static_cast<double>(wanted.bound)) - 2 * query.slack;
      memory.thresholds.push_back(std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity()));
    }
    AcceptsSlot accepts;
    if (std::any_of(memory.gates.begin(), memory.gates.end(), [](const Gate& g) { return g.excludes() != 0; })) {
      accepts = [&memory](std::size_t at, std::uint32_t slot) { return !memory.gates[memory.coded[at]].excludes(slot); };
    }
    if (matches != nullptr) {
      scan_codes({*matches, nullptr}, memory.queries, {.k = sought, .thresholds = memory.thresholds}, {nullptr, accepts},
                 deadline, memory.scan, memory.stats);
    } else {
      scan({memory.queries, sought, memory.thresholds, wanted.options, accepts, wanted.filter, deadline}, memory.scan,
           memory.stats);
    }
    Asked again{{}, {}, true, {}};
    std::vector<float> rows_again;
    for (std::size_t at = 0; at < coded; ++at) {
      const CodedQuery& query = memory.scan.coded[at];
      CodeFront& front = memory.scan.fronts[at];
      const std::size_t i = memory.coded[at];
      ExactScorer& exact = exact_scorer(memory.queries[at], &query, memory.scan);
      if (range) {
        decide_within(exact, front, wanted.bound, memory.found, memory.stats[at]);
      } else {
        decide(exact, row_metric, query, front, sought, memory.scan.deciding, memory.found, memory.stats[at]);
      }
      if (!later || leave_out(memory.gates[i], wanted.k, sought, memory.stats[at].cut, memory)) {
        take(asked.numbers[i], memory.found, memory.stats[at]);
      } else {
        rows_again.insert(rows_again.end(), queries.row(i), queries.row(i) + dim_);
        again.numbers.push_back(asked.numbers[i]);
        again.spent.push_back(memory.stats[at]);
      }
    }
    if (again.numbers.empty()) return;
    again.queries = MatrixView(rows_again, dim_);
    answer(again, wanted, deadline, memory, take);
  }

  // Bytes that a query looks at, about.
  std::size_t bytes_a_query(const SearchOptions& options) const {
    const std::shared_lock lock(mutex_);
    const std::shared_ptr<const FilterPlan> plan = plan_for(options, 0);
    if (plan != nullptr && plan->coded != nullptr) return plan->coded->code_array().size();
    const bool some = plan != nullptr && few(*plan);
    return some ? plan->marks.rows() * store_.stride() : scanned_bytes(options);
  }

  // The lock is taken for each group of queries, whose scan they share, so that a long batch keeps nobody waiting.
  template <class Take>
  void answer_all(MatrixView queries, const Wanted& for_all, const Take& take) const {
    const std::size_t n = queries.rows();
    const int threads = n == 1 ? 1 : threads_for(n * bytes_a_query(for_all.options), for_all.options.threads);
    const std::size_t workers = std::max<std::size_t>(1, worker_count(n, threads, 1));
    // A deadline is a query's own, so that each gets its time.
    const std::size_t group =
        for_all.options.deadline_us > 0 ? 1 : std::clamp<std::size_t>((n + workers - 1) / workers, 1, group_size());
    parallel_for((n + group - 1) / group, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
      typename ScratchPool<Memory>::Lease memory(scratch_);
      for (std::size_t g = begin; g < end; ++g) {
        const bool timed = !for_all.options.stats.empty();
        const auto start = timed ? Clock::now() : Clock::time_point{};
        const std::size_t first = g * group;
        const std::size_t count = std::min(group, n - first);
        const std::shared_lock lock(mutex_);
        const std::shared_ptr<const FilterPlan> plan = plan_for(for_all.options, count);
        const Wanted wanted{for_all.k, for_all.bound, for_all.options, plan.get()};
        Asked& asked = memory->asked;
        asked.queries = queries.slice(first, count);
        asked.numbers.resize(count);
        std::iota(asked.numbers.begin(), asked.numbers.end(), first);
        asked.spent.assign(count, {});
        answer(asked, wanted, Deadline(wanted.options.deadline_us), *memory,
               [&](std::size_t query, std::vector<Candidate>& found, const WalkStats& stats) {
                 sort_by_cost_then_id(found, ids_);
                 take(query, found);
                 if (timed) wanted.options.stats[query] = {stats.distances, stats.visited, 0, stats.cut};
               });
        if (!timed) continue;
        const double spent = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
        for (std::size_t q = 0; q < count; ++q) {
          wanted.options.stats[first + q].microseconds = spent / static_cast<double>(count);
        }
      }
    });
  }

  void emit(std::span<const Candidate> found, std::size_t k, Id* ids, float* scores) const noexcept {
    const std::size_t n = std::min(k, found.size());
    for (std::size_t i = 0; i < n; ++i) {
      ids[i] = ids_.id(vertex_of(found[i]));
      scores[i] = score_of_cost(metric_, cost_of(found[i]));
    }
    std::fill(ids + n, ids + k, kMissingId);
    std::fill(scores + n, scores + k, missing_score(metric_));
  }

  mutable ScratchPool<Memory> scratch_;
};

}  // namespace segue
