// How an IvfIndex answers: queries in large groups, each group by one scan of the lists that any of them wants.

#include <algorithm>
#include <cmath>
#include <limits>

#include "items/range_result.hpp"
#include "ivf/ivf_index.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

using Clock = Deadline::Clock;

// Queries of a scan. Thousands share most lists with others; what each needs besides is some kilobytes.
constexpr std::size_t kGroup = 1024;
// A set of that small a part is scored by itself.
constexpr std::size_t kFewMatches = 32;

}  // namespace

struct IvfIndexBody::Wanted {
  std::size_t k;
  float bound;  // no greater cost is wanted
  const SearchOptions& options;
  const std::vector<std::uint32_t>* some;  // the only slots that match, if they are few
};

// Queries [first, first + queries.rows()) of a call. take(i, found, stats) gets what query i found, in no order.
template <class Take>
void IvfIndexBody::answer(MatrixView queries, std::size_t first, const Wanted& wanted, IvfSearchMemory& memory,
                          const Take& take) const {
  const std::size_t n = queries.rows();
  const Deadline deadline(wanted.options.deadline_us);
  if (memory.excluded.size() < n) memory.excluded.resize(n);
  memory.gates.clear();
  for (std::size_t i = 0; i < n; ++i) memory.gates.emplace_back(ids_, wanted.options, first + i, memory.excluded[i]);
  if (metric_ == Metric::kCosine) {
    memory.normalized.resize(std::max(memory.normalized.size(), n * dim_));
    for (std::size_t i = 0; i < n; ++i) normalize(queries.row(i), dim_, memory.normalized.data() + i * dim_);
    queries = MatrixView(memory.normalized.data(), n, dim_);
  }
  const ListBlocks& blocks = layout_.blocks;
  const bool codes = layout_.trained() && wanted.some == nullptr &&
                     std::all_of(queries.data(), queries.data() + n * dim_, [](float x) { return std::fabs(x) < 1e15f; });
  bool covered = codes;
  for (std::size_t i = 0; covered && i < n; ++i) covered = blocks.covers(queries.row(i));
  memory.stats.assign(n, {});
  // Numbers that codes cannot bound are rare and come in batches of their kind.
  if (!covered) {
    for (std::size_t i = 0; i < n; ++i) {
      score_each(store_, blocks.metric(), queries.row(i), wanted.k, wanted.bound, memory.gates[i], wanted.some,
                 ids_.slots(), deadline, memory.each, memory.found, memory.stats[i]);
      take(first + i, memory.found, memory.stats[i]);
    }
    return;
  }
  const bool range = wanted.bound < std::numeric_limits<float>::infinity();
  ListScanMemory& scan = memory.scan;
  if (scan.coded.size() < n) scan.coded.resize(n);
  memory.thresholds.clear();
  for (std::size_t i = 0; i < n; ++i) {
    CodedQuery& coded = scan.coded[i];
    blocks.prepare(queries.row(i), coded);
    if (!range) continue;
    const double least = coded.value_of_cost(blocks.metric(), static_cast<double>(wanted.bound)) - 2 * coded.slack;
    memory.thresholds.push_back(std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity()));
  }
  // An open gate lets every row pass; asking it would only read ids from all over memory.
  AcceptsSlot accepts;
  if (!std::all_of(memory.gates.begin(), memory.gates.end(), [](const Gate& gate) { return gate.open(); })) {
    accepts = [&memory](std::size_t i, std::uint32_t slot) { return memory.gates[i].accepts(slot); };
  }
  const ListScanOptions options{.k = wanted.k, .nprobe = probes(wanted.options), .thresholds = memory.thresholds};
  scan_lists(lists(), queries, options, accepts, deadline, scan, memory.stats);
  const ExactRows exact{store_, blocks.metric()};
  for (std::size_t i = 0; i < n; ++i) {
    if (range) {
      decide_within(exact, scan.fronts[i], queries.row(i), wanted.bound, scan.deciding, memory.found, memory.stats[i]);
    } else {
      decide(exact, scan.coded[i], scan.fronts[i], queries.row(i), wanted.k, scan.deciding, memory.found,
             memory.stats[i]);
    }
    take(first + i, memory.found, memory.stats[i]);
  }
}

template <class Take>
void IvfIndexBody::answer_all(MatrixView queries, const Wanted& wanted, const Take& take) const {
  const std::size_t n = queries.rows();
  const std::size_t lists = std::max<std::size_t>(1, layout_.centroids.size());
  const std::size_t rows = wanted.some != nullptr ? wanted.some->size()
                                                  : lists + ids_.slots() / lists * probes(wanted.options);
  const int threads = threads_for(n * rows * dim_, wanted.options.threads);
  const std::size_t workers = std::max<std::size_t>(1, worker_count(n, threads, 1));
  // A deadline is a query's own, so that each gets its time.
  const std::size_t group =
      wanted.options.deadline_us > 0 ? 1 : std::clamp<std::size_t>((n + workers - 1) / workers, 1, kGroup);
  parallel_for((n + group - 1) / group, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<IvfSearchMemory>::Lease memory(scratch_);
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

void IvfIndexBody::emit(std::span<const Candidate> found, std::size_t k, Id* ids, float* scores) const noexcept {
  const std::size_t n = std::min(k, found.size());
  for (std::size_t i = 0; i < n; ++i) {
    ids[i] = ids_.id(vertex_of(found[i]));
    scores[i] = score_of_cost(metric_, cost_of(found[i]));
  }
  std::fill(ids + n, ids + k, kMissingId);
  std::fill(scores + n, scores + k, missing_score(metric_));
}

void IvfIndexBody::do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
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

RangeResult IvfIndexBody::do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const {
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
