#pragma once
// One query against a list of ids, or against a block of consecutive rows: groups of four rows, then the rest one by
// one, by the same score_group.
//
// The list expects its rows in memory, not in a cache. A row of 128 floats is 8 lines; while one group is scored, the
// lines of the rows kAhead places later are on their way. Prefetching the whole list at once would overrun the ten to
// sixteen line buffers of a core and, for long rows, evict the first rows before they are read.

#include "kernels/algorithms/rows.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kAhead = 2 * kGroup;

inline void prefetch_row(const unsigned char* row, std::size_t bytes) noexcept {
  for (std::size_t offset = 0; offset < bytes; offset += kCacheLine) __builtin_prefetch(row + offset, 0, 3);
  __builtin_prefetch(row + bytes - 1, 0, 3);  // rows need not start at a line
}

template <class Family, unsigned M>
void score_list(const void* query, const unsigned char* rows, std::size_t stride, const std::uint32_t* ids,
                std::size_t n, std::size_t dim, float* out) noexcept {
  const std::size_t bytes = Family::row_bytes(dim);
  const std::size_t first = n < kAhead ? n : kAhead;
  for (std::size_t i = 0; i < first; ++i) prefetch_row(rows + ids[i] * stride, bytes);
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) {
    const std::size_t ahead_end = i + kAhead + kGroup < n ? i + kAhead + kGroup : n;
    for (std::size_t j = i + kAhead; j < ahead_end; ++j) prefetch_row(rows + ids[j] * stride, bytes);
    const unsigned char* group[kGroup];
    for (std::size_t r = 0; r < kGroup; ++r) group[r] = rows + ids[i + r] * stride;
    Family::template score_group<M, kGroup>(query, group, dim, out + i);
  }
  for (; i < n; ++i) {
    const unsigned char* row = rows + ids[i] * stride;
    Family::template score_group<M, 1>(query, &row, dim, out + i);
  }
}

template <class Family, unsigned M>
void score_block(const void* query, const unsigned char* rows, std::size_t stride, std::size_t n, std::size_t dim,
                 float* out) noexcept {
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup, rows += kGroup * stride) {
    const unsigned char* group[kGroup];
    for (std::size_t r = 0; r < kGroup; ++r) group[r] = rows + r * stride;
    Family::template score_group<M, kGroup>(query, group, dim, out + i);
  }
  for (; i < n; ++i, rows += stride) Family::template score_group<M, 1>(query, &rows, dim, out + i);
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
