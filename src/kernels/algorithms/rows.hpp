#pragma once
// A family joined to an instruction set: how its queries are prepared and how a group of rows is scored at once.
//
// score_group<N> scores N rows (1 or 4) against one query. Every load of the query serves N rows, and N rows times
// two accumulators are enough independent chains to hide the latency of an FMA. A row's own sums are the same, step
// by step, whatever N is: list, block, head and tail give the same bits.

#include "kernels/algorithms/codec.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

constexpr std::size_t kGroup = 4;

// ---- f32, f16, bf16: the query stays f32 ---------------------------------------------------------------------------

// A prepared query: 64 bytes with its squared norm (the L2 tile needs it), then the numbers in the order in which the
// family's rows are read, zeros up to a whole step.
constexpr std::size_t kQueryHeader = 64;

template <class Floats>
struct F32Rows : F32Codec {
  using V = typename Floats::V;
  static constexpr bool kSplitEvenOdd = false;
  SEGUE_INLINE static void load(const unsigned char* p, V& a, V& b) noexcept { Floats::load_f32(p, a, b); }
  SEGUE_INLINE static void load_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    Floats::load_f32_partial(p, n, a, b);
  }
};
template <class Floats>
struct F16Rows : F16Codec {
  using V = typename Floats::V;
  static constexpr bool kSplitEvenOdd = false;
  SEGUE_INLINE static void load(const unsigned char* p, V& a, V& b) noexcept { Floats::load_f16(p, a, b); }
  SEGUE_INLINE static void load_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    Floats::load_f16_partial(p, n, a, b);
  }
};
template <class Floats>
struct Bf16Rows : Bf16Codec {
  using V = typename Floats::V;
  static constexpr bool kSplitEvenOdd = true;
  SEGUE_INLINE static void load(const unsigned char* p, V& a, V& b) noexcept { Floats::load_bf16(p, a, b); }
  SEGUE_INLINE static void load_partial(const unsigned char* p, std::size_t n, V& a, V& b) noexcept {
    Floats::load_bf16_partial(p, n, a, b);
  }
};

template <class Floats, class Rows>
struct FloatFamily : Rows {
  using V = typename Floats::V;
  static constexpr std::size_t kStep = 2 * Floats::kWidth;

  static std::size_t query_bytes(std::size_t dim) noexcept {
    return kQueryHeader + round_up(dim, kStep > 16 ? kStep : 16) * sizeof(float);
  }
  SEGUE_INLINE static const float* query_numbers(const void* query) noexcept {
    return reinterpret_cast<const float*>(static_cast<const unsigned char*>(query) + kQueryHeader);
  }
  static void prepare_query(const float* x, std::size_t dim, void* out) noexcept {
    float* numbers = reinterpret_cast<float*>(static_cast<unsigned char*>(out) + kQueryHeader);
    const std::size_t padded = (query_bytes(dim) - kQueryHeader) / sizeof(float);
    if constexpr (Rows::kSplitEvenOdd) {
      for (std::size_t i = 0; i < padded; ++i) numbers[i] = 0.0f;
      for (std::size_t i = 0; i < dim; ++i) {
        const std::size_t within = i % kStep;
        numbers[i - within + within / 2 + (within % 2) * Floats::kWidth] = x[i];
      }
    } else {
      __builtin_memcpy(numbers, x, dim * sizeof(float));
      for (std::size_t i = dim; i < padded; ++i) numbers[i] = 0.0f;
    }
    V sum = Floats::zero();
    for (std::size_t i = 0; i < padded; i += Floats::kWidth) {
      const V v = Floats::load(numbers + i);
      sum = Floats::multiply_add(v, v, sum);
    }
    store_unaligned(out, Floats::reduce(sum));
  }

  template <unsigned M>
  SEGUE_INLINE static V accumulate(V q, V x, V sum) noexcept {
    if constexpr (M == kDot) {
      return Floats::multiply_add(q, x, sum);
    } else {
      const V difference = Floats::sub(q, x);
      return Floats::multiply_add(difference, difference, sum);
    }
  }

