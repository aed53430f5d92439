#include "hnsw/scan_matches.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "codes/block_arrays.hpp"
#include "codes/reached_by.hpp"
#include "hnsw/scan_head.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Blocks scanned at once: their values stay in the first-level cache.
constexpr std::size_t kBlocksAtOnce = 128;
// What codes of eight bits may put a product beyond that of the lengths, and more.
constexpr float kCoarse = 1.01f;
// Rows scored at once: enough that waits for them overlap.
constexpr std::size_t kAtOnce = 96;
// Regions ranked beyond those that are expected to be visited.
constexpr std::size_t kSpareRegions = 8;

void leave_out_excluded(const MatchScan& scan, std::uint32_t first, kernels::BlockHits& hits) {
  const PackedMatches& packed = scan.plan.packed;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < hits.count; ++i) {
    hits.positions[kept] = hits.positions[i];
    hits.values[kept] = hits.values[i];
    const std::uint32_t slot = packed.slots[first + hits.positions[i]];
    kept += packed.norms.empty() ? !scan.gate.excludes(slot) : accepts_vertex(scan.state, scan.gate, slot);
  }
  hits.count = kept;
}

// The query as blocks of rows want it.
kernels::BlockQuery code_numbers(const MatchScan& scan, MatchScanMemory& memory, float& unit) {
  const VectorStore& rows = scan.state.rows;
  code_levels(rows.table(), scan.numbers, rows.dim(), 1, memory.query);
  const CodeLevels::Level& level = memory.query.levels[0];
  // Codes may fall short of every number; then the terms that rows bring alone decide.
  const float scale = level.scale > 0 ? level.scale : 1;
  unit = scan.plan.packed.biases.empty() ? scale : 2 * scale;
  return {level.codes.data(), level.code_sum, 1 / scale, -kInfinity, level.paired};
}

// As blocks that come from CodeBlocks want it.
kernels::BlockQuery code_product(const MatchScan& scan, MatchScanMemory& memory, float& unit, float& reach) {
  memory.coded.resize(1);
  scan.state.codes.prepare({&scan.query, 1}, memory.coded, memory.coding);
  const CodedQuery& coded = memory.coded[0];
  unit = static_cast<float>(coded.scale);
  reach = coded.norm_factor * kCoarse;
  return {coded.codes.data(), coded.code_sum, coded.bias_factor, -kInfinity, coded.paired};
}

// Lists of slots, scored; the `keep` best of them stay, in no order. A sorted list would move half of itself for each that
// comes.
class Scored {
 public:
  Scored(const MatchScan& scan, const RowScorer& scorer, std::size_t k, std::size_t keep, MatchScanMemory& memory,
         WalkStats& stats)
      : scan_(scan), scorer_(scorer), k_(k), keep_(keep), costs_(memory.costs), best_(memory.best), nearest_(memory.nearest), stats_(stats) {
    best_.clear();
    nearest_.clear();
  }

  // At most kMaxScoreList.
  void take(std::span<const std::uint32_t> slots) {
    scorer_.score(slots.data(), slots.size(), costs_);
    stats_.distances += slots.size();
    stats_.visited += slots.size();
    waited_ += slots.size();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (costs_[i] > limit_ || scan_.gate.excludes(slots[i])) continue;
      const Candidate c = make_candidate(costs_[i], slots[i]);
      if (put_among_nearest(c)) waited_ = 0;
      best_.push_back(c);
      if (best_.size() >= 2 * keep_) limit_ = cost_of(drop_worst());
    }
    if (scan_.deadline.passed()) stats_.cut = true;
  }
  // Rows since one was among the k best.
  std::size_t waited() const noexcept { return nearest_.size() < k_ ? 0 : waited_; }
  void finish() {
    if (best_.size() > keep_) drop_worst();
    std::sort(best_.begin(), best_.end());
  }

 private:
  // The worst that stays.
  Candidate drop_worst() {
    const auto last = best_.begin() + static_cast<std::ptrdiff_t>(keep_ - 1);
    std::nth_element(best_.begin(), last, best_.end());
    best_.resize(keep_);
    return best_.back();
  }
  bool put_among_nearest(Candidate c) {
    if (nearest_.size() == k_) {
      if (c >= nearest_.front()) return false;
      std::pop_heap(nearest_.begin(), nearest_.end());
      nearest_.pop_back();
    }
    nearest_.push_back(c);
    std::push_heap(nearest_.begin(), nearest_.end());
    return true;
  }

  const MatchScan& scan_;
  const RowScorer& scorer_;
  std::size_t k_;
  std::size_t keep_;
  float* costs_;
  std::vector<Candidate>& best_;
  std::vector<Candidate>& nearest_;  // the k best: a heap
  WalkStats& stats_;
  float limit_ = kInfinity;
  std::size_t waited_ = 0;
};

}  // namespace

