#include "ivf/scan_lists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "segue/core/scorer.hpp"

namespace segue {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Where the rounds end, in lists of a query.
constexpr std::size_t kRounds[] = {1, 4, 16, std::numeric_limits<std::size_t>::max()};
// How many times as many lists are looked at where those before held too little.
constexpr std::size_t kWider = 4;

class ListScan {
 public:
  ListScan(const Lists& lists, std::span<const float* const> queries, const ListScanOptions& options, const Allowed& allowed,
           const Deadline& deadline, ListScanMemory& memory, std::span<WalkStats> stats)
      : lists_(lists),
        blocks_(lists.blocks),
        queries_(queries),
        options_(options),
        allowed_(allowed),
        deadline_(deadline),
        memory_(memory),
        stats_(stats),
        worth_(lists.worth),
        most_(options.filter != nullptr ? options.filter->open_lists : lists.centroids.size()),
        nprobe_(std::min(std::max<std::size_t>(1, options.nprobe), most_)) {
    if (options.filter != nullptr) worth_.barred = options.filter->barred;
    if (memory.fronts.size() < queries.size()) memory.fronts.resize(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      // Where all rows are wanted none is ever ruled out.
      const float least = options.thresholds.empty() ? -kInfinity : options.thresholds[q];
      memory.fronts[q].reset(options.k < blocks_.size() ? options.k : 0, least);
    }
  }

  void run() {
    const std::size_t n = queries_.size();
    room_for(n * nprobe_);
    lists_.centroids.rank(queries_, worth_, nprobe_, memory_.ranking, memory_.lists.data());
    for (std::size_t q = 0; q < n; ++q) {
      stats_[q].distances += lists_.centroids.size();
      weigh(q, q * nprobe_, nprobe_);
    }
    std::size_t begin = 0;
    for (const std::size_t round : kRounds) {
      const std::size_t end = std::min(round, nprobe_);
      if (begin < end && !visit(begin, end)) return;
      begin = end;
    }
    if (!options_.thresholds.empty()) return;
    for (std::size_t q = 0; q < n; ++q) widen(q);
  }

 private:
  void room_for(std::size_t pairs) {
    if (memory_.lists.size() < pairs) memory_.lists.resize(pairs);
    memory_.offsets.resize(std::max(memory_.offsets.size(), pairs));
    memory_.tails.resize(std::max(memory_.tails.size(), pairs));
  }

  // What query q is worth at the centres of the lists at memory.lists[first ...].
  void weigh(std::size_t q, std::size_t first, std::size_t n) {
    const bool l2 = blocks_.metric() == RowMetric::kSquaredL2;
    const CodedQuery& coded = memory_.coded[q];
    const auto per = static_cast<float>(1 / coded.scale);
    memory_.costs.resize(std::max(memory_.costs.size(), n));
    score(lists_.centroids.rows(), queries_[q], first, n);
    for (std::size_t i = 0; i < n; ++i) {
      memory_.offsets[first + i] = (l2 ? -memory_.costs[i] / 2 : -memory_.costs[i]) * per;
      memory_.tails[first + i] = coded.tail_factor;
    }
    if (!l2 || !blocks_.has_tails()) return;
    // The tail of what the query differs by from the centre: of two lengths, so what rounding does to both counts.
    for (std::size_t i = 0; i < n; ++i) memory_.tails[first + i] = memory_.costs[i];
    score(blocks_.centre_heads(), coded.head.data(), first, n);
    for (std::size_t i = 0; i < n; ++i) {
      const float whole = memory_.tails[first + i];
      const float spare = 1e-5f * (whole + memory_.costs[i]);
      memory_.tails[first + i] = std::sqrt(std::max(0.0f, whole - memory_.costs[i]) + spare) * per;
    }
  }

  void score(const VectorStore& rows, const float* query, std::size_t first, std::size_t n) {
    memory_.prepared.prepare(rows, query);
    const RowScorer scorer(rows, blocks_.metric(), memory_.prepared.data());
    for (std::size_t i = 0; i < n; i += kMaxScoreList) {
      scorer.score(memory_.lists.data() + first + i, std::min(kMaxScoreList, n - i), memory_.costs.data() + i);
    }
  }

