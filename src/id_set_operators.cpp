// IdSet's operators. Three operations on lists (and, or, and-not) are enough: a complement turns each case into one of
// them by De Morgan's laws.

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "id_set_builder.hpp"

namespace segue {
namespace {

using BodyPtr = std::shared_ptr<const IdSet::Body>;

// A chunk of one operand.
struct Container {
  IdSetChunk chunk;
  const std::uint16_t* units;

  bool is_bitmap() const noexcept { return chunk.is_bitmap(); }
  std::span<const std::uint16_t> offsets() const noexcept { return {units, chunk.count}; }
  bool bitmap_has(std::uint16_t offset) const noexcept { return (units[offset >> 4] >> (offset & 15)) & 1; }
};

Container container_of(const IdSet::Body& body, std::size_t c) noexcept {
  return {body.chunks[c], body.data.data() + body.chunks[c].offset};
}

// What an operation does with chunks that both operands have, and whether it keeps those that only one has.
struct And {
  static constexpr bool kKeepsLeft = false;
  static constexpr bool kKeepsRight = false;
  static unsigned units(unsigned a, unsigned b) noexcept { return a & b; }
  template <class Out>
  static void arrays(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b, Out out) {
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), out);
  }
};

struct Or {
  static constexpr bool kKeepsLeft = true;
  static constexpr bool kKeepsRight = true;
  static unsigned units(unsigned a, unsigned b) noexcept { return a | b; }
  template <class Out>
  static void arrays(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b, Out out) {
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), out);
  }
};

struct AndNot {
  static constexpr bool kKeepsLeft = true;
  static constexpr bool kKeepsRight = false;
  static unsigned units(unsigned a, unsigned b) noexcept { return a & ~b; }
  template <class Out>
  static void arrays(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b, Out out) {
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), out);
  }
};

// The container as bits: itself, or its offsets spread into `scratch`.
const std::uint16_t* as_bitmap(const Container& x, IdSetBitmap& scratch) noexcept {
  if (x.is_bitmap()) return x.units;
  scratch.fill(0);
  set_bits(x.offsets(), scratch);
  return scratch.data();
}

template <class Operation>
class Combiner {
 public:
  BodyPtr operator()(const IdSet::Body& a, const IdSet::Body& b) {
    std::size_t i = 0, j = 0;
    while (i < a.keys.size() || j < b.keys.size()) {
      if (j == b.keys.size() || (i < a.keys.size() && a.keys[i] < b.keys[j])) {
        if constexpr (Operation::kKeepsLeft) append_copy(a, i);
        ++i;
      } else if (i == a.keys.size() || b.keys[j] < a.keys[i]) {
        if constexpr (Operation::kKeepsRight) append_copy(b, j);
        ++j;
      } else {
        append(a.keys[i], container_of(a, i), container_of(b, j));
        ++i;
        ++j;
      }
    }
    return builder_.finish();
  }

 private:
  void append_copy(const IdSet::Body& body, std::size_t c) {
    builder_.append_copy(body.keys[c], body.chunks[c], container_of(body, c).units);
  }

  void append(std::uint64_t key, const Container& a, const Container& b) {
    // An array on the side that the result is a part of stays an array: only its members can be in the result.
    if constexpr (!Operation::kKeepsRight) {
      if (!a.is_bitmap() && b.is_bitmap()) return append_filtered(key, a, b, !Operation::kKeepsLeft);
      if constexpr (!Operation::kKeepsLeft) {
        if (a.is_bitmap() && !b.is_bitmap()) return append_filtered(key, b, a, true);
      }
    }
    if (!a.is_bitmap() && !b.is_bitmap()) {
      offsets_.clear();
      Operation::arrays(a.offsets(), b.offsets(), std::back_inserter(offsets_));
      return builder_.append_array(key, offsets_);
    }
    const std::uint16_t* x = as_bitmap(a, left_);
    const std::uint16_t* y = as_bitmap(b, right_);
    for (std::size_t u = 0; u < kIdSetBitmapUnits; ++u) {
      result_[u] = static_cast<std::uint16_t>(Operation::units(x[u], y[u]));
    }
    builder_.append_bitmap(key, result_.data());
  }

  // The members of an array that a bitmap has, or lacks.
  void append_filtered(std::uint64_t key, const Container& array, const Container& bitmap, bool wanted) {
    offsets_.clear();
    for (const std::uint16_t offset : array.offsets()) {
      if (bitmap.bitmap_has(offset) == wanted) offsets_.push_back(offset);
    }
    builder_.append_array(key, offsets_);
  }

  IdSetBuilder builder_;
  std::vector<std::uint16_t> offsets_;
  IdSetBitmap left_, right_, result_;
};

BodyPtr list_and(const BodyPtr& a, const BodyPtr& b) {
  if (a == nullptr || b == nullptr) return nullptr;
  return a == b ? a : Combiner<And>()(*a, *b);
}

BodyPtr list_or(const BodyPtr& a, const BodyPtr& b) {
  if (a == nullptr || a == b) return b;
  return b == nullptr ? a : Combiner<Or>()(*a, *b);
}

BodyPtr list_and_not(const BodyPtr& a, const BodyPtr& b) {
  if (a == nullptr || a == b) return nullptr;
  return b == nullptr ? a : Combiner<AndNot>()(*a, *b);
}

}  // namespace

IdSet IdSet::operator~() const noexcept { return IdSet(body_, !complement_); }

IdSet IdSet::operator&(const IdSet& other) const {
  if (complement_ && other.complement_) return IdSet(list_or(body_, other.body_), true);
  if (complement_) return IdSet(list_and_not(other.body_, body_), false);
  if (other.complement_) return IdSet(list_and_not(body_, other.body_), false);
  return IdSet(list_and(body_, other.body_), false);
}

IdSet IdSet::operator|(const IdSet& other) const { return ~(~*this & ~other); }

}  // namespace segue
