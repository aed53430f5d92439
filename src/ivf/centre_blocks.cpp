#include "ivf/centre_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codes/block_arrays.hpp"
#include "codes/code_row.hpp"
#include "codes/reached_by.hpp"
#include "items/check_input.hpp"
#include "ivf/centroids.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Blocks scanned before the best of them set the limit for others: their values stay in the first-level cache.
constexpr std::size_t kFirstBlocks = 64;
// Of centres in groups a query looks at so many times as it wants, and at least this part of all.
constexpr std::size_t kTimesWanted = 8;
constexpr std::size_t kPartOfAll = 8;
// Fewer are ranked one and all: codes of 8,192 centres with 128 dimensions take a query of four some 13 microseconds, and the
// groups that hold nine of ten of the best 32 take as long.
constexpr std::size_t kLeastRankedInGroups = 16384;

std::size_t enough_for(std::size_t size, std::size_t count) noexcept {
  return std::max(kTimesWanted * count, size / kPartOfAll);
}

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

// Lists that are barred, and places that nothing has.
void CentreBlocks::leave_out(const ListWorth& worth, std::size_t block, kernels::BlockHits& hits) const {
  const std::size_t first = block * kBlockRows;
  if (groups_ == nullptr) {
    while (hits.count > 0 && first + hits.positions[hits.count - 1] >= size_) --hits.count;
    if (worth.barred.empty()) return;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < hits.count; ++i) {
    hits.positions[kept] = hits.positions[i];
    hits.values[kept] = hits.values[i];
    const std::size_t centre = centre_at(first + hits.positions[i]);
    kept += centre != CentreGroups::kNoCentre && (worth.barred.empty() || worth.barred[centre] == 0);
  }
  hits.count = kept;
}

void CentreBlocks::assign(MatrixView centres) {
  groups_ = centres.rows() < kLeastGrouped ? nullptr : std::make_shared<const CentreGroups>(*table_, centres);
  lay_out(centres);
}

void CentreBlocks::assign(MatrixView heads, const CentreBlocks& of) {
  groups_ = of.groups_;
  lay_out(heads);
}

void CentreBlocks::lay_out(MatrixView centres) {
  size_ = centres.rows();
  const std::size_t blocks = groups_ == nullptr ? blocks_for(size_) : groups_->places() / kBlockRows;
  const std::size_t block_bytes = (dim_ + 3) / 4 * kBlockGroupBytes;
  codes_.resize(blocks * block_bytes);
  std::fill_n(codes_.data(), codes_.size(), static_cast<unsigned char>(128));
  scales_.resize(blocks * kBlockRows);
  std::fill_n(scales_.data(), scales_.size(), 0.0f);
  for (std::size_t i = 0; i < size_; ++i) {
    const std::size_t place = place_of(i);
    unsigned char* const to = codes_.data() + place / kBlockRows * block_bytes + place % kBlockRows * 4;
    scales_[place] = code_row(centres.row(i), dim_, to).scale;
  }
}

// Queries first .. first + n against so many blocks.
void CentreBlocks::scan(std::size_t block, std::size_t blocks, std::size_t first, std::size_t n, const ListWorth& worth,
                        std::size_t count, RankMemory& memory) const {
  const std::size_t groups = (dim_ + 3) / 4;
  kernels::BlockQuery views[kQueriesAPiece];
  kernels::BlockHits hits[kQueriesAPiece];
  memory.positions.resize(std::max(memory.positions.size(), n * blocks * kBlockRows));
  memory.values.resize(std::max(memory.values.size(), n * blocks * kBlockRows));
  memory.passed.resize(std::max(memory.passed.size(), blocks * kBlockRows));
  for (std::size_t q = 0; q < n; ++q) {
    views[q] = memory.queries[first + q].view;
    hits[q] = {0, memory.positions.data() + q * blocks * kBlockRows, memory.values.data() + q * blocks * kBlockRows};
  }
  table_->scan_blocks(views, n, codes_.data() + block * groups * kBlockGroupBytes, groups, scales_.data() + block * kBlockRows,
                      worth.bonus.data() + block * kBlockRows, blocks, hits);
  for (std::size_t q = 0; q < n; ++q) {
    RankMemory::Query& query = memory.queries[first + q];
    leave_out(worth, block, hits[q]);
    const float reached = std::max(query.view.limit, reached_by(count, hits[q].values, hits[q].count, memory.work));
    const std::size_t passed = table_->select_greater(hits[q].values, hits[q].count, std::nextafter(reached, -kInfinity),
                                                      memory.passed.data());
    for (std::size_t i = 0; i < passed; ++i) {
      const std::uint32_t at = memory.passed[i];
      const std::size_t list = centre_at(block * kBlockRows + hits[q].positions[at]);
      query.best.push_back(make_candidate(-hits[q].values[at], static_cast<std::uint32_t>(list)));
    }
    keep_best(count, query);
  }
}

