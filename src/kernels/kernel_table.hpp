#pragma once
// The kernel table: everything that the library asks of an instruction set, as plain function pointers.
//
// This header is hermetic: it includes <cstddef> and <cstdint> and nothing else, because it is compiled with the
// -m flags of each instruction set. Any inline function of the standard library that slipped in here could be emitted
// with AVX-512 instructions and then be kept by the linker for the whole program.
//
// A family is a way to code rows (f32, f16, bf16, sq8, sq4). Its rows lie `stride` bytes apart; a row starts with the
// code and ends with zero padding. `query` is always the family's prepared form, made by `prepare_query`, whose
// layout is private to the instruction set.
//
// What is promised of every kernel:
//   * A row's score depends on the query and the row alone: not on n, not on its place in the list, not on whether
//     score_list or score_block computed it. The two are equal bit for bit. (The parallel build relies on it.)
//   * score_tile may sum in another order; it agrees with score_list within float rounding of the sum.
//   * Scores are raw: the inner product, or the squared Euclidean distance. Neither is negated.
//   * No alignment is assumed of queries or rows. Nothing beyond the stated bytes is read.
//   * Any dim >= 1. n may be 0. Kernels never allocate, throw or touch errno.
//
// Tolerances, against the exact score of the query and of the *decoded* row (tests/kernels holds every set to them;
// u = 2^-24):
//   * f32, f16, bf16, list and block: (dim/4 + 16) * u * sum|q_i x_i| for dot, ... * sum (q_i - x_i)^2 for L2; scalar,
//     which sums in two chains, (dim/2 + 16) * u. L2 has no cancellation here.
//   * the same families, tile: dot (dim + 16) * u * sum|q_i x_i|. L2 goes through |q|^2 + |x|^2 - 2 q.x and is clamped
//     at 0: the error is 2 (dim + 16) * u * (|q|^2 + |x|^2), whatever the distance. Rescore near ties with score_list.
//   * sq8: the query is quantised too (one scale, 127 steps). Integer sums are exact up to dim 65536 and every path
//     and instruction set gives the same bits; against the quantised query the error is 4 u * (|q| + |x|)^2.
//   * sq4: as sq8, with the query in eight bits and the row in four. Its tile is not faster than its list.

#include <cstddef>
#include <cstdint>

