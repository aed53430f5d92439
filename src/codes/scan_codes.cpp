#include "codes/scan_codes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace segue {
namespace {

using kernels::BlockHits;
using kernels::BlockQuery;
using kernels::kBlockRows;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Blocks of a piece: the first are few, as everything passes before k rows are known; then 8 to 16 KiB of bounds, scales
// and hits, and codes that stay in the first- or second-level cache while several queries pass over them.
constexpr std::size_t kFirstPiece = 1;
constexpr std::size_t kLargestPiece = 32;
constexpr std::size_t kQueriesAtOnce = 4;
// Pieces after which the best so far are scored exactly: 2, 8, 32, ...
constexpr std::size_t kFirstRefined = 2;
constexpr std::size_t kRefinedAgain = 4;

float down(double x) { return std::nextafter(static_cast<float>(x), -kInfinity); }

class Scan {
 public:
  Scan(const CodedRows& coded, std::span<const float* const> queries, std::size_t k, const AcceptsSlot& accepts,
       const Deadline& deadline, ScanCodesMemory& memory, std::span<WalkStats> stats)
      : coded_(coded),
        blocks_(coded.blocks),
        queries_(queries),
        k_(k),
        accepts_(accepts),
        deadline_(deadline),
        memory_(memory),
        stats_(stats) {
    constexpr std::size_t kRoom = kQueriesAtOnce * kLargestPiece * kBlockRows;
    memory.positions.resize(std::max(memory.positions.size(), kRoom));
    memory.values.resize(std::max(memory.values.size(), kRoom));
  }

  // Blocks [begin, end), whose norms fall. Queries that are done leave memory.active; false where the deadline ended all.
  bool by_norm(std::size_t begin, std::size_t end) {
    std::size_t piece = kFirstPiece;
    for (std::size_t block = begin; block < end;) {
      const std::size_t n = std::min(piece, end - block);
      std::erase_if(memory_.active, [&](std::uint32_t q) { return !may_reach(q, block, 1); });
      if (memory_.active.empty()) return true;
      if (!scan_piece(block, n, false)) return false;
      block += n;
      piece = std::min(kLargestPiece, 2 * piece);
    }
    return true;
  }

