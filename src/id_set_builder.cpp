#include "id_set_builder.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace segue {

// The baseline has no popcnt instruction and the compiler would call a table look-up a word; these twelve operations
// are inlined and vectorised.
std::size_t count_bits(const std::uint16_t* units) noexcept {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kIdSetBitmapUnits; i += 4) {
    std::uint64_t x = 0;
    std::memcpy(&x, units + i, sizeof(x));
    x -= (x >> 1) & 0x5555555555555555U;
    x = (x & 0x3333333333333333U) + ((x >> 2) & 0x3333333333333333U);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0FU;
    total += (x * 0x0101010101010101U) >> 56;
  }
  return total;
}

void set_bits(std::span<const std::uint16_t> offsets, IdSetBitmap& bitmap) noexcept {
  for (const std::uint16_t offset : offsets) {
    bitmap[offset >> 4] = static_cast<std::uint16_t>(bitmap[offset >> 4] | (1U << (offset & 15)));
  }
}

std::uint16_t* IdSetBuilder::append_chunk(std::uint64_t key, std::size_t count) {
  assert(body_.keys.empty() || body_.keys.back() < key);
  const IdSetChunk chunk{body_.data.size(), static_cast<std::uint32_t>(count)};
  body_.keys.push_back(key);
  body_.chunks.push_back(chunk);
  body_.data.resize(body_.data.size() + chunk.units());
  body_.listed += count;
  return body_.data.data() + chunk.offset;
}

void IdSetBuilder::append_array(std::uint64_t key, std::span<const std::uint16_t> offsets) {
  if (offsets.empty()) return;
  if (offsets.size() <= kIdSetArrayMax) {
    std::copy(offsets.begin(), offsets.end(), append_chunk(key, offsets.size()));
    return;
  }
  IdSetBitmap bitmap{};
  set_bits(offsets, bitmap);
  std::copy(bitmap.begin(), bitmap.end(), append_chunk(key, offsets.size()));
}

void IdSetBuilder::append_bitmap(std::uint64_t key, const std::uint16_t* units) {
  append_bitmap(key, units, count_bits(units));
}

void IdSetBuilder::append_bitmap(std::uint64_t key, const std::uint16_t* units, std::size_t count) {
  if (count == 0) return;
  std::uint16_t* out = append_chunk(key, count);
  if (count > kIdSetArrayMax) {
    std::copy(units, units + kIdSetBitmapUnits, out);
  } else {
    for_each_bit(units, [&](std::uint16_t offset) { *out++ = offset; });
  }
}

void IdSetBuilder::append_copy(std::uint64_t key, const IdSetChunk& chunk, const std::uint16_t* units) {
  std::copy(units, units + chunk.units(), append_chunk(key, chunk.count));
}

std::shared_ptr<const IdSet::Body> IdSetBuilder::finish() {
  if (body_.keys.empty()) return nullptr;
  const std::uint64_t range = body_.keys.back() + 1;
  if (range <= kIdSetDirectSlack + kIdSetDirectSparsity * body_.keys.size()) {
    body_.direct.resize(range);
    for (std::size_t c = 0; c < body_.keys.size(); ++c) body_.direct[body_.keys[c]] = body_.chunks[c];
  }
  body_.keys.shrink_to_fit();
  body_.chunks.shrink_to_fit();
  body_.data.shrink_to_fit();
  return std::make_shared<const IdSet::Body>(std::move(body_));
}

}  // namespace segue
