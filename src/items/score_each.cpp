#include "items/score_each.hpp"

#include <algorithm>

namespace segue {
namespace {

constexpr std::size_t kPiece = 256;

}  // namespace

void score_each(ExactScorer& exact, std::size_t k, float bound, const Gate& gate,
                const std::vector<std::uint32_t>* some, std::size_t all, const Deadline& deadline,
                ScoreEachMemory& memory, std::vector<Candidate>& found, WalkStats& stats) {
  memory.top.reset(k, bound);
  const std::size_t total = some == nullptr ? all : some->size();
  for (std::size_t first = 0; first < total;) {
    const std::size_t end = std::min(total, first + kPiece);
    memory.piece.clear();
    for (; first < end; ++first) {
      const std::uint32_t slot = some == nullptr ? static_cast<std::uint32_t>(first) : (*some)[first];
      if (gate.accepts(slot)) memory.piece.push_back(make_candidate(0, slot));
    }
    exact.score(memory.piece);
    stats.distances += memory.piece.size();
    stats.visited += memory.piece.size();
    for (const Candidate c : memory.piece) memory.top.offer(c);
    if (first < total && deadline.passed()) {
      stats.cut = true;
      break;
    }
  }
  const std::vector<Candidate>& kept = memory.top.finish();
  found.assign(kept.begin(), kept.end());
}

}  // namespace segue
