#pragma once
// Whether answers are right: recall against a scan of what has to be there, and each answer itself.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "segue/segue.hpp"
#include "serving/stand_back.hpp"
#include "soak/made_vectors.hpp"
#include "soak/traffic.hpp"
#include "soak/world.hpp"

namespace segue::bench {

// How far a score may be from that of the vector that was given: what codes of eight bits round away, squared distances of
// clustered vectors being what they are, is some thousandths. Another vector of the same cluster is a tenth away.
inline constexpr double kScoreTolerance = 0.02;
// Of scans for the truth, which are no traffic.
inline constexpr int kCheckNiceness = 19;

inline double squared_distance(const float* a, const float* b, std::size_t dim) {
  float parts[8] = {};
  std::size_t j = 0;
  for (; j + 8 <= dim; j += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) parts[lane] += (a[j + lane] - b[j + lane]) * (a[j + lane] - b[j + lane]);
  }
  double sum = 0;
  for (; j < dim; ++j) sum += static_cast<double>(a[j] - b[j]) * static_cast<double>(a[j] - b[j]);
  for (const float part : parts) sum += static_cast<double>(part);
  return sum;
}

// The k smallest of what is offered, the largest of them on top.
class Nearest {
 public:
  explicit Nearest(std::size_t k) : k_(k) {}
  void offer(double distance) {
    if (best_.size() == k_ && distance >= best_.front()) return;
    if (best_.size() == k_) {
      std::pop_heap(best_.begin(), best_.end());
      best_.pop_back();
    }
    best_.push_back(distance);
    std::push_heap(best_.begin(), best_.end());
  }
  double farthest() const { return best_.front(); }

 private:
  std::size_t k_;
  std::vector<double> best_;
};

// Recall of answers, by distance: an item counts that is as near as the k-th of a scan.
struct Asked {
  std::vector<float> queries;
  std::vector<Id> ids;         // k a query
  std::vector<float> scores;
  std::vector<double> exact;   // the distance to what was answered, made from its vector
  double recall(const std::vector<Nearest>& nearest, std::size_t k) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) found += exact[i] <= nearest[i / k].farthest() * (1 + 1e-6);
    return static_cast<double>(found) / static_cast<double>(std::max<std::size_t>(exact.size(), 1));
  }
};

inline Asked make_queries(const MadeVectors& vectors, std::size_t count, std::size_t k, std::uint64_t seed) {
  Asked asked;
  asked.queries.resize(count * vectors.dim());
  for (std::size_t q = 0; q < count; ++q) vectors.write(mix64(seed) + q, &asked.queries[q * vectors.dim()]);
  asked.ids.resize(count * k);
  asked.scores.resize(count * k);
  return asked;
}

// The live index at one moment between two updates. Each answer has to be of an item that was there, with its score. Keeps
// updates for as long as the searches take; the scan comes after, and gives way to everybody.
inline double check_live(const Index& index, World& world, const MadeVectors& vectors, std::size_t count, std::size_t k,
                         std::size_t ef, std::uint64_t seed, Faults& faults) {
  Asked asked = make_queries(vectors, count, k, seed);
  const std::size_t dim = vectors.dim();
  std::vector<World::Item> items(world.places());
  Status status;
  world.pause([&](const std::vector<World::Item>& there) {
    std::copy(there.begin(), there.end(), items.begin());
    status = index.search_into(MatrixView(asked.queries, dim), k, {.ef = ef, .threads = 1}, asked.ids.data(),
                               asked.scores.data());
  });
  if (!status.ok()) {
    faults.add("check: " + status.message());
    return 0;
  }
  std::vector<float> row(dim);
  for (std::size_t i = 0; i < asked.ids.size(); ++i) {
    const Id id = asked.ids[i];
    const World::Item* item = id < 0 ? nullptr : &items[world.place_of(id)];
    if (item == nullptr || item->id != id || !item->there) {
      faults.add("check: id " + std::to_string(id) + " was found and is not there");
      return 0;
    }
    vectors.write(item->vector, row.data());
    asked.exact.push_back(squared_distance(&asked.queries[i / k * dim], row.data(), dim));
    const auto score = static_cast<double>(asked.scores[i]);
    if (std::abs(score - asked.exact[i]) > kScoreTolerance * asked.exact[i] + 1e-3) {
      faults.add("check: id " + std::to_string(id) + " has score " + std::to_string(score) + ", its vector " +
                 std::to_string(asked.exact[i]));
    }
  }
  std::vector<Nearest> nearest(count, Nearest(k));
  stand_back(kCheckNiceness, [&] {
    for (const World::Item& item : items) {
      if (!item.there) continue;
      vectors.write(item.vector, row.data());
      for (std::size_t q = 0; q < count; ++q) nearest[q].offer(squared_distance(&asked.queries[q * dim], row.data(), dim));
    }
  });
  return asked.recall(nearest, k);
}

