#include "file/checksum.hpp"

// Inlined here and nowhere else: no symbol of xxHash leaves this file, so a program may link another copy of it.
#define XXH_INLINE_ALL
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#endif
#include "xxhash/xxhash.h"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace segue {
namespace {

XXH3_state_t* as_state(std::byte* state) noexcept { return reinterpret_cast<XXH3_state_t*>(state); }
const XXH3_state_t* as_state(const std::byte* state) noexcept { return reinterpret_cast<const XXH3_state_t*>(state); }

}  // namespace

std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

Checksum::Checksum() noexcept {
  static_assert(sizeof(XXH3_state_t) <= sizeof(state_) && alignof(XXH3_state_t) <= 64);
  XXH3_INITSTATE(as_state(state_));
  XXH3_64bits_reset(as_state(state_));
}

void Checksum::update(std::span<const std::byte> bytes) noexcept {
  if (!bytes.empty()) XXH3_64bits_update(as_state(state_), bytes.data(), bytes.size());
}

std::uint64_t Checksum::digest() const noexcept { return XXH3_64bits_digest(as_state(state_)); }

}  // namespace segue
