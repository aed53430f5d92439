#include "tuning/exact_answers.hpp"

#include <algorithm>

#include "segue/flat.hpp"

namespace segue {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 20;

struct Answer {
  float score;
  Id id;
};

// Merges the rows of `found` into the best of each query.
class BestAnswers {
 public:
  BestAnswers(std::size_t queries, std::size_t k, Metric metric) : k_(k), metric_(metric), best_(queries) {}

  void merge(const SearchResult& found) {
    const bool larger = larger_is_better(metric_);
    const auto before = [larger](const Answer& a, const Answer& b) {
      return a.score != b.score ? (larger ? a.score > b.score : a.score < b.score) : a.id < b.id;
    };
    std::vector<Answer> both;
    for (std::size_t q = 0; q < best_.size(); ++q) {
      std::vector<Answer>& best = best_[q];
      const std::size_t old = best.size();
      both.resize(old + found.k);
      std::size_t fresh = 0;
      for (; fresh < found.k && found.ids[q * found.k + fresh] != kMissingId; ++fresh) {
        both[old + fresh] = {found.scores[q * found.k + fresh], found.ids[q * found.k + fresh]};
      }
      both.resize(old + fresh);
      std::copy(best.begin(), best.end(), both.begin());
      std::inplace_merge(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(old), both.end(), before);
      both.resize(std::min(both.size(), k_));
      best.assign(both.begin(), both.end());
    }
  }

  std::vector<Id> ids() const {
    std::vector<Id> out(best_.size() * k_, kMissingId);
    for (std::size_t q = 0; q < best_.size(); ++q) {
      for (std::size_t i = 0; i < best_[q].size(); ++i) out[q * k_ + i] = best_[q][i].id;
    }
    return out;
  }

 private:
  std::size_t k_;
  Metric metric_;
  std::vector<std::vector<Answer>> best_;
};

}  // namespace

Result<std::vector<Id>> exact_answers(const Index& index, std::span<const Id> items, Metric metric, MatrixView queries,
                                      std::size_t k, int threads, const std::function<bool(std::size_t)>& progress) {
  const std::size_t dim = index.dim();
  const std::size_t block = std::max<std::size_t>(64, kBlockBytes / (dim * sizeof(float)));
  BestAnswers best(queries.rows(), k, metric);
  for (std::size_t first = 0; first < items.size(); first += block) {
    const std::span<const Id> ids = items.subspan(first, std::min(block, items.size() - first));
    Result<std::unique_ptr<FlatIndex>> flat = FlatIndex::create(dim, metric, {.storage = Storage::kF32});
    if (!flat.ok()) return flat.status();
    {
      const Result<std::vector<float>> rows = index.get(ids);
      if (!rows.ok()) return rows.status();
      SEGUE_RETURN_IF_ERROR((*flat)->add(MatrixView(*rows, dim), ids, {.threads = threads}));
    }
    const Result<SearchResult> found = (*flat)->search(queries, std::min(k, ids.size()), {.threads = threads});
    if (!found.ok()) return found.status();
    best.merge(*found);
    if (!progress(first + ids.size())) return cancelled("tune was cancelled; the index keeps what it had");
  }
  return best.ids();
}

}  // namespace segue
