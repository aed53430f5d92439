// decide(): the k best of what reached, however many that are and however wide their bounds.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "codes/code_front.hpp"
#include "index/vectors.hpp"

namespace segue::test {
namespace {

class KnownCosts final : public ExactScorer {
 public:
  explicit KnownCosts(const std::vector<float>& costs) : costs_(costs) {}
  void score(std::vector<Candidate>& candidates) override {
    for (Candidate& c : candidates) c = make_candidate(costs_[vertex_of(c)], vertex_of(c));
    scored += candidates.size();
  }
  std::size_t scored = 0;

 private:
  const std::vector<float>& costs_;
};

// n rows, a row's value at most `off` from the truth, kept as a scan keeps them.
std::size_t check(Random& random, std::size_t n, std::size_t k, float off, bool ties) {
  std::vector<float> costs(n);
  for (float& cost : costs) cost = ties ? static_cast<float>(random.next() % 7) : gaussian(random);
  CodeFront front;
  front.reset(k < n ? k : 0, -1e30f);
  for (std::size_t i = 0; i < n; ++i) {
    const float value = -costs[i] + off * static_cast<float>(2 * uniform(random) - 1);
    const float wide = off * 1.001f + 1e-5f;
    front.keep({value + wide, value, static_cast<std::uint32_t>(i)}, value - wide);
    if (i % 64 == 63) front.settle(0);
  }
  front.settle(0);
  std::vector<Candidate> wanted(n);
  for (std::size_t i = 0; i < n; ++i) wanted[i] = make_candidate(costs[i], static_cast<std::uint32_t>(i));
  std::sort(wanted.begin(), wanted.end());
  std::size_t end = std::min(k, n);
  while (end < n && end > 0 && cost_of(wanted[end]) == cost_of(wanted[end - 1])) ++end;
  wanted.resize(end);

  KnownCosts exact(costs);
  CodedQuery query;
  DecideMemory memory;
  std::vector<Candidate> found;
  WalkStats stats;
  decide(exact, RowMetric::kDot, query, front, k, memory, found, stats);
  EXPECT_EQ(found, wanted) << n << " rows, k " << k << ", off by " << off;
  EXPECT_EQ(stats.distances, exact.scored);
  return exact.scored;
}

TEST(Decide, FindsTheBestHoweverManyReached) {
  Random random(41);
  for (const std::size_t n : {1u, 9u, 10u, 11u, 100u, 104u, 105u, 1000u, 5000u}) {
    for (const std::size_t k : {1u, 10u, 100u}) {
      for (const float off : {0.0f, 0.01f, 0.5f, 10.0f}) {
        for (const bool ties : {false, true}) check(random, n, k, off, ties);
      }
    }
  }
}

// Values tell who is best long before bounds do: of rows that nothing else rules out few are scored.
TEST(Decide, ScoresFewWhereBoundsAreMuchWiderThanErrors) {
  Random random(42);
  EXPECT_LT(check(random, 5000, 10, 0.05f, false), 200u);
  EXPECT_GT(check(random, 5000, 10, 20.0f, false), 1000u);
}

}  // namespace
}  // namespace segue::test
