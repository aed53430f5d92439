#include "measure_lists.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <span>
#include <unordered_set>

#include "fit_text.hpp"

namespace playlists {
namespace {

double discount(std::size_t place) { return 1 / std::log2(static_cast<double>(place) + 2); }

// Adds what one list is worth to hit_rate, recall and ndcg.
void add_accuracy(std::span<const segue::Id> list, const std::vector<segue::Id>& taken, std::size_t k,
                  Figures& figures) {
  const std::unordered_set<segue::Id> relevant(taken.begin(), taken.end());
  double hits = 0, gain = 0, best = 0;
  for (std::size_t place = 0; place < list.size(); ++place) {
    if (relevant.contains(list[place])) ++hits, gain += discount(place);
  }
  for (std::size_t place = 0; place < std::min(k, relevant.size()); ++place) best += discount(place);
  figures.hit_rate += hits > 0 ? 1 : 0;
  figures.recall += hits / static_cast<double>(relevant.size());
  figures.ndcg += gain / best;
}

// The cosines of all pairs add up to what the squared length of the sum has beyond those of its parts.
double diversity_of(const std::vector<float>& unit_rows, std::size_t dim) {
  const std::size_t n = unit_rows.size() / dim;
  double together = 0, own = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double x = unit_rows[i * dim + d];
      sum += x, own += x * x;
    }
    together += sum * sum;
  }
  return 1 - (together - own) / static_cast<double>(n * (n - 1));
}

}  // namespace

segue::Result<Figures> measure_lists(const Lists& lists, const Lists& taken, std::size_t k,
                                     const std::vector<std::int64_t>& plays, const segue::Index& index) {
  const double all_plays = static_cast<double>(std::accumulate(plays.begin(), plays.end(), std::int64_t{0}));
  Figures figures;
  std::unordered_set<segue::Id> shown;
  std::size_t judged = 0, filled = 0, paired = 0;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::span<const segue::Id> list = std::span(lists[i]).first(std::min(k, lists[i].size()));
    shown.insert(list.begin(), list.end());
    if (!taken[i].empty()) add_accuracy(list, taken[i], k, figures), ++judged;
    if (list.empty()) continue;
    double bits = 0;
    for (const segue::Id id : list) {
      // What nobody took counts like the rarest that somebody did.
      const auto count = std::max<std::int64_t>(1, plays[static_cast<std::size_t>(id)]);
      bits -= std::log2(static_cast<double>(count) / all_plays);
    }
    figures.novelty += bits / static_cast<double>(list.size()), ++filled;
    if (list.size() < 2) continue;
    const auto rows = index.get(list);
    if (!rows.ok()) return rows.status();
    figures.diversity += diversity_of(*rows, index.dim()), ++paired;
  }
  const auto mean = [](double& sum, std::size_t n) { sum = n == 0 ? 0 : sum / static_cast<double>(n); };
  mean(figures.hit_rate, judged), mean(figures.recall, judged), mean(figures.ndcg, judged);
  mean(figures.novelty, filled), mean(figures.diversity, paired);
  figures.coverage = static_cast<double>(shown.size()) / static_cast<double>(index.size());
  return figures;
}

void print_figures_header(std::size_t k) {
  const std::string depth = "@" + std::to_string(k);
  std::printf("  %s", fit("", 24).c_str());
  for (const char* name : {"hit-rate", "recall", "ndcg", "coverage", "novelty", "diversity"}) {
    std::printf("%13s", (name + depth).c_str());
  }
  std::printf("\n");
}

void print_figures(const std::string& name, const Figures& f) {
  std::printf("  %s%13.4f%13.4f%13.4f%13.4f%13.2f%13.3f\n", fit(name, 24).c_str(), f.hit_rate, f.recall, f.ndcg,
              f.coverage, f.novelty, f.diversity);
}

}  // namespace playlists
