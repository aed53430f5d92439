#pragma once
// A small catalogue with vectors, exact in its answers, and what a generator does with it, done slowly.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "index/vectors.hpp"
#include "segue/candidates/generator.hpp"
#include "segue/flat.hpp"

namespace segue::test {

struct World {
  static constexpr std::size_t kDim = 8;

  explicit World(std::uint64_t seed, std::size_t n, Metric by = Metric::kInnerProduct) : random(seed), metric(by) {
    vectors = gaussian_vectors(random, n, kDim);
    std::vector<std::vector<std::string>> moods;
    for (std::size_t i = 0; i < n; ++i) {
      artist.push_back(static_cast<std::int64_t>(random.below(n / 8 + 1)) - 2);  // -1 and below are numbers as any other
      minutes.push_back(static_cast<std::int64_t>(random.below(60)));
      released.push_back(86400 * static_cast<std::int64_t>(random.below(1000)));
      moods.emplace_back();
      for (const char* word : {"calm", "loud", "odd"}) {
        if (random.below(2) == 0) moods.back().emplace_back(word);
      }
    }
    const std::vector columns = {ColumnData::integers("artist", artist), ColumnData::integers("minutes", minutes),
                                 ColumnData::dates("released", released), ColumnData::sets("mood", moods),
                                 ColumnData::floats("loudness", std::vector<double>(n, 1.0))};
    mood = moods;
    catalog = Catalog::create(columns).value();
    index = std::shared_ptr<Index>(FlatIndex::create(kDim, by).value());
    EXPECT_TRUE(index->add(MatrixView(vectors, kDim)).ok());
  }

  std::size_t size() const { return artist.size(); }
  const float* row(Id id) const { return vectors.data() + static_cast<std::size_t>(id) * kDim; }
  // As the index scores them, in double precision.
  double score(const float* q, Id id) const {
    double sum = 0, qq = 0, xx = 0, squares = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      const double a = q[j], b = row(id)[j];
      sum += a * b;
      qq += a * a;
      xx += b * b;
      squares += (a - b) * (a - b);
    }
    return metric == Metric::kL2 ? squares : metric == Metric::kCosine ? sum / std::sqrt(qq * xx) : sum;
  }
  // Every id, the best first by what f says; the larger the better.
  template <class F>
  std::vector<Id> ranked(const F& f) const {
    std::vector<std::pair<double, Id>> all;
    for (std::size_t i = 0; i < size(); ++i) all.emplace_back(-f(static_cast<Id>(i)), static_cast<Id>(i));
    std::sort(all.begin(), all.end());
    std::vector<Id> ids;
    for (const auto& [value, id] : all) ids.push_back(id);
    return ids;
  }

  GeneratorOptions options(std::vector<SourceSpec> sources) const {
    GeneratorOptions options;
    options.sources = std::move(sources);
    options.catalog = catalog;
    return options;
  }

  Random random;
  Metric metric;
  Vectors vectors;
  std::vector<std::int64_t> artist, minutes, released;
  std::vector<std::vector<std::string>> mood;
  std::shared_ptr<Catalog> catalog;
  std::shared_ptr<Index> index;
};

inline std::unique_ptr<const CandidateGenerator> make_generator(GeneratorOptions options) {
  auto generator = CandidateGenerator::create(std::move(options));
  EXPECT_TRUE(generator.ok()) << generator.status().message();
  return generator.ok() ? std::move(*generator) : nullptr;
}

inline Candidates generate(const CandidateGenerator& generator, const Request& request) {
  Result<Candidates> found = generator.generate(request);
  EXPECT_TRUE(found.ok()) << found.status().message();
  return found.ok() ? std::move(*found) : Candidates();
}

}  // namespace segue::test