namespace segue::kernels {

enum MetricKernel : unsigned { kDot = 0, kSquaredL2 = 1, kMetricKernels = 2 };
enum Family : unsigned { kFamilyF32 = 0, kFamilyF16 = 1, kFamilyBf16 = 2, kFamilySq8 = 3, kFamilySq4 = 4, kFamilies = 5 };

// The tail of an sq8 row: int8 codes c[dim], zero padding to a multiple of 4 bytes, then this.
// A row stands for scale * c. norm2 is the squared norm of that reconstruction; code_sum the sum of the codes (the
// unsigned-by-signed dot products of VNNI need it to undo the offset of 128 that they add). L2 scores take norm2 as it
// stands, in the row and in the prepared query, which begins with its own Sq8Tail on every instruction set: a store that
// codes the head of a longer vector puts the whole vector's squared norm there.
struct Sq8Tail {
  float scale;
  float norm2;
  std::int32_t code_sum;
};

inline constexpr std::size_t kSq8MaxCode = 127;

// An sq4 row: codes in [-kSq4MaxCode, kSq4MaxCode] plus kNibbleZero, two a byte, in whole spans of 64 (algorithms/codec.hpp
// has the layout), then an Sq8Tail whose code_sum is that of the nibbles.
inline constexpr int kSq4MaxCode = 7;
inline constexpr int kNibbleZero = 8;

// One query against the rows `ids[0..n)` of `rows`: out[i] = score(query, rows + ids[i] * stride). Prefetches ahead:
// the list is the unit of work, and rows are expected to be out of cache.
using ScoreListFn = void (*)(const void* query, const unsigned char* rows, std::size_t stride, const std::uint32_t* ids,
                             std::size_t n, std::size_t dim, float* out) noexcept;

// One query against n consecutive rows.
using ScoreBlockFn = void (*)(const void* query, const unsigned char* rows, std::size_t stride, std::size_t n,
                              std::size_t dim, float* out) noexcept;

// Many against many: out[q * out_stride + r] = score(queries[q], row r), for nq prepared queries that lie
// `query_stride` bytes apart and n consecutive rows. `scratch` holds tile_scratch_bytes(dim) bytes, 64-byte aligned.
using ScoreTileFn = void (*)(const void* queries, std::size_t query_stride, std::size_t nq, const unsigned char* rows,
                             std::size_t stride, std::size_t n, std::size_t dim, float* out, std::size_t out_stride,
                             void* scratch) noexcept;

struct FamilyKernels {
  // Bytes of one coded row of this family without padding (sq8: codes, padding to 4, tail; sq4: spans, tail). The same for every set.
  std::size_t (*row_bytes)(std::size_t dim) noexcept;
  // Codes n rows of floats (`dim` apart) into rows that lie `stride` bytes apart; zeroes the padding. The same bytes
  // on every instruction set: round to nearest even; f16 and bf16 saturate at their largest finite values. Inputs are
  // finite. sq8 and sq4: a row whose largest magnitude is below 127 (7) * 2^-126 is coded as the zero row (scale 0).
  void (*encode)(const float* x, std::size_t n, std::size_t dim, unsigned char* rows, std::size_t stride) noexcept;
  // The floats that one coded row stands for. The same bits on every instruction set.
  void (*decode)(const unsigned char* row, std::size_t dim, float* out) noexcept;
  // Bytes of a prepared query, a multiple of 64. Queries of a tile lie a multiple of 64 bytes apart.
  std::size_t (*query_bytes)(std::size_t dim) noexcept;
  // Prepares one query of `dim` floats into `out` (64-byte aligned, query_bytes(dim) bytes).
  void (*prepare_query)(const float* x, std::size_t dim, void* out) noexcept;
  // Bytes of scratch that score_tile wants, a multiple of 64, whatever nq and n are.
  std::size_t (*tile_scratch_bytes)(std::size_t dim) noexcept;
  ScoreListFn score_list[kMetricKernels];
  // sq8 and sq4: one query as the *f32* family prepares it against listed rows, each code taken as the number that decode
  // makes of it: bit for bit what score_list of f32 gives of the decoded rows. Null for families whose query stays f32.
  ScoreListFn score_decoded_list[kMetricKernels];
  ScoreBlockFn score_block[kMetricKernels];
  ScoreTileFn score_tile[kMetricKernels];
};

// ---- blocks of codes: the first pass of exact search ----------------------------------------------------------------
//
// A block holds kBlockRows rows of `groups` times four unsigned codes, dealt so that one vector meets one broadcast
// piece of the query and its lanes are rows, with no sum across lanes: for each group of four, the four codes of row 0,
// of row 1, ... of row 15 (64 bytes). A code u stands for scale * (u - 128).
//
// A query is coded too, by 4 * groups codes in [-max_block_code, max_block_code], or, where it is paired, by codes of which
// |d0| + |d1| + |d4| + |d5| and |d2| + |d3| + |d6| + |d7| of each eight are at most kPairedCodes: 16 bits hold what two groups
// add up to. What is compared is in units of its scale:
//
//   value = sum_i (u_i - 128) d_i * scales[row] - biases[row] * bias_factor
//
// and a row is a hit where value >= limit. Sums of products are exact, and so the same on every instruction set for the same
// codes; a value is rounded a few times (at most 4 * 2^-24 of the magnitudes of its terms). Who asks chooses the limit so that
// no row he wants can miss: see codes/code_blocks.hpp.
inline constexpr std::size_t kBlockRows = 16;
inline constexpr std::size_t kBlockGroupBytes = 4 * kBlockRows;
inline constexpr int kPairedCodes = 128;

struct BlockQuery {
  const signed char* codes;
  std::int32_t code_sum;  // of the codes
  float bias_factor;
  float limit;
  std::uint32_t paired = 0;  // or 1. Sets whose max_block_code is below 127 are faster where it is; others do not ask
};

// Where the hits of one query go: room for n * kBlockRows of them.
struct BlockHits {
  std::size_t count;
  std::uint32_t* positions;  // block * kBlockRows + row, ascending
  float* values;
};

// For each of nq queries, the hits among n blocks. `biases` may be null: all zero. hits[q].count is set.
using ScanBlocksFn = void (*)(const BlockQuery* queries, std::size_t nq, const unsigned char* codes, std::size_t groups,
                              const float* scales, const float* biases, std::size_t n, BlockHits* hits) noexcept;

// The same for codes of fewer bits, each coordinate with as many as it is worth, 1 to 8. They are cut into pieces of 4, 2
// and 1 bits, the high ones first (7 = 4 + 2 + 1, 8 = 4 + 4), and pieces of one size and place lie together as a plane: words
// of 64 bytes, four bytes a row, in which the lowest bits of each byte are the first group of four coordinates, the next the
// second, and so on: two groups a word of four-bit pieces, eight of single bits. Words of the first plane of a block come
// first. The queries' codes, in [-127, 127] whatever max_block_code is, lie in the same order, a coordinate once for each of
// its pieces, zero where a plane's last word has room left.
//
// A code u of b bits stands for scale * (2 u - (2^b - 1)), which is never zero; the value is
//
//   value = (2 sum_i u_i d_i - code_sum) * scales[row] - biases[row] * bias_factor,   code_sum = sum_i (2^b_i - 1) d_i
struct BlockPlane {
  std::uint32_t bits;   // of a piece: 4, 2 or 1
  std::uint32_t words;  // of a block
  std::uint32_t shift;  // of the sums of this plane and those before it
};
// `words`: of a block, all planes together.
using ScanPlanesFn = void (*)(const BlockQuery* queries, std::size_t nq, const unsigned char* codes,
                              const BlockPlane* planes, std::size_t count, std::size_t words, const float* scales,
                              const float* biases, std::size_t n, BlockHits* hits) noexcept;

// ---- a matrix that stays ------------------------------------------------------------------------------------------------
//
// Rows of floats laid out once, for products with vectors that come alone or in numbers: the directions of a projection.
// A product depends on the vector and the row alone, bit for bit, whatever comes with them. It is off by at most
// (dim + 16) * u * sum|q_i x_i|.
struct MatrixKernels {
  // Bytes of n laid out rows, a multiple of 64.
  std::size_t (*bytes)(std::size_t n, std::size_t dim) noexcept;
  // From rows of `dim` floats, one after the other, to `out` (64-byte aligned).
  void (*lay_out)(const float* rows, std::size_t n, std::size_t dim, void* out) noexcept;
  // out[q * n + r] = queries[q] . row r, for nq queries as the f32 family prepares them, `query_stride` bytes apart.
  void (*multiply)(const void* queries, std::size_t query_stride, std::size_t nq, const void* rows, std::size_t n,
                   std::size_t dim, float* out) noexcept;
};

struct KernelTable {
  const char* name;  // "scalar", "avx2", "avx512", "avx512vnni", "neon"; later "avx512fp16", "amx"
  FamilyKernels families[kFamilies];
  MatrixKernels matrix;
  // The largest magnitude of a code of a query that is not paired: 127, or 63 where sums of two products must fit 16 bits.
  int max_block_code;
  ScanBlocksFn scan_blocks;
  ScanPlanesFn scan_planes;
  // A coded sq8 row as a prepared query, its tail as it stands: the same scores as of its floats, a fifth of the time.
  void (*sq8_row_as_query)(const unsigned char* row, std::size_t dim, void* out) noexcept;
  // Writes the positions i (ascending) with scores[i] > threshold (or < threshold), returns how many. `out` has room
  // for n. NaN never passes. The first pass of every exact scan.
  std::size_t (*select_greater)(const float* scores, std::size_t n, float threshold, std::uint32_t* out) noexcept;
  std::size_t (*select_less)(const float* scores, std::size_t n, float threshold, std::uint32_t* out) noexcept;
  // Position of the first row (`dim` apart) with a NaN or an infinity, or n.
  std::size_t (*first_not_finite)(const float* x, std::size_t n, std::size_t dim) noexcept;
};

// One an instruction set, each the single external symbol of its object file. Only dispatch.cpp and tests may name
// them: calling through a table that the processor cannot run is an illegal instruction.
extern const KernelTable kScalarTable;
extern const KernelTable kAvx2Table;
extern const KernelTable kAvx512Table;
extern const KernelTable kAvx512VnniTable;
extern const KernelTable kNeonTable;

}  // namespace segue::kernels