  // Lists begin .. end of every query, in the order in which lists lie. False where the deadline ended it.
  bool visit(std::size_t begin, std::size_t end) {
    const std::size_t n = queries_.size();
    if (n == 1) return visit_one(0, begin, end);
    std::vector<std::uint32_t>& starts = memory_.starts;
    starts.assign(lists_.centroids.size() + 1, 0);
    for (std::size_t q = 0; q < n; ++q) {
      for (std::size_t r = begin; r < end; ++r) ++starts[memory_.lists[q * nprobe_ + r] + 1];
    }
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint32_t>& visits = memory_.visits;
    visits.resize(std::max(visits.size(), n * (end - begin)));
    for (std::size_t q = 0; q < n; ++q) {
      for (std::size_t r = begin; r < end; ++r) {
        const std::size_t pair = q * nprobe_ + r;
        visits[starts[memory_.lists[pair]]++] = static_cast<std::uint32_t>(pair);
      }
    }
    std::size_t first = 0;
    for (std::size_t l = 0; l < lists_.centroids.size(); ++l) {
      const std::size_t last = starts[l];  // each has moved on to where the next list began
      PieceVisit group[kQueriesAPiece];
      std::size_t in_group = 0;
      for (; first < last; ++first) {
        const std::size_t pair = visits[first];
        const auto q = static_cast<std::uint32_t>(pair / nprobe_);
        if (out_of_reach(q, pair, l)) continue;
        group[in_group++] = {q, memory_.offsets[pair], memory_.tails[pair]};
        if (in_group == kQueriesAPiece) scan(l, {group, std::exchange(in_group, 0)});
      }
      if (in_group > 0) scan(l, {group, in_group});
      if (deadline_.passed()) {
        for (std::size_t q = 0; q < n; ++q) stats_[q].cut = true;
        return false;
      }
    }
    return true;
  }

  // Lists begin .. end of query q, from memory.lists[0] on.
  bool visit_one(std::size_t q, std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      const std::size_t list = memory_.lists[r];
      const PieceVisit visit{static_cast<std::uint32_t>(q), memory_.offsets[r], memory_.tails[r]};
      if (!out_of_reach(q, r, list)) scan(list, {&visit, 1});
      if (deadline_.passed()) {
        stats_[q].cut = true;
        return false;
      }
    }
    return true;
  }

  bool out_of_reach(std::size_t q, std::size_t pair, std::size_t list) const {
    const ListBlocks::Run& run = blocks_.run(list);
    if (run.rows == 0) return true;
    if (blocks_.metric() != RowMetric::kDot) return false;
    const CodedQuery& coded = memory_.coded[q];
    const float wanted = memory_.fronts[q].threshold() - memory_.offsets[pair] - coded.slack;
    for (std::size_t block = run.first; block < blocks_.run_end(list); ++block) {
      if (coded.norm_factor * blocks_.bound(block).norm >= wanted) return false;
    }
    return true;
  }

  // Where a query had fewer than k rows to choose from: more lists, those that it has seen left out.
  void widen(std::size_t q) {
    std::size_t seen = nprobe_;
    while (memory_.fronts[q].reached().size() < options_.k && seen < most_) {
      const std::size_t wider = std::min(most_, kWider * seen);
      room_for(wider);
      lists_.centroids.rank(queries_.subspan(q, 1), worth_, wider, memory_.ranking, memory_.lists.data());
      weigh(q, 0, wider);
      if (!visit_one(q, seen, wider)) return;
      seen = wider;
    }
  }

  void scan(std::size_t list, std::span<const PieceVisit> visits) {
    for_each_piece(allowed_.marks, blocks_.run(list).first, blocks_.run_end(list), [&](std::size_t block, std::size_t n) {
      scan_piece(blocks_, block, n, blocks_.largest(block, n), visits, allowed_, memory_, memory_.piece, stats_);
      return true;
    });
  }

  const Lists& lists_;
  const ListBlocks& blocks_;
  std::span<const float* const> queries_;
  const ListScanOptions& options_;
  const Allowed allowed_;
  const Deadline& deadline_;
  ListScanMemory& memory_;
  std::span<WalkStats> stats_;
  ListWorth worth_;
  std::size_t most_;  // lists that hold anything wanted, as far as is known
  std::size_t nprobe_;
};

}  // namespace

void scan_lists(const Lists& lists, std::span<const float* const> queries, const ListScanOptions& options, const Allowed& allowed,
                const Deadline& deadline, ListScanMemory& memory, std::span<WalkStats> stats) {
  ListScan(lists, queries, options, allowed, deadline, memory, stats).run();
}

}  // namespace segue
