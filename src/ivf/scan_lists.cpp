#include "ivf/scan_lists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "items/check_input.hpp"
#include "segue/core/candidate.hpp"
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
        packed_(options.filter != nullptr ? options.filter->packed.get() : nullptr),
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
    if (most_ == 0) return;  // in a damaged file what a filter allows may lie in no list
    const std::size_t n = queries_.size();
    choose(0, n, nprobe_, 0);
    const std::size_t centres = lists_.centroids.looked_at(nprobe_);
    for (std::size_t q = 0; q < n; ++q) stats_[q].distances += centres;
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
  // The best `count` lists of queries first .. first + n into memory.lists, from `to` on, and what each is worth there.
  // Codes rank a sixteenth and three more than are wanted, so that what they get wrong decides nothing, on any instruction set:
  // where a query has 63 levels, and lists are few, the third of them may come fifth.
  void choose(std::size_t first, std::size_t n, std::size_t count, std::size_t to) {
    const std::size_t ranked = std::min(most_, count + count / 16 + 3);
    if (memory_.ranked.size() < n * ranked) memory_.ranked.resize(n * ranked);
    const std::size_t end = to + n * count;
    if (memory_.lists.size() < end) memory_.lists.resize(end);
    memory_.offsets.resize(std::max(memory_.offsets.size(), end));
    memory_.tails.resize(std::max(memory_.tails.size(), end));
    memory_.costs.resize(std::max(memory_.costs.size(), ranked));
    rank(first, n, ranked);
    for (std::size_t q = 0; q < n; ++q) {
      weigh(first + q, {memory_.ranked.data() + q * ranked, ranked}, to + q * count, count);
    }
  }

  // Into memory.ranked.
  void rank(std::size_t first, std::size_t n, std::size_t count) {
    const CentreBlocks* heads = worth_.by_norm ? nullptr : blocks_.head_ranking();
    if (heads == nullptr || heads->goes_by_groups(count)) {
      lists_.centroids.rank(queries_.subspan(first, n), worth_, count, memory_.ranking, memory_.ranked.data());
      return;
    }
    for (std::size_t i = 0; i < n; i += kQueriesAPiece) {
      const float* some[kQueriesAPiece];
      const std::size_t together = std::min(kQueriesAPiece, n - i);
      for (std::size_t q = 0; q < together; ++q) some[q] = memory_.coded[first + i + q].head.data();
      heads->rank({some, together}, worth_, count, memory_.ranking, memory_.ranked.data() + i * count);
    }
  }

  void weigh(std::size_t q, std::span<const std::uint32_t> ranked, std::size_t to, std::size_t count) {
    const bool l2 = blocks_.metric() == RowMetric::kSquaredL2;
    const CodedQuery& coded = memory_.coded[q];
    const auto per = static_cast<float>(1 / coded.scale);
    const auto weight = worth_.by_norm ? static_cast<float>(norm(queries_[q], lists_.centroids.dim())) : 1.0f;
    score(lists_.centroids.rows(), queries_[q], ranked);
    // They are nearly in order: each finds its place a few steps ahead.
    if (memory_.order.size() < ranked.size()) memory_.order.resize(ranked.size());
    Candidate* const order = memory_.order.data();
    for (std::uint32_t i = 0; i < ranked.size(); ++i) {
      const float bonus = l2 ? 0.0f : weight * worth_.exact_bonus[ranked[i]];
      const Candidate own = make_candidate(memory_.costs[i] - bonus, i);
      std::size_t place = i;
      for (; place > 0 && own < order[place - 1]; --place) order[place] = order[place - 1];
      order[place] = own;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t at = vertex_of(order[i]);
      const float cost = memory_.costs[at];
      memory_.lists[to + i] = ranked[at];
      memory_.offsets[to + i] = (l2 ? -cost / 2 : -cost) * per;
      memory_.tails[to + i] = l2 && blocks_.has_tails() ? cost : coded.tail_factor;
    }
    if (!l2 || !blocks_.has_tails()) return;
    // The tail of what the query differs by from the centre: of two lengths, so what rounding does to both counts.
    score(blocks_.centre_heads(), coded.head.data(), {memory_.lists.data() + to, count});
    for (std::size_t i = 0; i < count; ++i) {
      const float whole = memory_.tails[to + i];
      const float spare = 1e-5f * (whole + memory_.costs[i]);
      memory_.tails[to + i] = std::sqrt(std::max(0.0f, whole - memory_.costs[i]) + spare) * per;
    }
  }

  // Into memory.costs.
  void score(const VectorStore& rows, const float* query, std::span<const std::uint32_t> lists) {
    memory_.prepared.prepare(rows, query);
    const RowScorer scorer(rows, blocks_.metric(), memory_.prepared.data());
    for (std::size_t i = 0; i < lists.size(); i += kMaxScoreList) {
      scorer.score(lists.data() + i, std::min(kMaxScoreList, lists.size() - i), memory_.costs.data() + i);
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

  // Query q at memory.lists[begin .. end).
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

  // What is read for a list.
  const BlockArrays& scanned() const noexcept {
    return packed_ != nullptr ? static_cast<const BlockArrays&>(*packed_) : blocks_;
  }
  BlockRun run(std::size_t list) const noexcept {
    if (packed_ != nullptr) return packed_->run(list);
    return {blocks_.run(list).first, static_cast<std::uint32_t>(blocks_.run_end(list))};
  }

  bool out_of_reach(std::size_t q, std::size_t pair, std::size_t list) const {
    const BlockRun blocks = run(list);
    if (blocks.first == blocks.end) return true;
    if (blocks_.metric() != RowMetric::kDot) return false;
    const CodedQuery& coded = memory_.coded[q];
    const float wanted = memory_.fronts[q].threshold() - memory_.offsets[pair] - coded.slack;
    for (std::size_t block = blocks.first; block < blocks.end; ++block) {
      if (coded.norm_factor * scanned().bound(block).norm >= wanted) return false;
    }
    return true;
  }

  // Where a query had fewer than k rows to choose from: more lists, those that it has seen left out.
  void widen(std::size_t q) {
    const std::size_t beyond = queries_.size() * nprobe_;
    std::vector<std::uint32_t>& visited = memory_.visited;
    visited.assign(memory_.lists.data() + q * nprobe_, memory_.lists.data() + (q + 1) * nprobe_);
    while (memory_.fronts[q].reached().size() < options_.k && visited.size() < most_) {
      std::sort(visited.begin(), visited.end());
      const std::size_t seen = visited.size();
      const std::size_t wider = std::min(most_, kWider * seen);
      choose(q, 1, wider, beyond);
      for (std::size_t at = beyond; at < beyond + wider; ++at) {
        const std::uint32_t list = memory_.lists[at];
        if (std::binary_search(visited.begin(), visited.begin() + static_cast<std::ptrdiff_t>(seen), list)) continue;
        if (!visit_one(q, at, at + 1)) return;
        visited.push_back(list);
      }
    }
  }

  void scan(std::size_t list, std::span<const PieceVisit> visits) {
    const BlockRun blocks = run(list);
    for_each_piece(allowed_.marks, blocks.first, blocks.end, [&](std::size_t block, std::size_t n) {
      scan_piece(scanned(), block, n, scanned().largest(block, n), visits, allowed_, memory_, memory_.piece, stats_);
      return true;
    });
  }

  const Lists& lists_;
  const ListBlocks& blocks_;
  const PackedRows* packed_;  // what is scanned in their place, where there is one
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
