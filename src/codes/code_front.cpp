#include "codes/code_front.hpp"

#include <cmath>
#include <functional>
#include <limits>

namespace segue {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Exact scores are computed so many at a time, best first, until the rest cannot reach the k-th.
constexpr std::size_t kDecidedAtOnce = 16;
// What reached is many where it is so many times what is decided first.
constexpr std::size_t kManyTimes = 4;

}  // namespace

void CodeFront::reset(std::size_t k, float threshold) {
  threshold_ = threshold;
  lowers_.assign(k, -kInfinity);
  reached_.clear();
}

void CodeFront::push(float lower) {
  if (!(lower > lowers_.front())) return;
  std::pop_heap(lowers_.begin(), lowers_.end(), std::greater<>());
  lowers_.back() = lower;
  std::push_heap(lowers_.begin(), lowers_.end(), std::greater<>());
}

void CodeFront::settle(float slack) {
  if (lowers_.empty()) return;
  // Both a lower and an upper bound may be off by what rounding does.
  const float least = lowers_.front() - 2 * slack;
  raise(least - std::fabs(least) * 0x1p-22f);
}

void decide(ExactScorer& exact, RowMetric metric, const CodedQuery& coded, CodeFront& front, std::size_t k,
            DecideMemory& memory, std::vector<Candidate>& found, WalkStats& stats) {
  std::vector<Reached>& reached = front.reached();
  // Best first by value, which is close to the truth: the first of them settle the k-th, and with it most others. Where
  // many reached, the others are sorted once it has left them.
  const auto by_value = [](const Reached& a, const Reached& b) { return a.value > b.value; };
  const std::size_t first = k + kDecidedAtOnce;
  std::size_t sorted = reached.size();
  if (sorted > kManyTimes * first) {
    sorted = first;
    std::nth_element(reached.begin(), reached.begin() + static_cast<std::ptrdiff_t>(first), reached.end(), by_value);
  }
  std::sort(reached.begin(), reached.begin() + static_cast<std::ptrdiff_t>(sorted), by_value);
  found.clear();
  std::vector<Candidate>& best = memory.heap;  // the k best exact costs, the worst on top
  best.clear();
  double wanted = static_cast<double>(front.threshold());
  const auto may_reach = [&](const Reached& r) { return static_cast<double>(r.upper) + coded.slack >= wanted; };
  for (std::size_t next = 0; next < reached.size();) {
    if (next == sorted) {
      const auto rest = reached.begin() + static_cast<std::ptrdiff_t>(next);
      reached.erase(std::remove_if(rest, reached.end(), [&](const Reached& r) { return !may_reach(r); }), reached.end());
      std::sort(rest, reached.end(), by_value);
      sorted = reached.size();
    }
    memory.piece.clear();
    for (; next < sorted && memory.piece.size() < kDecidedAtOnce; ++next) {
      if (may_reach(reached[next])) {
        memory.piece.push_back(make_candidate(0, reached[next].slot));
      }
    }
    exact.score(memory.piece);
    stats.distances += memory.piece.size();
    for (const Candidate c : memory.piece) {
      found.push_back(c);
      if (best.size() == k && c >= best.front()) continue;
      if (best.size() == k) {
        std::pop_heap(best.begin(), best.end());
        best.pop_back();
      }
      best.push_back(c);
      std::push_heap(best.begin(), best.end());
    }
    if (best.size() == k) {
      const auto kth = static_cast<double>(cost_of(best.front()));
      wanted = std::max(wanted, coded.value_of_cost(metric, kth) - coded.slack);
    }
  }
  std::sort(found.begin(), found.end());
  while (found.size() > k && (found.back() >> 32) != (found[k - 1] >> 32)) found.pop_back();
}

void decide_within(ExactScorer& exact, CodeFront& front, float bound, std::vector<Candidate>& found,
                   WalkStats& stats) {
  found.clear();
  for (const Reached& r : front.reached()) found.push_back(make_candidate(0, r.slot));
  exact.score(found);
  stats.distances += found.size();
  std::erase_if(found, [&](Candidate c) { return !(cost_of(c) <= bound); });
}

}  // namespace segue
