#include "measure_search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "fit_text.hpp"
#include "segue/recall.hpp"

namespace playlists {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

Requests make_requests(const Split& split, std::vector<float> queries, std::size_t dim) {
  Requests requests{dim, std::move(queries), {}, {0}};
  for (const auto& songs : split.seen) {
    requests.seen.insert(requests.seen.end(), songs.begin(), songs.end());
    requests.offsets.push_back(requests.seen.size());
  }
  return requests;
}

std::vector<segue::Id> propose_popular(const Split& split, std::size_t songs, std::size_t k) {
  std::vector<std::size_t> lists_with(songs, 0);
  for (const auto& seen : split.seen) {
    for (segue::Id song : seen) ++lists_with[static_cast<std::size_t>(song)];
  }
  std::vector<segue::Id> ranking(songs);
  std::iota(ranking.begin(), ranking.end(), segue::Id{0});
  std::stable_sort(ranking.begin(), ranking.end(), [&](segue::Id a, segue::Id b) {
    return lists_with[static_cast<std::size_t>(a)] > lists_with[static_cast<std::size_t>(b)];
  });

  std::vector<segue::Id> ids(split.seen.size() * k, segue::kMissingId);
  for (std::size_t list = 0; list < split.seen.size(); ++list) {
    const std::unordered_set<segue::Id> seen(split.seen[list].begin(), split.seen[list].end());
    std::size_t rank = 0;
    for (std::size_t i = 0; i < ranking.size() && rank < k; ++i) {
      if (!seen.contains(ranking[i])) ids[list * k + rank++] = ranking[i];
    }
  }
  return ids;
}

double hit_rate(const std::vector<segue::Id>& ids, std::size_t k, const Split& split) {
  double sum = 0;
  std::size_t lists = 0;
  for (std::size_t list = 0; list < split.held_back.size(); ++list) {
    const std::unordered_set<segue::Id> held(split.held_back[list].begin(), split.held_back[list].end());
    if (held.empty()) continue;
    std::size_t hits = 0;
    for (std::size_t rank = 0; rank < k; ++rank) hits += held.count(ids[list * k + rank]);
    sum += static_cast<double>(hits) / static_cast<double>(held.size());
    ++lists;
  }
  return lists == 0 ? 0 : sum / static_cast<double>(lists);
}

Latency percentiles(std::vector<double> microseconds) {
  if (microseconds.empty()) return {};
  std::sort(microseconds.begin(), microseconds.end());
  return {microseconds[microseconds.size() / 2], microseconds[microseconds.size() * 99 / 100]};
}

std::string to_string(const Latency& latency) {
  const auto whole = [](double value) { return with_commas(static_cast<std::size_t>(std::llround(value))); };
  return "p50 " + whole(latency.p50) + " µs, p99 " + whole(latency.p99) + " µs";
}

segue::Result<Latency> measure_latency(const segue::Index& index, const Requests& requests, std::size_t k,
                                       std::size_t ef, std::size_t rounds) {
  std::vector<segue::Id> ids(k);
  std::vector<float> scores(k);
  std::vector<double> microseconds;
  // The first round warms caches and is not counted.
  for (std::size_t round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const segue::SearchOptions options{.ef = ef, .exclude = {requests.exclude().of(i), {}}, .threads = 1};
      const auto start = Clock::now();
      SEGUE_RETURN_IF_ERROR(index.search_into(requests.view().slice(i, 1), k, options, ids.data(), scores.data()));
      if (round > 0) microseconds.push_back(seconds_since(start) * 1e6);
    }
  }
  return percentiles(std::move(microseconds));
}

segue::Result<CurvePoint> measure_point(const segue::Index& index, const Requests& requests, std::size_t k,
                                        std::size_t ef, const std::vector<segue::Id>& truth, std::size_t rounds) {
  std::vector<segue::Id> ids(requests.size() * k);
  std::vector<float> scores(ids.size());
  const segue::SearchOptions options{.ef = ef, .exclude = requests.exclude(), .threads = 1};
  double best = 0;
  for (std::size_t round = 0; round <= rounds; ++round) {
    const auto start = Clock::now();
    SEGUE_RETURN_IF_ERROR(index.search_into(requests.view(), k, options, ids.data(), scores.data()));
    best = std::max(best, static_cast<double>(requests.size()) / seconds_since(start));
  }
  auto recall = segue::recall(ids, k, truth, k, k);
  if (!recall.ok()) return recall.status();
  return CurvePoint{ef == 0 ? "exact" : "ef " + std::to_string(ef), *recall, best};
}

}  // namespace playlists
