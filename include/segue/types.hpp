#pragma once
// The words that everything else is said in: ids, metrics, storages.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "segue/status.hpp"

namespace segue {

// The caller's name for an item: any number >= 0.
using Id = std::int64_t;

// Stands where a search found fewer than k; its score is -inf (similarities) or +inf (l2).
inline constexpr Id kMissingId = -1;

// kL2: scores are squared Euclidean distances, ascending. kInnerProduct and kCosine: similarities, descending.
// Cosine normalises items and queries inside.
enum class Metric : std::uint8_t { kL2 = 0, kInnerProduct = 1, kCosine = 2 };

// How vectors are kept. kF32 is exact; kF16 and kBf16 take half the memory; kSq8 a quarter (int8 codes with a scale
// a row), kSq4 an eighth (four bits a number). kPca8, for HnswIndex under l2 and cosine and for IvfIndex, has int8 codes of the
// few leading principal coordinates: one to eight cache lines a row, whatever the dimension. kRabitq1 to kRabitq8, for
// IvfIndex, have as many bits a number: RaBitQ codes, or, where few directions hold most of what rows are made of, more bits
// for those. kAuto lets the index choose; it never stays in a built index.
enum class Storage : std::uint8_t {
  kAuto = 0,
  kF32 = 1,
  kF16 = 2,
  kBf16 = 3,
  kSq8 = 4,
  kPca8 = 5,
  kSq4 = 6,
  kRabitq1 = 7,
  kRabitq2 = 8,
  kRabitq3 = 9,
  kRabitq4 = 10,
  kRabitq5 = 11,
  kRabitq6 = 12,
  kRabitq7 = 13,
  kRabitq8 = 14,
};

// 1 to 8 of kRabitq1 to kRabitq8; of any other 0. And the way back.
constexpr unsigned rabitq_bits(Storage storage) noexcept {
  return storage < Storage::kRabitq1 ? 0 : static_cast<unsigned>(storage) - static_cast<unsigned>(Storage::kRabitq1) + 1;
}
constexpr Storage rabitq_storage(unsigned bits) noexcept {
  return static_cast<Storage>(static_cast<unsigned>(Storage::kRabitq1) + bits - 1);
}

// "l2", "ip", "cosine".
std::string_view to_string(Metric metric) noexcept;
// "auto", "f32", "f16", "bf16", "sq8", "pca8", "sq4", "rabitq1" to "rabitq8".
std::string_view to_string(Storage storage) noexcept;
// An unknown name is kInvalidArgument, with a message that lists the known ones.
Result<Metric> parse_metric(std::string_view name);
Result<Storage> parse_storage(std::string_view name);

constexpr bool larger_is_better(Metric metric) noexcept { return metric != Metric::kL2; }

constexpr float missing_score(Metric metric) noexcept {
  return larger_is_better(metric) ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
}

}  // namespace segue
