// changes_turnover VECTORS [--kind hnsw] [--metric cosine] [--rounds 30] [--batch 1000] [--order random] [--upsert 1]
//                  [--k 10] [--ef 64] [--nprobe 16] [--queries 2000] [--passes 9]
//
// A catalogue that turns over: half of the file's rows are indexed; each round a tenth of them gives way to rows that are
// not, `batch` a call, by upserts or (--upsert 0) by removals and adds. --order hubs takes those first that the last
// round's searches found most often. Then the same rows are built afresh, and both answer the same queries in turns, one
// at a time in one thread. Prints of either recall@k, microseconds and distances a query, and bytes.

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>

#include "changes/arguments.hpp"

namespace {

using namespace segue;
using namespace segue::bench;
using Clock = std::chrono::steady_clock;

struct Asked {
  std::vector<Id> ids;
  double microseconds = 0, distances = 0;
};

Asked ask(const Index& index, MatrixView queries, std::size_t k, SearchOptions options) {
  Asked asked;
  asked.ids.resize(queries.rows() * k);
  std::vector<float> scores(k);
  std::vector<QueryStats> stats(1);
  for (const bool counted : {false, true}) {
    options.stats = counted ? std::span<QueryStats>(stats) : std::span<QueryStats>();
    const Clock::time_point start = Clock::now();
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      need(index.search_into(queries.slice(q, 1), k, options, asked.ids.data() + q * k, scores.data()));
      if (counted) asked.distances += static_cast<double>(stats[0].distances);
    }
    if (!counted) asked.microseconds = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  }
  asked.microseconds /= static_cast<double>(queries.rows());
  asked.distances /= static_cast<double>(queries.rows());
  return asked;
}

}  // namespace

int main(int count, char** words) {
  const Arguments a(count, words, {{"kind", "hnsw"}, {"metric", "cosine"}, {"rounds", "30"}, {"batch", "1000"}, {"order", "random"},
                                   {"upsert", "1"}, {"k", "10"}, {"ef", "64"}, {"nprobe", "16"}, {"queries", "2000"}, {"passes", "9"}});
  const Rows rows(a.path);
  const std::size_t k = a.count("k"), items = (rows.size() - a.count("queries")) / 2, dim = rows.dim;
  const MatrixView queries = rows.slice(rows.size() - a.count("queries"), a.count("queries"));
  SearchOptions options{.threads = 1};
  (a.text("kind") == "ivf" ? options.nprobe : options.ef) = a.count(a.text("kind") == "ivf" ? "nprobe" : "ef");
  const BuildOptions building = build_options(a);
  const std::unique_ptr<Index> index = need(build(rows.slice(0, items), {}, building));
  const std::size_t memory = index->memory_usage();

  // Row of the file that an id has; ids of removals and adds go on, those of upserts stay.
  std::vector<std::size_t> row_of(items), out(rows.size() - a.count("queries") - items);
  std::iota(row_of.begin(), row_of.end(), std::size_t{0});
  std::iota(out.begin(), out.end(), items);
  std::vector<Id> id_of(items);
  std::iota(id_of.begin(), id_of.end(), Id{0});
  std::mt19937_64 random(5);
  Id next = static_cast<Id>(items);
  double changing = 0;
  for (std::size_t round = 0; round < a.count("rounds"); ++round) {
    std::vector<std::size_t> order(items);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    if (a.text("order") == "hubs") {
      std::vector<std::size_t> found(static_cast<std::size_t>(next), 0);
      for (const Id id : ask(*index, queries, k, options).ids) ++found[static_cast<std::size_t>(id)];
      std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
        return found[static_cast<std::size_t>(id_of[x])] > found[static_cast<std::size_t>(id_of[y])];
      });
    }
    std::shuffle(out.begin(), out.end(), random);
    const Clock::time_point start = Clock::now();
    for (std::size_t first = 0; first < items / 10; first += a.count("batch")) {
      const std::size_t n = std::min(a.count("batch"), items / 10 - first);
      std::vector<float> values(n * dim);
      std::vector<Id> ids(n);
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t place = order[first + i];
        std::swap(row_of[place], out[first + i]);
        std::copy_n(rows.values.data() + row_of[place] * dim, dim, values.data() + i * dim);
        ids[i] = id_of[place];
      }
      if (a.count("upsert") != 0) {
        need(index->upsert({values.data(), n, dim}, ids, {.threads = 1, .progress = {}}));
        continue;
      }
      need(index->remove(ids));
      for (std::size_t i = 0; i < n; ++i) ids[i] = id_of[order[first + i]] = next++;
      need(index->add({values.data(), n, dim}, ids, {.threads = 1, .progress = {}}));
    }
    changing += std::chrono::duration<double>(Clock::now() - start).count();
  }
  need(index->validate());

  // The same rows, built at once: ids are places.
  std::vector<float> now(items * dim);
  std::vector<Id> place_of(static_cast<std::size_t>(next), -1);
  for (std::size_t i = 0; i < items; ++i) {
    std::copy_n(rows.values.data() + row_of[i] * dim, dim, now.data() + i * dim);
    place_of[static_cast<std::size_t>(id_of[i])] = static_cast<Id>(i);
  }
  const std::unique_ptr<Index> fresh = need(build({now.data(), items, dim}, {}, building));
  BuildOptions scan = building;
  scan.kind = "flat";
  const std::vector<Id> truth = ask(*need(build({now.data(), items, dim}, {}, scan)), queries, k, {.threads = 1}).ids;

  // In turns, as the machine is not the same from second to second; the median of each counts.
  std::vector<Asked> old_asked, new_asked;
  for (std::size_t pass = 0; pass < a.count("passes"); ++pass) {
    old_asked.push_back(ask(*index, queries, k, options));
    new_asked.push_back(ask(*fresh, queries, k, options));
  }
  for (Id& id : old_asked[0].ids) id = id < 0 ? id : place_of[static_cast<std::size_t>(id)];
  const auto print = [&](const char* name, std::vector<Asked>& asked, std::size_t bytes) {
    const double found = need(recall(asked[0].ids, k, truth, k, k));
    std::sort(asked.begin(), asked.end(), [](const Asked& x, const Asked& y) { return x.microseconds < y.microseconds; });
    std::printf("%-11s recall %.4f   %7.1f us   %8.0f distances   %7.1f MB\n", name, found,
                asked[asked.size() / 2].microseconds, asked[0].distances, static_cast<double>(bytes) / 1e6);
    return asked[asked.size() / 2].microseconds;
  };
  std::printf("%s, %zu items of %zu dimensions, %.1f times replaced, %.0f changes/s\n", std::string(index->kind()).c_str(), items,
              dim, a.number("rounds") / 10, a.number("rounds") * static_cast<double>(items / 10) / changing);
  const double old_us = print("turned over", old_asked, index->memory_usage());
  const double new_us = print("fresh", new_asked, fresh->memory_usage());
  std::printf("queries/s: %.3f of fresh; memory before: %.1f MB\n", new_us / old_us, static_cast<double>(memory) / 1e6);
}
