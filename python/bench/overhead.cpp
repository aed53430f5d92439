// One query against an index of one item, again and again: what a search call costs without Python.
// Prints nanoseconds a call, the best of the rounds. overhead.py runs it beside the same loop in Python.
//
//   segue_search_overhead flat|hnsw dim calls rounds

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "segue/segue.hpp"

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: %s flat|hnsw dim calls rounds\n", arguments[0]);
    return 2;
  }
  const std::string kind = arguments[1];
  const std::size_t dim = std::strtoul(arguments[2], nullptr, 10);
  const long calls = std::atol(arguments[3]);
  const long rounds = std::atol(arguments[4]);

  const std::vector<float> vector(dim, 1.0F);
  const segue::MatrixView view(vector, dim);
  segue::BuildOptions options;
  options.kind = kind;
  auto index = segue::build(view, {}, options);
  if (!index.ok()) {
    std::fprintf(stderr, "%s\n", index.status().message().c_str());
    return 1;
  }
  constexpr std::size_t kK = 10;
  std::vector<segue::Id> ids(kK);
  std::vector<float> scores(kK);
  double best = std::numeric_limits<double>::infinity();
  for (long round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < calls; ++i) {
      if (!(*index)->search_into(view, kK, {.ef = 64}, ids.data(), scores.data()).ok() || ids[0] != 0) return 1;
    }
    const std::chrono::duration<double, std::nano> gone = std::chrono::steady_clock::now() - start;
    best = std::min(best, gone.count() / double(calls));
  }
  std::printf("%.1f\n", best);
  return 0;
}
