#include "ivf/centre_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codes/block_arrays.hpp"
#include "codes/code_row.hpp"
#include "codes/reached_by.hpp"
#include "items/check_input.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Blocks scanned before the best of them set the limit for others: their values stay in the first-level cache.
constexpr std::size_t kFirstBlocks = 64;

// The best `count` and, once there are as many, the limit that others have to reach.
void keep_best(std::size_t count, RankMemory::Query& query) {
  std::vector<Candidate>& best = query.best;
  if (best.size() < count) return;
  const auto last = best.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(best.begin(), last, best.end());
  query.view.limit = -cost_of(*last);
  best.resize(count);
}

// Where numbers overflowed some lists have no worth: they come last.
void fill_up(std::size_t size, const ListWorth& worth, std::size_t count, std::vector<Candidate>& best) {
  std::vector<bool> there(size, false);
  for (const Candidate c : best) there[vertex_of(c)] = true;
  for (std::uint32_t list = 0; list < size && best.size() < count; ++list) {
    if (!there[list] && (worth.barred.empty() || worth.barred[list] == 0)) best.push_back(make_candidate(kInfinity, list));
  }
}

}  // namespace

// Lists that are barred, and what lies behind the last.
void CentreBlocks::leave_out(const ListWorth& worth, std::size_t first, kernels::BlockHits& hits) const {
  while (hits.count > 0 && first + hits.positions[hits.count - 1] >= size_) --hits.count;
  if (worth.barred.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < hits.count; ++i) {
    hits.positions[kept] = hits.positions[i];
    hits.values[kept] = hits.values[i];
    kept += worth.barred[first + hits.positions[i]] == 0;
  }
  hits.count = kept;
}

void CentreBlocks::assign(MatrixView centres) {
  size_ = centres.rows();
  const std::size_t blocks = blocks_for(size_);
  const std::size_t block_bytes = (dim_ + 3) / 4 * kBlockGroupBytes;
  codes_.resize(blocks * block_bytes);
  std::fill_n(codes_.data(), codes_.size(), static_cast<unsigned char>(128));
  scales_.resize(blocks * kBlockRows);
  std::fill_n(scales_.data(), scales_.size(), 0.0f);
  for (std::size_t i = 0; i < size_; ++i) {
    unsigned char* const to = codes_.data() + i / kBlockRows * block_bytes + i % kBlockRows * 4;
    scales_[i] = code_row(centres.row(i), dim_, to).scale;
  }
}

void CentreBlocks::rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count,
                        RankMemory& memory, std::uint32_t* lists) const {
  const std::size_t n = queries.size();
  memory.positions.resize(std::max(memory.positions.size(), kQueriesAPiece * places()));
  memory.values.resize(std::max(memory.values.size(), kQueriesAPiece * places()));
  kernels::BlockQuery views[kQueriesAPiece];
  kernels::BlockHits hits[kQueriesAPiece];
  for (std::size_t q = 0; q < n; ++q) {
    RankMemory::Query& query = memory.queries[q];
    code_levels(*table_, queries[q], dim_, 1, query.codes);
    const CodeLevels::Level& level = query.codes.levels[0];
    const double weight = worth.by_norm ? norm(queries[q], dim_) : 1.0;
    const double bonus_factor = level.scale > 0 ? weight / static_cast<double>(level.scale) : weight;
    query.view = {level.codes.data(), level.code_sum, static_cast<float>(-bonus_factor), -kInfinity};
    query.best.clear();
    hits[q] = {0, memory.positions.data() + q * places(), memory.values.data() + q * places()};
  }
  const std::size_t groups = (dim_ + 3) / 4;
  const std::size_t all = blocks_for(size_);
  const std::size_t piece = std::max(kFirstBlocks, 2 * blocks_for(count));
  memory.passed.resize(std::max(memory.passed.size(), piece * kBlockRows));
  for (std::size_t block = 0; block < all;) {
    const std::size_t blocks = std::min(piece, all - block);
    for (std::size_t q = 0; q < n; ++q) views[q] = memory.queries[q].view;
    table_->scan_blocks(views, n, codes_.data() + block * groups * kBlockGroupBytes, groups,
                        scales_.data() + block * kBlockRows, worth.bonus.data() + block * kBlockRows, blocks, hits);
    for (std::size_t q = 0; q < n; ++q) {
      RankMemory::Query& query = memory.queries[q];
      leave_out(worth, block * kBlockRows, hits[q]);
      const float reached = std::max(query.view.limit, reached_by(count, hits[q].values, hits[q].count, memory.work));
      const std::size_t passed = table_->select_greater(hits[q].values, hits[q].count, std::nextafter(reached, -kInfinity),
                                                        memory.passed.data());
      for (std::size_t i = 0; i < passed; ++i) {
        const std::uint32_t at = memory.passed[i];
        const std::size_t list = block * kBlockRows + hits[q].positions[at];
        query.best.push_back(make_candidate(-hits[q].values[at], static_cast<std::uint32_t>(list)));
      }
      keep_best(count, query);
    }
    block += blocks;
  }
  for (std::size_t q = 0; q < n; ++q, lists += count) {
    std::vector<Candidate>& best = memory.queries[q].best;
    std::sort(best.begin(), best.end());
    if (best.size() < count) fill_up(size_, worth, count, best);
    std::transform(best.begin(), best.end(), lists, [](Candidate c) { return vertex_of(c); });
  }
}

}  // namespace segue
