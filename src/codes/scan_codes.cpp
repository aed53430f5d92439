#include "codes/scan_codes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "codes/filter_marks.hpp"

namespace segue {
namespace {

using kernels::kBlockRows;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Blocks of the first piece: few, as everything passes before k rows are known.
constexpr std::size_t kFirstPiece = 1;
// Pieces after which the best so far are scored exactly: 2, 8, 32, ...
constexpr std::size_t kFirstRefined = 2;
constexpr std::size_t kRefinedAgain = 4;

float down(double x) { return std::nextafter(static_cast<float>(x), -kInfinity); }

class Scan {
 public:
  Scan(const CodedRows& coded, std::span<const float* const> queries, std::size_t k, const Allowed& allowed,
       const Deadline& deadline, ScanCodesMemory& memory, std::span<WalkStats> stats)
      : coded_(coded),
        blocks_(coded.blocks),
        queries_(queries),
        k_(k),
        allowed_(allowed),
        deadline_(deadline),
        memory_(memory),
        stats_(stats) {}

  // Blocks [begin, end), whose norms fall. Queries that are done leave memory.active; false where the deadline ended all.
  bool by_norm(std::size_t begin, std::size_t end) {
    std::size_t piece = kFirstPiece;
    for (std::size_t block = begin; block < end;) {
      const std::size_t n = std::min(piece, end - block);
      std::erase_if(memory_.active, [&](std::uint32_t q) { return !may_reach(q, block, 1); });
      if (memory_.active.empty()) return true;
      if (!visit(block, n, false)) return false;
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
        if (!visit(block, n, true)) return false;
        block += n;
      }
      if (coded_.rows != nullptr && i + 1 == refine_at && pieces - i > refine_at / 2) {
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
      if (query.norm_factor * blocks_.bound(b).norm + query.slack >= wanted) return true;
    }
    return false;
  }

  bool visit(std::size_t begin, std::size_t n, bool check) {
    return for_each_piece(allowed_.marks, begin, begin + n, [&](std::size_t block, std::size_t count) {
      visit_piece(block, count, check);
      if (!deadline_.passed()) return true;
      for (const std::uint32_t q : memory_.active) stats_[q].cut = true;
      return false;
    });
  }

  void visit_piece(std::size_t block, std::size_t n, bool check) {
    const BlockBound most = blocks_.largest(block, n);
    PieceVisit visits[kQueriesAPiece];
    std::size_t count = 0;
    const auto scan = [&] {
      scan_piece(blocks_, block, n, most, {visits, std::exchange(count, 0)}, allowed_, memory_, memory_.piece, stats_);
    };
    for (const std::uint32_t q : memory_.active) {
      if (check && !may_reach(q, block, n)) continue;
      visits[count++] = {q, 0, memory_.coded[q].tail_factor};
      if (count == kQueriesAPiece) scan();
    }
    if (count > 0) scan();
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
    memory_.scorer.reset(*coded_.rows, blocks_.metric(), queries_[q]);
    memory_.scorer.score(best);
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
  const Allowed allowed_;
  const Deadline& deadline_;
  ScanCodesMemory& memory_;
  std::span<WalkStats> stats_;
  std::size_t stride_ = 1;
  std::size_t stride_of_ = 0;
};

}  // namespace

void scan_codes(const CodedRows& coded, std::span<const float* const> queries, const ScanCodesOptions& options,
                const Allowed& allowed, const Deadline& deadline, ScanCodesMemory& memory,
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
  Scan scan(coded, queries, options.k, allowed, deadline, memory, stats);
  activate_all();
  std::size_t sorted = 0;
  std::size_t paid = 0;
  bool in_time = true;
  const bool all_paid = options.budget >= kBlockRows * blocks.sorted_blocks();
  if (blocks.metric() == RowMetric::kDot && (blocks.norms_end_scans() || !all_paid)) {
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