  // Of blocks [begin, end), whose norms fall: how many the norm bound does not rule out.
  std::size_t blocks_in_reach(std::uint32_t q, std::size_t begin, std::size_t end) const {
    std::size_t low = begin;
    for (std::size_t high = end; low < high;) {
      const std::size_t middle = low + (high - low) / 2;
      if (may_reach(q, middle, 1)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - begin;
  }

  // Blocks [begin, end), in an order of its own.
  bool everywhere(std::size_t begin, std::size_t end) {
    const std::size_t pieces = (end - begin + kLargestPiece - 1) / kLargestPiece;
    std::size_t refine_at = kFirstRefined;
    std::size_t piece = 0;
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::size_t first = begin + piece * kLargestPiece;
      const std::size_t last = std::min(end, first + kLargestPiece);
      // Everything passes before k rows are known: those of a few blocks, not of a whole piece.
      for (std::size_t block = first; block < last;) {
        const std::size_t n = i > 0 ? last - block : std::min(last - block, std::max(kFirstPiece, block - first));
        if (!scan_piece(block, n, true)) return false;
        block += n;
      }
      if (i + 1 == refine_at && pieces - i > refine_at / 2) {
        for (const std::uint32_t q : memory_.active) refine(q);
        refine_at *= kRefinedAgain;
      }
      piece = next_piece(piece, pieces);
    }
    return true;
  }

 private:
  // A stride near the golden section of the pieces, made coprime: any number of steps lands evenly spread.
  std::size_t next_piece(std::size_t piece, std::size_t pieces) {
    if (stride_of_ != pieces) {
      stride_of_ = pieces;
      stride_ = std::max<std::size_t>(1, static_cast<std::size_t>(0.618034 * static_cast<double>(pieces)));
      while (std::gcd(stride_, pieces) != 1) ++stride_;
    }
    return (piece + stride_) % pieces;
  }

  // Whether the bound by norm lets any row of these blocks reach what the query still wants.
  bool may_reach(std::uint32_t q, std::size_t block, std::size_t n) const {
    if (blocks_.metric() != RowMetric::kDot) return true;
    const CodedQuery& query = memory_.coded[q];
    const float wanted = memory_.fronts[q].threshold();
    for (std::size_t b = block; b < block + n; ++b) {
      if (query.norm_factor * blocks_.bounds(b)->norm + query.slack >= wanted) return true;
    }
    return false;
  }

  bool scan_piece(std::size_t block, std::size_t n, bool check) {
    piece_ = *blocks_.bounds(block);
    for (std::size_t b = block + 1; b < block + n; ++b) {
      const BlockBound& bound = *blocks_.bounds(b);
      piece_.error = std::max(piece_.error, bound.error);
      piece_.head = std::max(piece_.head, bound.head);
      piece_.tail = std::max(piece_.tail, bound.tail);
    }
    std::uint32_t group[kQueriesAtOnce];
    std::size_t in_group = 0;
    for (const std::uint32_t q : memory_.active) {
      if (check && !may_reach(q, block, n)) continue;
      group[in_group++] = q;
      if (in_group == kQueriesAtOnce) scan_group(group, std::exchange(in_group, 0), block, n);
    }
    if (in_group > 0) scan_group(group, in_group, block, n);
    if (!deadline_.passed()) return true;
    for (const std::uint32_t q : memory_.active) stats_[q].cut = true;
    return false;
  }

  void scan_group(const std::uint32_t* group, std::size_t queries, std::size_t block, std::size_t n) {
    BlockQuery views[kQueriesAtOnce];
    BlockHits hits[kQueriesAtOnce];
    for (std::size_t i = 0; i < queries; ++i) {
      const CodedQuery& query = memory_.coded[group[i]];
      const float limit = memory_.fronts[group[i]].threshold() - reach(query, piece_, query.tail_factor, piece_.tail);
      views[i] = {query.codes.data(), query.code_sum, query.bias_factor, limit};
      const std::size_t room = i * kLargestPiece * kBlockRows;
      hits[i] = {0, memory_.positions.data() + room, memory_.values.data() + room};
    }
    blocks_.table().scan_blocks(views, queries, blocks_.codes(block), blocks_.groups(), blocks_.scales(block),
                                blocks_.biases(block), n, hits);
    for (std::size_t i = 0; i < queries; ++i) {
      stats_[group[i]].distances += n * kBlockRows;
      stats_[group[i]].visited += n * kBlockRows;
      take_hits(group[i], hits[i], block);
    }
  }

  // The kernel compared with what holds for the whole piece; here is what holds for the row. Those that pass now and do
  // not reach in the end are few, and cost less than a branch that guesses wrong every other time.
  void take_hits(std::uint32_t q, const BlockHits& hits, std::size_t block) {
    CodeFront& front = memory_.fronts[q];
    const CodedQuery& query = memory_.coded[q];
    for (std::size_t i = 0; i < hits.count; ++i) {
      const std::size_t position = block * kBlockRows + hits.positions[i];
      if (position >= blocks_.positions()) continue;
      const float off = reach(query, *blocks_.bounds(position / kBlockRows), query.tail_factor, blocks_.tail(position));
      const float value = hits.values[i];
      const std::uint32_t slot = blocks_.slot(position);
      if (slot >= blocks_.places() || (accepts_ && !accepts_(q, slot))) continue;  // a hole, damage, or not wanted
      front.keep({value + off, value, slot}, value - off);
    }
    front.settle(query.slack);
  }

  // The k-th best exact score of some rows is a threshold for all.
  void refine(std::uint32_t q) {
    CodeFront& front = memory_.fronts[q];
    std::vector<Reached>& reached = front.reached();
    if (reached.size() < k_) return;
    std::nth_element(reached.begin(), reached.begin() + static_cast<std::ptrdiff_t>(k_ - 1), reached.end(),
                     [](const Reached& a, const Reached& b) { return a.value > b.value; });
    std::vector<Candidate>& best = memory_.deciding.piece;
    best.clear();
    for (std::size_t i = 0; i < k_; ++i) best.push_back(make_candidate(0, reached[i].slot));
    exact_costs(coded_.rows, blocks_.metric(), queries_[q], best, memory_.deciding.rescoring);
    stats_[q].distances += k_;
    const float worst = cost_of(*std::max_element(best.begin(), best.end()));
    const CodedQuery& query = memory_.coded[q];
    front.raise(down(query.value_of_cost(blocks_.metric(), static_cast<double>(worst)) -
                     static_cast<double>(query.slack)));
  }

  const CodedRows& coded_;
  const CodeBlocks& blocks_;
  std::span<const float* const> queries_;
  std::size_t k_;
  const AcceptsSlot& accepts_;
  const Deadline& deadline_;
  ScanCodesMemory& memory_;
  std::span<WalkStats> stats_;
  BlockBound piece_{};  // the largest of each in the piece at hand
  std::size_t stride_ = 1;
  std::size_t stride_of_ = 0;
};

}  // namespace

void scan_codes(const CodedRows& coded, std::span<const float* const> queries, const ScanCodesOptions& options,
                const AcceptsSlot& accepts, const Deadline& deadline, ScanCodesMemory& memory,
                std::span<WalkStats> stats, std::span<std::size_t> left) {
  const CodeBlocks& blocks = coded.blocks;
  const std::size_t count = queries.size();
  const auto activate_all = [&] {
    memory.active.resize(count);
    std::iota(memory.active.begin(), memory.active.end(), 0u);
  };
  if (memory.fronts.size() < count) memory.fronts.resize(count);
  memory.ends.assign(count, 0);
  for (std::size_t q = 0; q < count; ++q) {
    // Where all rows are wanted none is ever ruled out.
    const float least = options.thresholds.empty() ? -kInfinity : options.thresholds[q];
    memory.fronts[q].reset(options.k < blocks.size() ? options.k : 0, least);
  }
  std::fill(left.begin(), left.end(), 0);
  Scan scan(coded, queries, options.k, accepts, deadline, memory, stats);
  activate_all();
  std::size_t sorted = 0;
  std::size_t paid = 0;
  bool in_time = true;
  const bool all_paid = options.budget >= kBlockRows * blocks.sorted_blocks();
  if (blocks.metric() == RowMetric::kDot && (blocks.norms_fall() || !all_paid)) {
    sorted = blocks.sorted_blocks();
    paid = std::min(sorted, options.budget / kBlockRows + (options.budget % kBlockRows != 0));
    memory.ends.assign(count, paid);
    in_time = scan.by_norm(0, paid);
    if (in_time && paid < sorted) {
      std::erase_if(memory.active, [&](std::uint32_t q) {
        return kBlockRows * scan.blocks_in_reach(q, paid, sorted) > options.overdraft;
      });
      for (const std::uint32_t q : memory.active) memory.ends[q] = sorted;
      in_time = scan.by_norm(paid, sorted);
    }
    activate_all();
  }
  if (in_time) in_time = scan.everywhere(sorted, blocks.blocks());
  for (std::size_t q = 0; q < left.size(); ++q) {
    // A deadline says nothing of where it struck; all may be left then.
    left[q] = in_time ? kBlockRows * scan.blocks_in_reach(static_cast<std::uint32_t>(q), memory.ends[q], sorted)
                      : blocks.size();
  }
}

}  // namespace segue
