#pragma once
// How good proposals are, and how long they take.

#include <cstddef>
#include <string>
#include <vector>

#include "hold_back.hpp"
#include "segue/index.hpp"

namespace playlists {

// A playlist a row: its query, and what it already holds and must not be offered again.
struct Requests {
  std::size_t dim = 0;
  std::vector<float> queries;
  std::vector<segue::Id> seen;
  std::vector<std::size_t> offsets;  // of each playlist's part of `seen`

  std::size_t size() const { return offsets.size() - 1; }
  segue::MatrixView view() const { return {queries.data(), size(), dim}; }
  segue::ExcludeIds exclude() const { return {seen, offsets}; }
};

Requests make_requests(const Split& split, std::vector<float> queries, std::size_t dim);

// What to propose when nothing is known of taste: the songs of the most playlists that the playlist does not hold yet.
// playlists x k, as an index would answer.
std::vector<segue::Id> propose_popular(const Split& split, std::size_t songs, std::size_t k);

// hit-rate@k: which part of a playlist's held-back songs is among its first k proposals; the mean over the playlists.
// `ids` holds a row of k for each.
double hit_rate(const std::vector<segue::Id>& ids, std::size_t k, const Split& split);

// Microseconds.
struct Latency {
  double p50 = 0;
  double p99 = 0;
};

// Of calls that took so many microseconds each; 0 of none.
Latency percentiles(std::vector<double> microseconds);
// "p50 212 µs, p99 1,040 µs"
std::string to_string(const Latency& latency);

// Calls of one query each, one thread.
segue::Result<Latency> measure_latency(const segue::Index& index, const Requests& requests, std::size_t k,
                                       std::size_t ef, std::size_t rounds);

struct CurvePoint {
  std::string label;
  double recall = 0;
  double queries_per_second = 0;
};

// recall@k against `truth` (requests x k), and the speed of the best of `rounds` batches on one thread.
segue::Result<CurvePoint> measure_point(const segue::Index& index, const Requests& requests, std::size_t k,
                                        std::size_t ef, const std::vector<segue::Id>& truth, std::size_t rounds);

}  // namespace playlists