bool CentreBlocks::goes_by_groups(std::size_t count) const noexcept {
  return size_ >= kLeastRankedInGroups && kTimesWanted * count < size_;
}

std::size_t CentreBlocks::looked_at(std::size_t count) const noexcept {
  return goes_by_groups(count) ? groups_->size() + enough_for(size_, count) : size_;
}

// Group after group, those that promise most first, until enough has been seen. A quarter of the groups is ranked at first: it
// nearly always holds that.
void CentreBlocks::scan_groups(const float* query, std::size_t q, const ListWorth& worth, std::size_t count,
                               RankMemory& memory) const {
  const Centroids& top = groups_->top();
  const bool by_nearness = worth.group_bonus.empty();
  const ListWorth of_groups{.bonus = by_nearness ? top.nearness() : worth.group_bonus, .by_norm = worth.by_norm};
  const std::size_t enough = enough_for(size_, count);
  if (memory.of_groups == nullptr) memory.of_groups = std::make_unique<RankMemory>();
  std::size_t ranked = 0;
  std::size_t seen = 0;
  for (std::size_t g = 0; g < groups_->size(); ++g) {
    if (seen >= enough && memory.queries[q].best.size() >= count) return;
    if (g == ranked) {
      ranked = ranked == 0 ? (groups_->size() + 3) / 4 : groups_->size();
      memory.groups.resize(ranked);
      top.rank({&query, 1}, of_groups, ranked, *memory.of_groups, memory.groups.data());
    }
    const std::uint32_t group = memory.groups[g];
    const std::size_t blocks = groups_->blocks(group);
    if (blocks != 0) scan(groups_->first_block(group), blocks, q, 1, worth, count, memory);
    seen += blocks * kBlockRows;
  }
}

void CentreBlocks::rank(std::span<const float* const> queries, const ListWorth& worth, std::size_t count,
                        RankMemory& memory, std::uint32_t* lists) const {
  const std::size_t n = queries.size();
  for (std::size_t q = 0; q < n; ++q) {
    RankMemory::Query& query = memory.queries[q];
    code_levels(*table_, queries[q], dim_, 1, query.codes);
    const CodeLevels::Level& level = query.codes.levels[0];
    const double weight = worth.by_norm ? norm(queries[q], dim_) : 1.0;
    const double bonus_factor = level.scale > 0 ? weight / static_cast<double>(level.scale) : weight;
    query.view = {level.codes.data(), level.code_sum, static_cast<float>(-bonus_factor), -kInfinity, level.paired};
    query.best.clear();
  }
  if (goes_by_groups(count)) {
    for (std::size_t q = 0; q < n; ++q) scan_groups(queries[q], q, worth, count, memory);
  } else {
    const std::size_t all = places() / kBlockRows;
    const std::size_t piece = std::max(kFirstBlocks, 2 * blocks_for(count));
    for (std::size_t block = 0; block < all; block += piece) {
      scan(block, std::min(piece, all - block), 0, n, worth, count, memory);
    }
  }
  for (std::size_t q = 0; q < n; ++q, lists += count) {
    std::vector<Candidate>& best = memory.queries[q].best;
    std::sort(best.begin(), best.end());
    if (best.size() < count) fill_up(size_, worth, count, best);
    std::transform(best.begin(), best.end(), lists, [](Candidate c) { return vertex_of(c); });
  }
}

}  // namespace segue