  // Of N rows' two chains each.
  template <std::size_t N>
  SEGUE_INLINE static void reduce_scores(V (&a)[N], const V (&b)[N], float* out) noexcept {
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) a[r] = Floats::add(a[r], b[r]);
    if constexpr (N == kGroup) {
      Floats::reduce4(a, out);
    } else {
      SEGUE_UNROLL
      for (std::size_t r = 0; r < N; ++r) out[r] = Floats::reduce(a[r]);
    }
  }

  template <unsigned M, std::size_t N>
  SEGUE_INLINE static void score_group(const void* query, const unsigned char* const* rows, std::size_t dim,
                                       float* out) noexcept {
    const float* q = query_numbers(query);
    V a[N], b[N];
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) a[r] = b[r] = Floats::zero();
    constexpr std::size_t kStepBytes = Rows::row_bytes(kStep);
    const std::size_t whole = dim / kStep;
    std::size_t offset = 0;
    for (std::size_t s = 0; s < whole; ++s, offset += kStepBytes, q += kStep) {
      const V qa = Floats::load(q), qb = Floats::load(q + Floats::kWidth);
      SEGUE_UNROLL
      for (std::size_t r = 0; r < N; ++r) {
        V xa, xb;
        Rows::load(rows[r] + offset, xa, xb);
        a[r] = accumulate<M>(qa, xa, a[r]);
        b[r] = accumulate<M>(qb, xb, b[r]);
      }
    }
    if (const std::size_t rest = dim - whole * kStep; rest != 0) {
      const V qa = Floats::load(q), qb = Floats::load(q + Floats::kWidth);
      SEGUE_UNROLL
      for (std::size_t r = 0; r < N; ++r) {
        V xa, xb;
        Rows::load_partial(rows[r] + offset, rest, xa, xb);
        a[r] = accumulate<M>(qa, xa, a[r]);
        b[r] = accumulate<M>(qb, xb, b[r]);
      }
    }
    reduce_scores(a, b, out);
  }
};

// ---- sq8: the query becomes int8 as well ---------------------------------------------------------------------------

// A prepared query: its Sq8Tail in the first 64 bytes, then its codes, each plus Codes::kOffset as a QueryCode, zeros
// (not offsets: the row's bytes there are arbitrary) up to a whole step of kStep codes.
template <class Codes, std::size_t kStep>
struct CodedQueries {
  using QueryCode = typename Codes::QueryCode;

  static std::size_t query_bytes(std::size_t dim) noexcept {
    return kQueryHeader + round_up(round_up(dim, kStep) * sizeof(QueryCode), 64);
  }
  SEGUE_INLINE static const QueryCode* query_codes(const void* query) noexcept {
    return reinterpret_cast<const QueryCode*>(static_cast<const unsigned char*>(query) + kQueryHeader);
  }
  static void prepare_query(const float* x, std::size_t dim, void* out) noexcept {
    unsigned char* codes = static_cast<unsigned char*>(out) + kQueryHeader;
    const std::size_t padded = (query_bytes(dim) - kQueryHeader) / sizeof(QueryCode);
    // The narrow codes go to the end of the space, then widen from the front: reading stays ahead of writing.
    signed char* narrow = reinterpret_cast<signed char*>(codes) + padded * sizeof(QueryCode) - dim;
    store_unaligned(out, Sq8Codec::quantise(x, dim, narrow));
    for (std::size_t i = 0; i < dim; ++i) {
      const QueryCode code = static_cast<QueryCode>(narrow[i] + Codes::kOffset);
      store_unaligned(codes + i * sizeof(QueryCode), code);
    }
    for (std::size_t i = dim; i < padded; ++i) store_unaligned(codes + i * sizeof(QueryCode), QueryCode{0});
  }
};

template <class Codes, std::size_t N>
SEGUE_INLINE void reduce_sums(const typename Codes::V (&sums)[N], std::int32_t (&totals)[N]) noexcept {
  if constexpr (N == kGroup) {
    Codes::reduce4(sums, totals);
  } else {
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) totals[r] = Codes::reduce(sums[r]);
  }
}

template <class Codes>
struct Sq8Family : Sq8Codec, CodedQueries<Codes, Codes::kChunk> {
  using V = typename Codes::V;
  using QueryCode = typename Codes::QueryCode;
  using Queries = CodedQueries<Codes, Codes::kChunk>;
  using Queries::query_bytes, Queries::query_codes;

  static void row_as_query(const unsigned char* row, std::size_t dim, void* out) noexcept {
    unsigned char* codes = static_cast<unsigned char*>(out) + kQueryHeader;
    const std::size_t padded = (query_bytes(dim) - kQueryHeader) / sizeof(QueryCode);
    store_unaligned(out, load_unaligned<Sq8Tail>(row + tail_offset(dim)));
    for (std::size_t i = 0; i < dim; ++i) {
      const QueryCode code = static_cast<QueryCode>(static_cast<signed char>(row[i]) + Codes::kOffset);
      store_unaligned(codes + i * sizeof(QueryCode), code);
    }
    for (std::size_t i = dim; i < padded; ++i) store_unaligned(codes + i * sizeof(QueryCode), QueryCode{0});
  }

