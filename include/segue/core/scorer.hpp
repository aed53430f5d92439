#pragma once
// Scorer: what joins a store and a graph. A walk knows nothing about vectors but this.
//
// A scorer answers, for a list of slots, what each costs: smaller is better, any float but NaN. A list is the unit of
// work (a call may prefetch and score several rows at once); it holds at most kMaxScoreList slots. A metric of one's
// own is a struct with this member and one more instantiation of the walk:
//
//   struct JaccardScorer {
//     void score(const std::uint32_t* slots, std::size_t n, float* costs) const noexcept;
//   };

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace segue {

inline constexpr std::size_t kMaxScoreList = 512;

// A scorer may also have `void prefetch(std::uint32_t slot) const noexcept`: a walk calls it for each new link as soon as
// it is read, some hundred cycles before the list is scored.

template <class S>
concept Scorer = requires(const S& scorer, const std::uint32_t* slots, std::size_t n, float* costs) {
  { scorer.score(slots, n, costs) } noexcept -> std::same_as<void>;
};

}  // namespace segue
