// IdSet::from_mask and IdSet::from_ids.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "id_set_builder.hpp"

namespace segue {
namespace {

// One bit for each of eight bytes that is not 0, byte 0 first. The sum carries into a byte's top bit exactly when its
// low seven bits are not all 0; the product moves the eight top bits side by side.
unsigned nonzero_bytes(const std::uint8_t* bytes) noexcept {
  std::uint64_t x = 0;
  std::memcpy(&x, bytes, sizeof(x));
  if constexpr (std::endian::native == std::endian::big) {
    std::uint64_t reversed = 0;
    for (int i = 0; i < 8; ++i) reversed |= ((x >> (8 * i)) & 0xFF) << (56 - 8 * i);
    x = reversed;
  }
  const std::uint64_t top = (((x & 0x7F7F7F7F7F7F7F7FU) + 0x7F7F7F7F7F7F7F7FU) | x) & 0x8080808080808080U;
  return static_cast<unsigned>(((top >> 7) * 0x0102040810204080U) >> 56);
}

// `n` bytes of a mask, at most a chunk's.
void fill_from_mask(const std::uint8_t* mask, std::size_t n, IdSetBitmap& bitmap) noexcept {
  const std::size_t whole = n / 16;
  for (std::size_t i = 0; i < whole; ++i) {
    bitmap[i] = static_cast<std::uint16_t>(nonzero_bytes(mask + 16 * i) | (nonzero_bytes(mask + 16 * i + 8) << 8));
  }
  std::fill(bitmap.begin() + static_cast<std::ptrdiff_t>(whole), bitmap.end(), std::uint16_t{0});
  unsigned rest = 0;
  for (std::size_t i = 16 * whole; i < n; ++i) rest |= static_cast<unsigned>(mask[i] != 0) << (i % 16);
  if (rest != 0) bitmap[whole] = static_cast<std::uint16_t>(rest);
}

std::uint64_t key_of(Id id) noexcept { return static_cast<std::uint64_t>(id) >> kIdSetChunkBits; }

// Ascending, repeats allowed.
std::shared_ptr<const IdSet::Body> body_of_sorted(std::span<const Id> ids) {
  IdSetBuilder builder;
  std::vector<std::uint16_t> offsets;
  for (std::size_t i = 0; i < ids.size();) {
    const std::uint64_t key = key_of(ids[i]);
    offsets.clear();
    for (; i < ids.size() && key_of(ids[i]) == key; ++i) {
      const auto offset = static_cast<std::uint16_t>(ids[i]);
      if (offsets.empty() || offsets.back() != offset) offsets.push_back(offset);
    }
    builder.append_array(key, offsets);
  }
  return builder.finish();
}

// Any order, over a range of keys that is small for so many ids: one bitmap for all of it.
std::shared_ptr<const IdSet::Body> body_of_dense(std::span<const Id> ids, std::uint64_t first_key, std::size_t keys) {
  std::vector<std::uint16_t> bits(keys * kIdSetBitmapUnits);
  for (const Id id : ids) {
    const std::uint64_t at = static_cast<std::uint64_t>(id) - (first_key << kIdSetChunkBits);
    bits[at >> 4] = static_cast<std::uint16_t>(bits[at >> 4] | (1U << (at & 15)));
  }
  IdSetBuilder builder;
  for (std::size_t k = 0; k < keys; ++k) builder.append_bitmap(first_key + k, bits.data() + k * kIdSetBitmapUnits);
  return builder.finish();
}

// Least significant digit first, 11 bits a pass and only as many passes as the largest id has bits: for a million
// scattered ids several times faster than a comparison sort.
void radix_sort(std::vector<Id>& ids, Id largest) {
  constexpr unsigned kDigitBits = 11;
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  std::vector<Id> other(ids.size());
  const unsigned bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(largest)));
  for (unsigned shift = 0; shift < bits; shift += kDigitBits) {
    std::array<std::size_t, kDigits> start{};
    const auto digit = [shift](Id id) { return (static_cast<std::uint64_t>(id) >> shift) & (kDigits - 1); };
    for (const Id id : ids) ++start[digit(id)];
    std::size_t sum = 0;
    for (std::size_t& s : start) sum += std::exchange(s, sum);
    for (const Id id : ids) other[start[digit(id)]++] = id;
    ids.swap(other);
  }
}

std::shared_ptr<const IdSet::Body> body_of_scattered(std::span<const Id> ids, Id largest) {
  // Below this many ids the counters of a pass cost more than the comparisons.
  constexpr std::size_t kRadixMin = 4096;
  std::vector<Id> sorted(ids.begin(), ids.end());
  if (sorted.size() < kRadixMin) {
    std::sort(sorted.begin(), sorted.end());
  } else {
    radix_sort(sorted, largest);
  }
  return body_of_sorted(sorted);
}

std::shared_ptr<const IdSet::Body> body_of(std::span<const Id> ids, Id smallest, Id largest) {
  if (std::is_sorted(ids.begin(), ids.end())) return body_of_sorted(ids);
  // The bitmap of the whole range may take as much memory as the ids themselves, and 64 KiB in any case.
  const std::uint64_t keys = key_of(largest) - key_of(smallest) + 1;
  if (keys <= 8 + ids.size() * sizeof(Id) / (kIdSetBitmapUnits * sizeof(std::uint16_t))) {
    return body_of_dense(ids, key_of(smallest), keys);
  }
  return body_of_scattered(ids, largest);
}

}  // namespace

IdSet IdSet::from_mask(std::span<const std::uint8_t> mask) {
  IdSetBuilder builder;
  IdSetBitmap bitmap;
  for (std::size_t first = 0; first < mask.size(); first += kIdSetChunkIds) {
    fill_from_mask(mask.data() + first, std::min(kIdSetChunkIds, mask.size() - first), bitmap);
    builder.append_bitmap(first >> kIdSetChunkBits, bitmap.data());
  }
  return IdSet(builder.finish(), false);
}

Result<IdSet> IdSet::from_ids(std::span<const Id> ids) {
  if (ids.empty()) return IdSet();
  const auto [smallest, largest] = std::minmax_element(ids.begin(), ids.end());
  if (*smallest < 0) {
    const auto first = std::find_if(ids.begin(), ids.end(), [](Id id) { return id < 0; });
    return invalid_argument("id " + std::to_string(*first) + " at position " + std::to_string(first - ids.begin()) +
                            " is negative; ids are 0 or larger");
  }
  try {
    return IdSet(body_of(ids, *smallest, *largest), false);
  } catch (const std::bad_alloc&) {
    return out_of_memory("no memory for a set of " + std::to_string(ids.size()) + " ids");
  }
}

}  // namespace segue
