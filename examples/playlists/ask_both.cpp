#include "ask_both.hpp"

#include <algorithm>
#include <cmath>

namespace playlists {
namespace {

double cosine(const float* x, const float* y, std::size_t dim) {
  double dot = 0, xx = 0, yy = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double a = x[d], b = y[d];
    dot += a * b, xx += a * a, yy += b * b;
  }
  return xx * yy == 0 ? 0 : dot / std::sqrt(xx * yy);
}

}  // namespace

Pair make_pair(const Service& service, std::size_t first, std::size_t second) {
  Pair pair;
  pair.who[0] = first, pair.who[1] = second;
  for (std::size_t who = 0; who < 2; ++who) {
    const std::size_t one = pair.who[who];
    const std::vector<float> taste = service.taste(one);
    pair.tastes.insert(pair.tastes.end(), taste.begin(), taste.end());
    pair.heard.insert(pair.heard.end(), service.history[one].begin(), service.history[one].end());
    pair.later[who].insert(service.future[one].begin(), service.future[one].end());
  }
  return pair;
}

segue::Result<Opinion> ask_both(const Service& service, const Pair& pair, const std::vector<segue::Id>& list) {
  const auto rows = service.index->get(list);
  if (!rows.ok()) return rows.status();
  const std::size_t dim = service.index->dim();
  const auto n = static_cast<double>(std::max<std::size_t>(1, list.size()));
  Opinion opinion;
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t who = 0; who < 2; ++who) {
      const double score = cosine(rows->data() + i * dim, pair.tastes.data() + who * dim, dim);
      opinion.scores[who].push_back(score);
      opinion.happiness[who] += score / n;
      opinion.mean += score / (2 * n);
      opinion.hits[who] += pair.later[who].count(list[i]);
    }
    opinion.worse += std::min(opinion.scores[0].back(), opinion.scores[1].back()) / n;
  }
  return opinion;
}

}  // namespace playlists
