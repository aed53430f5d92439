#include "codes/scan_piece.hpp"

#include <algorithm>
#include <limits>

#include "codes/filter_marks.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

using kernels::BlockHits;
using kernels::BlockQuery;
using kernels::kBlockRows;

// Of more hits than this the row's own bound is asked before one is kept.
constexpr std::size_t kFewHits = 32;

// The kernel compared with what holds for the whole piece; here is what holds for the row. Those that pass now and do
// not reach in the end are mostly few, and cost less than a branch that guesses wrong every other time.
void take_hits(const BlockArrays& arrays, std::size_t block, const BlockHits& hits, const PieceVisit& visit,
               const Allowed& allowed, CodeFronts& fronts) {
  CodeFront& front = fronts.fronts[visit.query];
  const CodedQuery& query = fronts.coded[visit.query];
  const float least = hits.count > kFewHits ? front.threshold() : -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < hits.count; ++i) {
    const std::size_t position = block * kBlockRows + hits.positions[i];
    if (position >= arrays.positions() || (allowed.marks != nullptr && !allowed.marks->has(position))) continue;
    const float off = reach(query, arrays.bound(position / kBlockRows), visit.tail, arrays.tail(position));
    const float value = visit.offset + hits.values[i];
    if (value + off < least) continue;
    const std::uint32_t slot = arrays.slot(position);
    if (slot >= arrays.places() || (allowed.accepts && !allowed.accepts(visit.query, slot))) continue;  // none, damage, or not wanted
    front.keep({value + off, value, slot}, value - off);
  }
  front.settle(query.slack);
}

}  // namespace

void scan_piece(const BlockArrays& arrays, std::size_t block, std::size_t n, const BlockBound& most,
                std::span<const PieceVisit> visits, const Allowed& allowed, CodeFronts& fronts, PieceMemory& memory,
                std::span<WalkStats> stats) {
  constexpr std::size_t kRoom = kLargestPiece * kBlockRows;
  if (memory.positions.size() < kQueriesAPiece * kRoom) {
    memory.positions.resize(kQueriesAPiece * kRoom);
    memory.values.resize(kQueriesAPiece * kRoom);
  }
  BlockQuery views[kQueriesAPiece];
  BlockHits hits[kQueriesAPiece];
  for (std::size_t i = 0; i < visits.size(); ++i) {
    const CodedQuery& query = fronts.coded[visits[i].query];
    const float limit = fronts.fronts[visits[i].query].threshold() - visits[i].offset -
                        reach(query, most, visits[i].tail, most.tail);
    views[i] = {query.codes.data(), query.code_sum, query.bias_factor, limit, query.paired};
    hits[i] = {0, memory.positions.data() + i * kRoom, memory.values.data() + i * kRoom};
  }
  arrays.scan({views, visits.size()}, arrays.codes(block), arrays.scales(block), arrays.biases(block), n, hits);
  const std::size_t rows = std::min((block + n) * kBlockRows, arrays.positions()) - block * kBlockRows;
  for (std::size_t i = 0; i < visits.size(); ++i) {
    stats[visits[i].query].distances += rows;
    stats[visits[i].query].visited += rows;
    take_hits(arrays, block, hits[i], visits[i], allowed, fronts);
  }
}

}  // namespace segue
