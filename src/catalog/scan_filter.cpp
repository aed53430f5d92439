#include "catalog/scan_filter.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace segue {
namespace {

static_assert(std::endian::native == std::endian::little, "bits are packed eight bytes at a time");

// Sixty-four bytes of 0 and 1 become bits. The product brings the lowest bits of eight bytes side by side.
std::uint64_t pack(const std::uint8_t* bytes) noexcept {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes + 8 * i, 8);
    bits |= ((eight * 0x0102040810204080U) >> 56) << (8 * i);
  }
  return bits;
}

// The inner loop knows its length, so that compilers vectorise the comparison; `match` has no branches.
template <class T, class Match>
void scan_values(const T* values, std::size_t n, ChunkBits& bits, Match match) noexcept {
  alignas(64) std::uint8_t bytes[64];
  const std::size_t whole = n / 64;
  for (std::size_t w = 0; w < whole; ++w) {
    const T* block = values + 64 * w;
    for (unsigned i = 0; i < 64; ++i) bytes[i] = match(block[i]);
    bits[w] = pack(bytes);
  }
  if (n % 64 == 0) return;
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < n % 64; ++i) last |= std::uint64_t{match(values[64 * whole + i])} << i;
  bits[whole] = last;
}

template <class T>
void scan_interval(const T* values, std::size_t n, T low, T high, ChunkBits& bits) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    scan_values(values, n, bits, [low, high](T v) {
      return static_cast<std::uint8_t>(static_cast<unsigned>(v >= low) & static_cast<unsigned>(v <= high));
    });
  } else {
    using U = std::make_unsigned_t<T>;
    const U range = static_cast<U>(static_cast<U>(high) - static_cast<U>(low));
    scan_values(values, n, bits, [low, range](T v) {
      return static_cast<std::uint8_t>(static_cast<U>(static_cast<U>(v) - static_cast<U>(low)) <= range);
    });
  }
}

// An interval of int64 or double in the numbers of a narrower type; false where none of them lies in it.
template <class T, class Wide>
bool narrow(const Interval<Wide>& interval, T& low, T& high) noexcept {
  if constexpr (std::is_same_v<T, Wide>) {
    low = interval.low;
    high = interval.high;
  } else if constexpr (std::is_floating_point_v<T>) {
    low = static_cast<T>(interval.low);
    if (static_cast<Wide>(low) < interval.low) low = std::nextafter(low, std::numeric_limits<T>::infinity());
    high = static_cast<T>(interval.high);
    if (static_cast<Wide>(high) > interval.high) high = std::nextafter(high, -std::numeric_limits<T>::infinity());
  } else {
    const Wide first = std::numeric_limits<T>::min() + Wide{1};  // the smallest is the missing one
    const Wide last = std::numeric_limits<T>::max();
    if (interval.low > last || interval.high < first) return false;
    low = static_cast<T>(std::max(interval.low, first));
    high = static_cast<T>(std::min(interval.high, last));
  }
  return low <= high;
}

template <class T, class Wide>
void scan_intervals(const T* values, std::size_t n, const std::vector<Interval<Wide>>& intervals, ChunkBits& bits) {
  std::vector<Interval<T>> narrowed;
  for (const Interval<Wide>& interval : intervals) {
    T low{};
    T high{};
    if (narrow(interval, low, high)) narrowed.push_back({low, high});
  }
  if (narrowed.empty()) {
    bits.fill(0);
  } else if (narrowed.size() == 1) {
    scan_interval(values, n, narrowed[0].low, narrowed[0].high, bits);
  } else if (narrowed.size() <= 4) {
    ChunkBits more{};
    scan_interval(values, n, narrowed[0].low, narrowed[0].high, bits);
    for (std::size_t i = 1; i < narrowed.size(); ++i) {
      scan_interval(values, n, narrowed[i].low, narrowed[i].high, more);
      for (std::size_t w = 0; w < (n + 63) / 64; ++w) bits[w] |= more[w];
    }
  } else {
    scan_values(values, n, bits, [&](T v) {
      const auto after = std::upper_bound(narrowed.begin(), narrowed.end(), v,
                                          [](T value, const Interval<T>& i) { return value < i.low; });
      return static_cast<std::uint8_t>(after != narrowed.begin() && v <= std::prev(after)->high);
    });
  }
}

template <class T>
void scan_codes(const T* values, std::size_t n, const std::vector<std::uint8_t>& wanted, ChunkBits& bits) noexcept {
  const auto first = std::find(wanted.begin(), wanted.end(), 1);
  if (first == wanted.end()) return bits.fill(0);
  const auto end = std::find(first, wanted.end(), 0);
  if (std::find(end, wanted.end(), 1) == wanted.end()) {
    // Neighbours, most often one: a comparison, where looking up would be a load a row.
    return scan_interval(values, n, static_cast<T>(first - wanted.begin()), static_cast<T>(end - wanted.begin() - 1),
                         bits);
  }
  scan_values(values, n, bits, [table = wanted.data()](T v) { return table[v]; });
}

void invert(std::size_t n, ChunkBits& bits) noexcept {
  for (std::size_t w = 0; w < n / 64; ++w) bits[w] = ~bits[w];
  if (n % 64 != 0) bits[n / 64] ^= (std::uint64_t{1} << (n % 64)) - 1;
}

bool all_are(std::uint64_t word, std::size_t n, const ChunkBits& bits) noexcept {
  const std::size_t whole = n / 64;
  if (!std::all_of(bits.begin(), bits.begin() + static_cast<std::ptrdiff_t>(whole),
                   [word](std::uint64_t b) { return b == word; })) {
    return false;
  }
  return n % 64 == 0 || bits[whole] == (word & ((std::uint64_t{1} << (n % 64)) - 1));
}

}  // namespace

void FilterScan::scan(const CompiledFilter& plan, std::size_t level, std::size_t first, std::size_t n, ChunkBits& bits) {
  using Kind = CompiledFilter::Kind;
  switch (plan.kind) {
    case Kind::kAnd:
    case Kind::kOr: {
      const bool both = plan.kind == Kind::kAnd;
      ChunkBits& more = scratch_[level];
      scan(plan.children.front(), level + 1, first, n, bits);
      for (std::size_t c = 1; c < plan.children.size(); ++c) {
        if (all_are(both ? 0 : ~std::uint64_t{0}, n, bits)) return;
        scan(plan.children[c], level + 1, first, n, more);
        for (std::size_t w = 0; w < (n + 63) / 64; ++w) bits[w] = both ? bits[w] & more[w] : bits[w] | more[w];
      }
      return;
    }
    case Kind::kNot:
      scan(plan.children.front(), level + 1, first, n, bits);
      return invert(n, bits);
    default:
      break;
  }
  plan.column->values.visit([&](const auto* values) {
    using T = std::remove_cvref_t<decltype(*values)>;
    values += first;
    if constexpr (std::is_floating_point_v<T>) {
      if (plan.kind == Kind::kReals) return scan_intervals(values, n, plan.reals, bits);
      scan_values(values, n, bits, [](T v) { return static_cast<std::uint8_t>(v != v); });
    } else if constexpr (std::is_unsigned_v<T>) {
      scan_codes(values, n, plan.wanted, bits);
    } else {
      if (plan.kind == Kind::kIntegers) return scan_intervals(values, n, plan.integers, bits);
      scan_interval(values, n, missing_of<T>(), missing_of<T>(), bits);
    }
  });
}

}  // namespace segue
