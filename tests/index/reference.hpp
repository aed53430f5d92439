#pragma once
// Reference: the slow, obvious index. A map of vectors, scanned in double.
//
// It holds vectors as the index under test stores them (what get() returned), so that rounding by a storage is not
// mistaken for a wrong answer; tests of get() compare those with what was added.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "segue/filter.hpp"
#include "segue/index.hpp"

namespace segue::test {

// What a score may differ from its value in double. A sum of n rounded float products is off by at most about
// n * 2^-24 of the sum of magnitudes, which |x| |q| bounds; (|x| + |q|)^2 bounds it where l2 is computed as
// |x|^2 - 2 x q + |q|^2.
inline double score_tolerance(Metric metric, double x_norm, double q_norm, std::size_t dim) {
  const double rounding = (8.0 + static_cast<double>(dim)) * 0x1p-23;
  return rounding * (metric == Metric::kL2 ? (x_norm + q_norm) * (x_norm + q_norm) : x_norm * q_norm) + 1e-37;
}

struct Scored {
  Id id;
  double score;
  double tolerance;
};

class Reference {
 public:
  Reference(std::size_t dim, Metric metric) : dim_(dim), metric_(metric) {}

  std::size_t size() const { return items_.size(); }
  bool contains(Id id) const { return items_.count(id) != 0; }
  const std::map<Id, std::vector<float>>& items() const { return items_; }

  void set(Id id, const float* x) { items_[id].assign(x, x + dim_); }
  // Rounding is that of vectors moved by up to so much (pca8 works around a centre).
  void set_centre_norm(double norm) { centre_norm_ = norm; }
  bool erase(Id id) { return items_.erase(id) != 0; }

  // The ids of an index and its vectors.
  static Reference of(const Index& index) {
    Reference reference(index.dim(), index.metric());
    const std::vector<Id> ids = index.ids();
    const std::vector<float> x = index.get(ids).value();
    for (std::size_t i = 0; i < ids.size(); ++i) reference.set(ids[i], x.data() + i * index.dim());
    return reference;
  }

  bool better(double a, double b) const { return larger_is_better(metric_) ? a > b : a < b; }

  Scored score(Id id, const float* query) const { return score(id, items_.at(id), query); }

  // All that filter and exclude allow, best first, ties by id.
  std::vector<Scored> ranked(const float* query, const IdSet* filter, std::span<const Id> exclude) const {
    const std::set<Id> excluded(exclude.begin(), exclude.end());
    std::vector<Scored> out;
    out.reserve(items_.size());
    for (const auto& [id, x] : items_) {
      if (excluded.count(id) != 0 || (filter != nullptr && !filter->contains(id))) continue;
      out.push_back(score(id, x, query));
    }
    std::sort(out.begin(), out.end(), [this](const Scored& a, const Scored& b) {
      return a.score != b.score ? better(a.score, b.score) : a.id < b.id;
    });
    return out;
  }

 private:
  Scored score(Id id, const std::vector<float>& x, const float* query) const {
    double dot = 0, l2 = 0, xx = 0, qq = 0;
    for (std::size_t j = 0; j < dim_; ++j) {
      const double a = x[j], b = query[j];
      dot += a * b;
      l2 += (a - b) * (a - b);
      xx += a * a;
      qq += b * b;
    }
    const double q_norm = metric_ == Metric::kCosine ? 1.0 : std::sqrt(qq);
    const double value = metric_ == Metric::kL2 ? l2 : metric_ == Metric::kCosine ? dot / std::sqrt(qq) : dot;
    return {id, value, score_tolerance(metric_, std::sqrt(xx) + centre_norm_, q_norm + centre_norm_, dim_)};
  }

  std::size_t dim_;
  Metric metric_;
  double centre_norm_ = 0;
  std::map<Id, std::vector<float>> items_;
};

}  // namespace segue::test
