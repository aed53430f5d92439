#pragma once
// One query against a list of ids, or against a block of consecutive rows: groups of four rows, then the rest one by
// one, by the same score_group.
//
// The list expects its rows in memory, not in a cache. While one group is scored, the rows kAhead places later are on
// their way, into the second-level cache: the first has some ten to twenty line buffers, which a burst of one group
// (32 lines at 128 floats) would fill and block; the second has two to four times as many. Measured on 768 MiB of rows
// with random ids, ns a row at 128 / 256 / 784 floats: 57 / 124 / 834 into the first level and 52 / 105 / 577 into the
// second, eight rows ahead; 41 / 92 / 407 sixteen rows ahead and only the first KiB of each. The processor's own
// streamer sees the rest coming, and asking for it as well only takes buffers away from the next row.

#include "kernels/algorithms/rows.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kAhead = 4 * kGroup;
constexpr std::size_t kPrefetchBytes = 1024;
constexpr std::size_t kLongRow = 512;
constexpr std::size_t kStreamAhead = 2048;

SEGUE_INLINE void prefetch_row(const unsigned char* row, std::size_t bytes) noexcept {
  for (std::size_t offset = 0; offset < bytes; offset += kCacheLine) __builtin_prefetch(row + offset, 0, 2);
  __builtin_prefetch(row + bytes - 1, 0, 2);  // rows need not start at a line
}

template <class Family, unsigned M>
void score_list(const void* query, const unsigned char* rows, std::size_t stride, const std::uint32_t* ids,
                std::size_t n, std::size_t dim, float* out) noexcept {
  const std::size_t bytes = Family::row_bytes(dim) < kPrefetchBytes ? Family::row_bytes(dim) : kPrefetchBytes;
  const std::size_t first = n < kAhead ? n : kAhead;
  for (std::size_t i = 0; i < first; ++i) prefetch_row(rows + ids[i] * stride, bytes);
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) {
    const std::size_t ahead_end = i + kAhead + kGroup < n ? i + kAhead + kGroup : n;
    for (std::size_t j = i + kAhead; j < ahead_end; ++j) prefetch_row(rows + ids[j] * stride, bytes);
    const unsigned char* group[kGroup];
    SEGUE_UNROLL
    for (std::size_t r = 0; r < kGroup; ++r) group[r] = rows + ids[i + r] * stride;
    Family::template score_group<M, kGroup>(query, group, dim, out + i);
  }
  for (; i < n; ++i) {
    const unsigned char* row = rows + ids[i] * stride;
    Family::template score_group<M, 1>(query, &row, dim, out + i);
  }
}

// Consecutive rows that are in cache or short.
template <class Family, unsigned M>
SEGUE_INLINE void score_rows_in_groups(const void* query, const unsigned char* rows, std::size_t stride, std::size_t n,
                                       std::size_t dim, float* out) noexcept {
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup, rows += kGroup * stride) {
    const unsigned char* group[kGroup];
    SEGUE_UNROLL
    for (std::size_t r = 0; r < kGroup; ++r) group[r] = rows + r * stride;
    Family::template score_group<M, kGroup>(query, group, dim, out + i);
  }
  for (; i < n; ++i, rows += stride) Family::template score_group<M, 1>(query, &rows, dim, out + i);
}

// A block streams from memory, and four long rows at once are four streams, among which the processor's prefetchers
// lose the thread: 128 floats go at 16 GB/s in groups and 20 one by one, 768 codes at 10 and 24. In cache, one by one
// costs a tenth to a quarter.
template <class Family, unsigned M>
void score_block(const void* query, const unsigned char* rows, std::size_t stride, std::size_t n, std::size_t dim,
                 float* out) noexcept {
  if (Family::row_bytes(dim) < kLongRow) {
    score_rows_in_groups<Family, M>(query, rows, stride, n, dim, out);
    return;
  }
  for (std::size_t i = 0; i < n; ++i, rows += stride) {
    const unsigned char* coming = rows + kStreamAhead;
    for (std::size_t offset = 0; offset < stride; offset += kCacheLine) __builtin_prefetch(coming + offset, 0, 2);
    Family::template score_group<M, 1>(query, &rows, dim, out + i);
  }
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