  // The score from the sum of products of codes; the only place that turns integers into scores.
  template <unsigned M>
  SEGUE_INLINE static float finish(const Sq8Tail& query, float scale, float norm2, std::int32_t code_sum,
                                   std::int32_t sum) noexcept {
    const std::uint32_t surplus = static_cast<std::uint32_t>(Codes::kOffset) * static_cast<std::uint32_t>(code_sum);
    const std::int32_t products = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) - surplus);
    const float dot = (query.scale * scale) * static_cast<float>(products);
    if constexpr (M == kDot) return dot;
    const float distance = (query.norm2 + norm2) - 2.0f * dot;
    return distance > 0.0f ? distance : 0.0f;
  }

  template <unsigned M, std::size_t N>
  SEGUE_INLINE static void score_group(const void* query, const unsigned char* const* rows, std::size_t dim,
                                       float* out) noexcept {
    const QueryCode* q = query_codes(query);
    V sums[N];
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) sums[r] = Codes::zero();
    std::size_t i = 0;
    for (; i + Codes::kChunk <= dim; i += Codes::kChunk) {
      const auto query_step = Codes::load_query(q + i);
      SEGUE_UNROLL
      for (std::size_t r = 0; r < N; ++r) sums[r] = Codes::multiply_add(Codes::load(rows[r] + i), query_step, sums[r]);
    }
    if (i < dim) {
      const auto query_step = Codes::load_query(q + i);
      SEGUE_UNROLL
      for (std::size_t r = 0; r < N; ++r) {
        sums[r] = Codes::multiply_add(Codes::load_partial(rows[r] + i, dim - i), query_step, sums[r]);
      }
    }
    std::int32_t totals[N];
    reduce_sums<Codes, N>(sums, totals);
    const Sq8Tail query_tail = load_unaligned<Sq8Tail>(query);
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) {
      const Sq8Tail tail = load_unaligned<Sq8Tail>(rows[r] + tail_offset(dim));
      out[r] = finish<M>(query_tail, tail.scale, tail.norm2, tail.code_sum, totals[r]);
    }
  }
};

// ---- sq4: nibbles meet the query's eight bits -----------------------------------------------------------------------

template <class Codes>
struct Sq4Family : Sq4Codec, CodedQueries<Codes, Sq4Codec::kSpan> {
  using V = typename Codes::V;
  static constexpr std::size_t kChunks = kSpan / Codes::kChunk;

  template <unsigned M, std::size_t N>
  SEGUE_INLINE static void score_group(const void* query, const unsigned char* const* rows, std::size_t dim,
                                       float* out) noexcept {
    const auto* q = CodedQueries<Codes, kSpan>::query_codes(query);
    V sums[N];
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) sums[r] = Codes::zero();
    const std::size_t spans = tail_offset(dim) / kSpanBytes;
    for (std::size_t s = 0; s < spans; ++s, q += kSpan) {
      SEGUE_UNROLL
      for (std::size_t c = 0; c < kChunks; ++c) {
        const auto query_step = Codes::load_query(q + c * Codes::kChunk);
        SEGUE_UNROLL
        for (std::size_t r = 0; r < N; ++r) {
          sums[r] = Codes::multiply_add(Codes::load_nibbles(rows[r] + s * kSpanBytes, c), query_step, sums[r]);
        }
      }
    }
    std::int32_t totals[N];
    reduce_sums<Codes, N>(sums, totals);
    // What the nibbles are too large by.
    const Sq8Tail query_tail = load_unaligned<Sq8Tail>(query);
    const std::uint32_t zeros = std::uint32_t{kNibbleZero} * static_cast<std::uint32_t>(query_tail.code_sum);
    SEGUE_UNROLL
    for (std::size_t r = 0; r < N; ++r) {
      const Sq8Tail tail = load_unaligned<Sq8Tail>(rows[r] + tail_offset(dim));
      const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(totals[r]) - zeros);
      out[r] = Sq8Family<Codes>::template finish<M>(query_tail, tail.scale, tail.norm2, tail.code_sum, sum);
    }
  }
};

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