// A snapshot that serves, against what it says it holds.
inline double check_snapshot(const Index& index, const MadeVectors& vectors, std::size_t count, std::size_t k,
                             std::size_t ef, std::uint64_t seed, Faults& faults) {
  constexpr std::size_t kRows = 1000;
  Asked asked = make_queries(vectors, count, k, seed);
  const std::size_t dim = vectors.dim();
  Status status = index.search_into(MatrixView(asked.queries, dim), k, {.ef = ef, .threads = 1}, asked.ids.data(),
                                    asked.scores.data());
  const Result<std::vector<float>> answered = status.ok() ? index.get(asked.ids) : Result<std::vector<float>>(status);
  if (!answered.ok()) {
    faults.add("check of the Serving: " + answered.status().message());
    return 0;
  }
  for (std::size_t i = 0; i < asked.ids.size(); ++i) {
    asked.exact.push_back(squared_distance(&asked.queries[i / k * dim], answered->data() + i * dim, dim));
  }
  std::vector<Nearest> nearest(count, Nearest(k));
  stand_back(kCheckNiceness, [&] {
    const std::vector<Id> ids = index.ids();
    for (std::size_t from = 0; from < ids.size() && status.ok(); from += kRows) {
      const auto some = std::span(ids).subspan(from, std::min(kRows, ids.size() - from));
      const Result<std::vector<float>> rows = index.get(some);
      status = rows.status();
      for (std::size_t i = 0; status.ok() && i < some.size(); ++i) {
        for (std::size_t q = 0; q < count; ++q) {
          nearest[q].offer(squared_distance(&asked.queries[q * dim], rows->data() + i * dim, dim));
        }
      }
    }
  });
  if (!status.ok()) {
    faults.add("check of the Serving: " + status.message());
    return 0;
  }
  return asked.recall(nearest, k);
}

// Everything: an index that was opened again holds what the world holds, and its structure is whole.
inline void check_all(const Index& index, const std::vector<World::Item>& items, const MadeVectors& vectors,
                      Faults& faults) {
  if (const Status valid = index.validate(); !valid.ok()) faults.add("opened again: " + valid.message());
  std::vector<Id> ids;
  std::vector<float> wanted(vectors.dim());
  for (const World::Item& item : items) {
    if (item.there) ids.push_back(item.id);
  }
  std::vector<Id> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  if (index.ids() != sorted) {
    faults.add("opened again: " + std::to_string(index.size()) + " items, " + std::to_string(sorted.size()) +
               " were acknowledged, or other ids");
    return;
  }
  for (const World::Item& item : items) {
    if (!item.there) continue;
    vectors.write(item.vector, wanted.data());
    const Result<std::vector<float>> row = index.get(std::vector<Id>{item.id});
    const double length = squared_distance(wanted.data(), std::vector<float>(wanted.size()).data(), wanted.size());
    if (!row.ok() || squared_distance(row->data(), wanted.data(), wanted.size()) > 1e-3 * length) {
      faults.add("opened again: id " + std::to_string(item.id) + " has another vector");
      return;
    }
  }
}

}  // namespace segue::bench