void scan_packed(const MatchScan& scan, std::size_t keep, MatchScanMemory& memory, WalkStats& stats) {
  const PackedMatches& packed = scan.plan.packed;
  const VectorStore& rows = scan.state.rows;
  memory.positions.resize(kBlocksAtOnce * kBlockRows);
  memory.values.resize(kBlocksAtOnce * kBlockRows);
  memory.passed.resize(kBlocksAtOnce * kBlockRows);
  float unit = 1;   // what a value of one stands for
  float reach = 0;  // no value is larger than that times a length (Cauchy and Schwarz)
  kernels::BlockQuery query =
      packed.norms.empty() ? code_numbers(scan, memory, unit) : code_product(scan, memory, unit, reach);
  kernels::BlockHits hits{0, memory.positions.data(), memory.values.data()};
  std::vector<Candidate>& best = memory.best;
  best.clear();
  const std::size_t blocks = blocks_for(packed.slots.size());
  const std::size_t piece = packed.norms.empty() ? kBlocksAtOnce : PackedMatches::kNormBlocks;
  for (std::size_t block = 0; block < blocks && !stats.cut; block += piece) {
    const std::size_t n = std::min(piece, blocks - block);
    if (!packed.norms.empty() && packed.norms[block / PackedMatches::kNormBlocks] * reach < query.limit) continue;
    const float* biases = packed.biases.empty() ? nullptr : packed.biases.data() + block * kBlockRows;
    rows.table().scan_blocks(&query, 1, packed.codes.data() + block * packed.groups * kBlockGroupBytes, packed.groups,
                             packed.scales.data() + block * kBlockRows, biases, n, &hits);
    const std::uint32_t first = static_cast<std::uint32_t>(block * kBlockRows);
    // Behind the last row there is none.
    while (hits.count > 0 && first + hits.positions[hits.count - 1] >= packed.slots.size()) --hits.count;
    if (scan.gate.excludes() != 0) leave_out_excluded(scan, first, hits);
    const float reached = std::max(query.limit, reached_by(keep, hits.values, hits.count, memory.work));
    std::size_t passed = hits.count;
    if (reached > -kInfinity) {
      passed = rows.table().select_greater(hits.values, hits.count, std::nextafter(reached, -kInfinity),
                                           memory.passed.data());
    } else {
      std::iota(memory.passed.data(), memory.passed.data() + passed, 0u);
    }
    for (std::size_t i = 0; i < passed; ++i) {
      const std::uint32_t at = memory.passed[i];
      best.push_back(make_candidate(-hits.values[at], first + hits.positions[at]));
    }
    if (best.size() > keep && block + n < blocks) {
      const auto last = best.begin() + static_cast<std::ptrdiff_t>(keep - 1);
      std::nth_element(best.begin(), last, best.end());
      query.limit = -cost_of(*last);
      best.resize(keep);
    }
    if (scan.deadline.passed()) stats.cut = true;
  }
  stats.distances += packed.slots.size();
  stats.visited += packed.slots.size();
  std::sort(best.begin(), best.end());
  if (best.size() > keep) best.resize(keep);
  for (Candidate& c : best) c = make_candidate(cost_of(c) * unit, packed.slots[vertex_of(c)]);
}

void score_matches(const MatchScan& scan, const RowScorer& scorer, std::size_t keep, MatchScanMemory& memory,
                   WalkStats& stats) {
  Scored scored(scan, scorer, 1, keep, memory, stats);  // all are scored, however long they bring nothing
  const std::span<const std::uint32_t> slots = scan.plan.slots;
  for (std::size_t first = 0; first < slots.size() && !stats.cut; first += kMaxScoreList) {
    scored.take(slots.subspan(first, std::min(kMaxScoreList, slots.size() - first)));
  }
  scored.finish();
}

void scan_regions(const MatchScan& scan, const RowScorer& scorer, std::size_t k, std::size_t patience, std::size_t keep,
                  MatchScanMemory& memory, WalkStats& stats) {
  const MatchPlan& plan = scan.plan;
  const Centroids& centres = scan.state.regions.centres();
  const ListWorth worth{.bonus = centres.nearness(), .barred = plan.barred};
  Scored scored(scan, scorer, k, keep, memory, stats);
  std::uint32_t list[kMaxScoreList];
  std::size_t n = 0;
  std::size_t visited = 0;
  const auto done = [&] { return stats.cut || scored.waited() >= patience; };
  // Twice the patience is about what a search looks at.
  std::size_t ranked = kSpareRegions + 2 * patience * plan.open_regions / plan.matches;
  for (;;) {
    ranked = std::min(ranked, plan.open_regions);
    memory.regions.resize(ranked);
    centres.rank({&scan.numbers, 1}, worth, ranked, memory.ranking, memory.regions.data());
    for (; visited < ranked && !done(); ++visited) {
      if (visited + 1 < ranked) __builtin_prefetch(plan.region(memory.regions[visited + 1]).data());
      for (std::span<const std::uint32_t> rest = plan.region(memory.regions[visited]); !rest.empty();) {
        const std::size_t some = std::min(rest.size(), kMaxScoreList - n);
        std::copy_n(rest.data(), some, list + n);
        rest = rest.subspan(some);
        n += some;
        if (n == kMaxScoreList) scored.take({list, std::exchange(n, 0)});
      }
      if (n >= kAtOnce) scored.take({list, std::exchange(n, 0)});
    }
    if (done() || ranked == plan.open_regions) break;
    ranked *= 4;
  }
  if (n > 0 && !stats.cut) scored.take({list, n});
  scored.finish();
}

}  // namespace segue
