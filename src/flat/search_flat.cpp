// How a FlatIndex answers: queries in small groups, each group by one scan of the codes, each query decided by itself.

#include <algorithm>
#include <limits>

#include "flat/flat_index.hpp"
#include "items/range_result.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

using Clock = Deadline::Clock;

// Queries of a scan: some share each piece of codes in the first-level cache, all of them what comes from memory.
constexpr std::size_t kGroup = 64;
// A set of that small a part is scored by itself: codes are so much cheaper than rows.
constexpr std::size_t kFewMatches = 32;

}  // namespace

struct FlatIndexBody::Wanted {
  std::size_t k;
  float bound;  // no greater cost is wanted
  const SearchOptions& options;
  const std::vector<std::uint32_t>* some;  // the only slots that match, if they are few
};

const float* FlatIndexBody::prepare(MatrixView queries, std::vector<float>& normalized) const {
  if (metric_ != Metric::kCosine) return queries.data();
  normalized.resize(std::max(normalized.size(), queries.rows() * dim_));
  for (std::size_t i = 0; i < queries.rows(); ++i) normalize(queries.row(i), dim_, normalized.data() + i * dim_);
  return normalized.data();
}

// Queries [first, first + queries.rows()) of a call. take(i, found, stats) gets what query i found, in no order.
template <class Take>
void FlatIndexBody::answer(MatrixView queries, std::size_t first, const Wanted& wanted, FlatSearchMemory& memory,
                           const Take& take) const {
  const std::size_t n = queries.rows();
  const Deadline deadline(wanted.options.deadline_us);
  if (memory.excluded.size() < n) memory.excluded.resize(n);
  memory.gates.clear();
  for (std::size_t i = 0; i < n; ++i) memory.gates.emplace_back(ids_, wanted.options, first + i, memory.excluded[i]);
  const float* rows = prepare(queries, memory.normalized);
  memory.coded.clear();
  memory.queries.clear();
  memory.thresholds.clear();
  memory.stats.assign(n, {});
  const bool range = wanted.bound < std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < n; ++i) {
    const float* query = rows + i * dim_;
    if (wanted.some == nullptr && codes_.covers(query)) {
      const std::size_t at = memory.coded.size();
      if (memory.codes.coded.size() <= at) memory.codes.coded.resize(at + 1);
      CodedQuery& coded = memory.codes.coded[at];
      codes_.prepare(query, coded);
      if (range) {
        const double least = coded.value_of_cost(codes_.metric(), static_cast<double>(wanted.bound)) - 2 * coded.slack;
        memory.thresholds.push_back(
            std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity()));
      }
      memory.coded.push_back(i);
      memory.queries.push_back(query);
      continue;
    }
    WalkStats stats;
    score_each(store_, codes_.metric(), query, wanted.k, wanted.bound, memory.gates[i], wanted.some, ids_.slots(),
               deadline, memory.each, memory.found, stats);
    take(first + i, memory.found, stats);
  }
  if (memory.coded.empty()) return;
  // An open gate lets all rows of a flat index pass; asking it would only read ids from all over memory.
  AcceptsSlot accepts;
  if (!std::all_of(memory.gates.begin(), memory.gates.end(), [](const Gate& gate) { return gate.open(); })) {
    accepts = [&memory](std::size_t at, std::uint32_t slot) { return memory.gates[memory.coded[at]].accepts(slot); };
  }
  const CodedRows coded{codes_, store_};
  const ExactRows exact{store_, codes_.metric()};
  scan_codes(coded, memory.queries, {.k = wanted.k, .thresholds = memory.thresholds}, accepts, deadline, memory.codes,
             memory.stats);
  for (std::size_t at = 0; at < memory.coded.size(); ++at) {
    const float* query = memory.queries[at];
    if (range) {
      decide_within(exact, memory.codes.fronts[at], query, wanted.bound, memory.codes.deciding, memory.found,
                    memory.stats[at]);
    } else {
      decide(exact, memory.codes.coded[at], memory.codes.fronts[at], query, wanted.k, memory.codes.deciding,
             memory.found, memory.stats[at]);
    }
    take(first + memory.coded[at], memory.found, memory.stats[at]);
  }
}

template <class Take>
void FlatIndexBody::answer_all(MatrixView queries, const Wanted& wanted, const Take& take) const {
  const std::size_t n = queries.rows();
  const std::size_t scanned = wanted.some == nullptr ? codes_.positions() * codes_.head()
                                                     : wanted.some->size() * store_.stride();
  const int threads = threads_for(n * scanned, wanted.options.threads);
  const std::size_t workers = std::max<std::size_t>(1, worker_count(n, threads, 1));
  // A deadline is a query's own, so that each gets its time.
  const std::size_t group =
      wanted.options.deadline_us > 0 ? 1 : std::clamp<std::size_t>((n + workers - 1) / workers, 1, kGroup);
  parallel_for((n + group - 1) / group, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<FlatSearchMemory>::Lease memory(scratch_);
    for (std::size_t g = begin; g < end; ++g) {
      const bool timed = !wanted.options.stats.empty();
      const auto start = timed ? Clock::now() : Clock::time_point{};
      const std::size_t first = g * group;
      const std::size_t count = std::min(group, n - first);
      answer(queries.slice(first, count), first, wanted, *memory,
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

void FlatIndexBody::emit(std::span<const Candidate> found, std::size_t k, Id* ids, float* scores) const noexcept {
  const std::size_t n = std::min(k, found.size());
  for (std::size_t i = 0; i < n; ++i) {
    ids[i] = ids_.id(vertex_of(found[i]));
    scores[i] = score_of_cost(metric_, cost_of(found[i]));
  }
  std::fill(ids + n, ids + k, kMissingId);
  std::fill(scores + n, scores + k, missing_score(metric_));
}

void FlatIndexBody::do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                              float* scores) const {
  std::vector<std::uint32_t> matches;
  const bool few = options.filter != nullptr && !options.filter->is_complement() &&
                   options.filter->listed() < ids_.size() / kFewMatches;
  if (few) {
    IdSetReader(*options.filter).for_each_listed([&](Id id) {
      if (const std::uint32_t slot = ids_.find(id); slot != kNoSlot) matches.push_back(slot);
    });
  }
  const Wanted wanted{k, std::numeric_limits<float>::infinity(), options, few ? &matches : nullptr};
  answer_all(queries, wanted, [&](std::size_t query, const std::vector<Candidate>& found) {
    emit(found, k, ids + query * k, scores + query * k);
  });
}

RangeResult FlatIndexBody::do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const {
  const float bound = larger_is_better(metric_) ? -threshold : threshold;
  std::vector<std::vector<Candidate>> found(queries.rows());
  const Wanted wanted{std::numeric_limits<std::size_t>::max(), bound, options, nullptr};
  answer_all(queries, wanted, [&](std::size_t query, std::vector<Candidate>& all) {
    std::erase_if(all, [bound](Candidate c) { return !(cost_of(c) <= bound); });
    found[query] = all;
  });
  return make_range_result(found, ids_, metric_);
}

}  // namespace segue
