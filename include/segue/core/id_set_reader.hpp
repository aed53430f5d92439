#pragma once
// IdSetReader: how a search loop asks an IdSet.
//
//   const IdSetReader allowed(*options.filter);
//   for (Id id : candidates) if (allowed.contains(id)) ...
//
// A view with everything in registers: no call, no reference count, no virtual. About 1 ns an id of a dense bitmap in
// cache. One reader belongs to one thread, because it remembers the chunk that a scattered set was last asked for;
// making one costs a few loads. The set must outlive it.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "segue/core/id_set_body.hpp"

namespace segue {

class IdSetReader {
 public:
  explicit IdSetReader(const IdSet& set) noexcept : complement_(set.complement_) {
    const IdSet::Body* body = set.body_.get();
    if (body == nullptr) return;
    data_ = body->data.data();
    direct_ = body->direct.data();
    direct_size_ = body->direct.size();
    keys_ = body->keys.data();
    chunks_ = body->chunks.data();
    chunks_size_ = body->chunks.size();
  }

  bool contains(Id id) const noexcept {
    const auto bits = static_cast<std::uint64_t>(id);
    return (lists(bits) != complement_) & (id >= 0);
  }

  bool is_complement() const noexcept { return complement_; }

  // Calls f(id) for every listed id, ascending.
  template <class F>
  void for_each_listed(F&& f) const {
    for (std::size_t c = 0; c < chunks_size_; ++c) {
      const std::uint64_t base = keys_[c] << kIdSetChunkBits;
      const std::uint16_t* units = data_ + chunks_[c].offset;
      if (chunks_[c].is_bitmap()) {
        for_each_bit(units, [&](std::uint16_t offset) { f(static_cast<Id>(base | offset)); });
      } else {
        for (std::size_t i = 0; i < chunks_[c].count; ++i) f(static_cast<Id>(base | units[i]));
      }
    }
  }

 private:
  bool lists(std::uint64_t id) const noexcept {
    const std::uint64_t key = id >> kIdSetChunkBits;
    IdSetChunk chunk;
    if (key < direct_size_) {
      chunk = direct_[key];
    } else if (direct_size_ == 0) {
      chunk = find(key);
    }
    if (chunk.count == 0) return false;
    const auto offset = static_cast<std::uint16_t>(id);
    const std::uint16_t* units = data_ + chunk.offset;
    if (chunk.is_bitmap()) return (units[offset >> 4] >> (offset & 15)) & 1;
    return array_lists(units, chunk.count, offset);
  }

  // Steps are taken by arithmetic: which way a search goes is a coin toss, and a mispredicted branch costs more than
  // the twelve loads of the largest array.
  static bool array_lists(const std::uint16_t* first, std::size_t n, std::uint16_t offset) noexcept {
    while (n > 1) {
      const std::size_t half = n / 2;
      first += half & (std::size_t{0} - static_cast<std::size_t>(first[half - 1] < offset));
      n -= half;
    }
    return *first == offset;
  }

  IdSetChunk find(std::uint64_t key) const noexcept {
    if (key == cached_key_) return cached_;
    const std::uint64_t* at = std::lower_bound(keys_, keys_ + chunks_size_, key);
    const auto c = static_cast<std::size_t>(at - keys_);
    cached_key_ = key;
    cached_ = c < chunks_size_ && *at == key ? chunks_[c] : IdSetChunk{};
    return cached_;
  }

  bool complement_;
  const std::uint16_t* data_ = nullptr;
  const IdSetChunk* direct_ = nullptr;
  std::size_t direct_size_ = 0;
  const std::uint64_t* keys_ = nullptr;
  const IdSetChunk* chunks_ = nullptr;
  std::size_t chunks_size_ = 0;
  mutable std::uint64_t cached_key_ = ~std::uint64_t{0};  // no key: keys have 48 bits
  mutable IdSetChunk cached_;
};

}  // namespace segue
