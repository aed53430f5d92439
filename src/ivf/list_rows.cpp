#include "ivf/list_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/kernel_table.hpp"
#include "segue/core/scorer.hpp"

namespace segue {
namespace {

using kernels::kBlockGroupBytes;
using kernels::kBlockRows;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

void read_list_rows(const ListRows& rows, std::span<const std::uint32_t> slots, float* out, ReadListRowMemory& memory) {
  constexpr std::size_t kAtOnce = 32;
  const std::size_t dim = rows.centroids.dim();
  const std::size_t head = rows.blocks.head();
  memory.heads.resize(kAtOnce * head);
  memory.part.resize(dim);
  for (std::size_t first = 0; first < slots.size(); first += kAtOnce, out += kAtOnce * dim) {
    const auto some = slots.subspan(first, std::min(kAtOnce, slots.size() - first));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::size_t position = rows.blocks.position_of(some[i]);
      if (position != ListBlocks::kNowhere) rows.blocks.decode_head(position, memory.heads.data() + i * head);
    }
    rows.blocks.expand(memory.heads.data(), some.size(), out, memory.expanding);
    for (std::size_t i = 0; i < some.size(); ++i) {
      float* row = out + i * dim;
      const std::size_t position = rows.blocks.position_of(some[i]);
      if (position == ListBlocks::kNowhere) {
        std::fill_n(row, dim, 0.0f);
        continue;
      }
      rows.centroids.rows().read(rows.blocks.list_of(position), memory.part.data());
      for (std::size_t j = 0; j < dim; ++j) row[j] += memory.part[j];
      if (rows.rests == nullptr) continue;
      rows.rests->read(some[i], memory.part.data());
      for (std::size_t j = 0; j < dim; ++j) row[j] += memory.part[j];
    }
  }
}

void ListScorer::reset(const ListRows& rows, const float* query, const CodedQuery* coded) {
  rows_ = {&rows.centroids, &rows.blocks, rows.rests};
  query_ = query;
  covered_ = rows.blocks.blocks() != 0 && (coded != nullptr || rows.blocks.covers(query));
  if (!covered_) return;
  if (coded == nullptr) {
    rows.blocks.prepare({&query, 1}, {&own_, 1}, coding_);
    coded = &own_;
  }
  const kernels::KernelTable& table = rows.blocks.table();
  const CodePlanes* planes = rows.blocks.planes();
  const float* head = coded->head.data();
  if (planes != nullptr) {
    if (scaled_.size() < planes->size()) scaled_.resize(planes->size());
    planes->scale_query(head, scaled_.data());
    head = scaled_.data();
  }
  code_levels(table, head, rows.blocks.head(), CodeLevels::kMost, to_heads_);
  for (std::size_t l = 0; planes != nullptr && l < to_heads_.count; ++l) {
    CodeLevels::Level& level = to_heads_.levels[l];
    if (in_place_.size() < planes->query_codes()) in_place_.resize(planes->query_codes());
    level.code_sum = planes->spread_query(level.codes.data(), in_place_.data());
    level.codes.swap(in_place_);
  }
  if (rows.rests != nullptr) prepare_for_rests(*rows.rests);
  to_centres_.prepare(rows.centroids.rows(), query);
}

void ListScorer::score(std::vector<Candidate>& candidates) {
  for (std::size_t first = 0; first < candidates.size(); first += kBlockRows) {
    const std::size_t n = std::min(kBlockRows, candidates.size() - first);
    if (covered_) {
      score_block(candidates.data() + first, n);
    } else {
      score_decoded(candidates.data() + first, n);
    }
  }
}

// Numbers that codes cannot bound.
void ListScorer::score_decoded(Candidate* candidates, std::size_t n) {
  const ListRows rows{*rows_.centroids, *rows_.blocks, rows_.rests};
  const std::size_t dim = rows.centroids.dim();
  row_.resize(dim);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t slot = vertex_of(candidates[i]);
    read_list_rows(rows, {&slot, 1}, row_.data(), reading_);
    double sum = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      const double x = row_[j];
      const double q = query_[j];
      sum += rows.blocks.metric() == RowMetric::kDot ? -q * x : (q - x) * (q - x);
    }
    constexpr double kMost = std::numeric_limits<float>::max();
    candidates[i] = make_candidate(static_cast<float>(std::clamp(sum, -kMost, kMost)), slot);
  }
}

// Most candidates share a list with others.
void ListScorer::score_centres(const std::uint32_t* lists, std::size_t n, float* out) const {
  std::uint32_t each[kBlockRows];
  float costs[kBlockRows];
  std::size_t which[kBlockRows];
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    which[i] = static_cast<std::size_t>(std::find(each, each + count, lists[i]) - each);
    if (which[i] == count) each[count++] = lists[i];
  }
  const RowScorer scorer(rows_.centroids->rows(), rows_.blocks->metric(), to_centres_.data());
  scorer.score(each, count, costs);
  for (std::size_t i = 0; i < n; ++i) out[i] = costs[which[i]];
}

// Rests of eight bits are a hundredth of what they are rests of: sixteen bits of the query are enough. Those of fewer may
// be half of it.
void ListScorer::prepare_for_rests(const VectorStore& rests) {
  const std::size_t dim = rests.dim();
  if (!query_rows_ || query_rows_->dim() != dim) {
    query_rows_.emplace(rests.table(), Storage::kSq8, dim);
    query_rows_->resize(std::size(to_rests_));
    row_.resize(dim);
    left_.resize(dim);
  }
  rest_levels_ = rows_.blocks->planes() != nullptr ? 3 : 2;
  std::copy_n(query_, dim, left_.data());
  for (std::size_t i = 0; i < rest_levels_; ++i) {
    query_rows_->write(i, left_.data());
    query_rows_->read(i, row_.data());
    for (std::size_t j = 0; j < dim; ++j) left_[j] -= row_[j];
  }
  for (std::size_t i = 0; i < rest_levels_; ++i) {
    if (rests.storage() == Storage::kSq8) {
      to_rests_[i].prepare_codes(*query_rows_, i);
    } else {
      query_rows_->read(i, row_.data());
      to_rests_[i].prepare(rests, row_.data());
    }
  }
}

// The products of the query's head with the block in codes_, added to sums.
void ListScorer::add_head_products(const float* scales, double* sums) {
  kernels::BlockQuery queries[CodeLevels::kMost];
  kernels::BlockHits hits[CodeLevels::kMost];
  std::uint32_t positions[CodeLevels::kMost][kBlockRows];
  float values[CodeLevels::kMost][kBlockRows];
  for (std::size_t l = 0; l < to_heads_.count; ++l) {
    queries[l] = {to_heads_.levels[l].codes.data(), to_heads_.levels[l].code_sum, 0, -kInfinity, false};
    hits[l] = {0, positions[l], values[l]};
  }
  rows_.blocks->scan({queries, to_heads_.count}, codes_.data(), scales, nullptr, 1, hits);
  // What is no number, in a damaged file, is no hit.
  for (std::size_t l = 0; l < to_heads_.count; ++l) {
    const double scale = to_heads_.levels[l].scale;
    for (std::size_t i = 0; i < hits[l].count; ++i) sums[positions[l][i]] += scale * static_cast<double>(values[l][i]);
  }
}

// At most kBlockRows: their codes form a block of their own, which the kernel of scans compares with all codes of the
// query.
void ListScorer::score_block(Candidate* candidates, std::size_t n) {
  const ListBlocks& blocks = *rows_.blocks;
  const bool l2 = blocks.metric() == RowMetric::kSquaredL2;
  const std::size_t groups = blocks.groups();
  if (codes_.size() < groups * kBlockGroupBytes) codes_.resize(groups * kBlockGroupBytes);
  float scales[kBlockRows] = {}, centres[kBlockRows];
  double values[kBlockRows] = {};
  std::uint32_t lists[kBlockRows], slots[kBlockRows];
  for (std::size_t i = 0; i < n; ++i) {
    slots[i] = vertex_of(candidates[i]);
    const std::size_t found = blocks.position_of(slots[i]);
    const std::size_t position = found == ListBlocks::kNowhere ? 0 : found;
    const std::size_t block = position / kBlockRows;
    const unsigned char* from = blocks.codes(block) + position % kBlockRows * 4;
    unsigned char* to = codes_.data() + i * 4;
    for (std::size_t g = 0; g < groups; ++g) std::memcpy(to + g * kBlockGroupBytes, from + g * kBlockGroupBytes, 4);
    scales[i] = blocks.scales(block)[position % kBlockRows];
    if (l2) values[i] -= static_cast<double>(blocks.biases(block)[position % kBlockRows]);
    lists[i] = static_cast<std::uint32_t>(blocks.list_of(position));
  }
  add_head_products(scales, values);
  if (rows_.rests != nullptr) {
    float costs[kBlockRows];
    for (const PreparedQuery& query : std::span(to_rests_).first(rest_levels_)) {
      RowScorer(*rows_.rests, RowMetric::kDot, query.data()).score(slots, n, costs);
      for (std::size_t i = 0; i < n; ++i) values[i] -= static_cast<double>(costs[i]);
    }
    for (std::size_t i = 0; l2 && i < n; ++i) values[i] -= static_cast<double>(rows_.rests->norm2(slots[i]));
  }
  score_centres(lists, n, centres);
  for (std::size_t i = 0; i < n; ++i) {
    // Costs of centres: the squared distance, or the negative product.
    const double centre = static_cast<double>(centres[i]);
    const double cost = l2 ? std::max(0.0, centre - 2 * values[i]) : centre - values[i];
    constexpr double kMost = std::numeric_limits<float>::max();
    candidates[i] = make_candidate(static_cast<float>(cost >= -kMost && cost <= kMost ? cost : kMost), slots[i]);
  }
}

}  // namespace segue
