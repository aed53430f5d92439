#include "candidates/least_happy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "candidates/id_table.hpp"
#include "candidates/read_vectors.hpp"

namespace segue {
namespace {

// Weights are tried so many times by lists of so many times what is wanted.
constexpr int kTrials = 8;
constexpr std::size_t kSpare = 2;
// Then the best weights' list grows by so many times, up to so many.
constexpr std::size_t kWider = 4;
constexpr std::size_t kLongest = 1024;
// The first step makes one person's weight seven times another's; they fall as 1 / t.
constexpr double kFirstStep = 2;
constexpr float kLeastWeight = 1e-3f;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Products of a and b, or of a - b with itself. Sums side by side, or each would wait for the one before.
template <bool kDistance>
double sum_products(const float* a, const float* b, std::size_t dim) noexcept {
  constexpr std::size_t kSums = 8;
  double sums[kSums] = {};
  const auto term = [&](std::size_t j) {
    const double x = a[j];
    const double y = b[j];
    return kDistance ? (x - y) * (x - y) : x * y;
  };
  std::size_t j = 0;
  for (; j + kSums <= dim; j += kSums) {
    for (std::size_t s = 0; s < kSums; ++s) sums[s] += term(j + s);
  }
  for (; j < dim; ++j) sums[0] += term(j);
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

// What each vector gives items; the larger the better.
class Tastes {
 public:
  Tastes(MatrixView vectors, Metric metric) : vectors_(vectors), metric_(metric), lengths_(vectors.rows(), 1.0) {
    if (metric != Metric::kCosine) return;
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      lengths_[i] = std::sqrt(sum_products<false>(vectors.row(i), vectors.row(i), vectors.cols()));
    }
  }
  std::size_t size() const noexcept { return vectors_.rows(); }
  double score(std::size_t i, const float* x) const noexcept {
    const float* q = vectors_.row(i);
    if (metric_ == Metric::kL2) return -sum_products<true>(q, x, vectors_.cols());
    return sum_products<false>(q, x, vectors_.cols()) / lengths_[i];
  }

 private:
  MatrixView vectors_;
  Metric metric_;
  std::vector<double> lengths_;
};

class LeastHappy {
 public:
  LeastHappy(const Nearest& nearest, const Index& index, const Wanted& wanted, Proposals& out)
      : nearest_(nearest),
        index_(index),
        wanted_(wanted),
        out_(out),
        deadline_(wanted.deadline_us),
        tastes_(wanted.request.vectors, index.metric()),
        weights_(tastes_.size(), 1.0f) {}

  Status run() {
    std::size_t n = kSpare * wanted_.n;
    for (int trial = 0; trial < kTrials; ++trial) {
      SEGUE_RETURN_IF_ERROR(search(n));
      if (done()) return finish();
      if (!weigh(trial)) break;
    }
    weights_ = best_weights_;
    do {
      n *= kWider;
      SEGUE_RETURN_IF_ERROR(search(n));
    } while (!done() && n < std::max(kLongest, 16 * wanted_.n));
    return finish();
  }

 private:
  // A list by the weights as they are, what is new in it valued, and the bound that it gives.
  Status search(std::size_t n) {
    n = std::min(n, std::max<std::size_t>(1, index_.size()));
    Combined mixed;
    const MatrixView vectors = wanted_.request.vectors;
    if (!combine_sum(vectors, weights_, index_.metric(), true, mixed)) {
      // They cancel out: other weights do not.
      weights_[0] *= 2;
      if (!combine_sum(vectors, weights_, index_.metric(), true, mixed)) {
        mixed = {{vectors.row(0), vectors.row(0) + vectors.cols()}, 0, 0};
      }
    }
    SEGUE_RETURN_IF_ERROR(
        nearest_.search(MatrixView(mixed.vector, index_.dim()), n, wanted_, deadline_, lists_, out_));
    const std::size_t count = lists_.count(0);
    all_ |= count < n || n == index_.size();
    if (count == n && mixed.factor > 0) {
      const double last = mixed.factor * static_cast<double>(lists_.scores[n - 1]) + mixed.offset;
      const double bound = out_.larger_is_better ? last : -last;
      if (bound < unseen_) {
        unseen_ = bound;
        best_weights_ = weights_;
      }
    }
    value(std::span(lists_.ids).first(count));
    return {};
  }

  // Of a list: what is new is read and valued; how much each person gets of it.
  void value(std::span<const Id> ids) {
    const std::size_t m = tastes_.size();
    fresh_.clear();
    for (const Id id : ids) {
      if (known_.find(id) == IdTable::kNone) fresh_.push_back(id);
    }
    read_vectors(index_, fresh_, rows_, which_);
    for (std::size_t r = 0; r < which_.size(); ++r) {
      const float* x = rows_.data() + r * index_.dim();
      double worst = kInfinity;
      for (std::size_t i = 0; i < m; ++i) {
        scores_.push_back(tastes_.score(i, x));
        worst = std::min(worst, scores_.back());
      }
      known_.insert(fresh_[which_[r]], static_cast<std::uint32_t>(valued_.size()));
      valued_.push_back({fresh_[which_[r]], worst});
    }
    happy_.assign(m, 0.0);
    for (const Id id : ids) {
      const std::uint32_t at = known_.find(id);
      if (at == IdTable::kNone) continue;  // it went in the meantime
      for (std::size_t i = 0; i < m; ++i) happy_[i] += scores_[at * m + i];
    }
  }

  // Less weight to those whom the last list pleased more. False: it pleased all alike.
  bool weigh(int trial) {
    const auto [least, most] = std::minmax_element(happy_.begin(), happy_.end());
    if (!(*most > *least)) return false;
    const double step = kFirstStep / (1 + trial);
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      weights_[i] *= static_cast<float>(std::exp(-step * ((happy_[i] - *least) / (*most - *least) - 0.5)));
    }
    float sum = 0;
    for (const float w : weights_) sum += w;
    for (float& w : weights_) w = std::max(w / sum, kLeastWeight);
    return true;
  }

  // What is unseen and as good as the last may have a smaller id. Searches may miss something, so what proves the answer
  // must not have added to it as well.
  bool done() {
    if (all_ || out_.cut || deadline_.passed()) return true;
    if (valued_.size() < wanted_.n) return false;
    best_ = valued_;
    const auto last = best_.begin() + static_cast<std::ptrdiff_t>(wanted_.n - 1);
    std::nth_element(best_.begin(), last, best_.end());
    const bool changed = std::any_of(valued_.begin() + static_cast<std::ptrdiff_t>(valued_before_), valued_.end(),
                                     [&](const Valued& fresh) { return !(*last < fresh); });
    valued_before_ = valued_.size();
    return last->value > unseen_ && !changed;
  }
  Status finish() {
    out_.exhausted = all_ && valued_.size() <= wanted_.n && !out_.cut;
    propose_best(valued_, wanted_.n, out_);
    return {};
  }

  const Nearest& nearest_;
  const Index& index_;
  const Wanted& wanted_;
  Proposals& out_;
  Deadline deadline_;
  Tastes tastes_;
  std::vector<float> weights_;
  std::vector<float> best_weights_ = weights_;
  double unseen_ = kInfinity;  // nothing that is in no list is better
  bool all_ = false;           // a list had all that there is
  std::vector<Valued> valued_;  // all that was in a list, as it came
  std::size_t valued_before_ = 0;  // the last
  std::vector<double> scores_;  // size() a row, by valued_
  std::vector<Valued> best_;
  Lists lists_;
  IdTable known_;
  std::vector<Id> fresh_;
  std::vector<float> rows_;
  std::vector<std::uint32_t> which_;
  std::vector<double> happy_;
};

}  // namespace

Status propose_least_happy(const Nearest& nearest, const Index& index, const Wanted& wanted, Proposals& out) {
  return LeastHappy(nearest, index, wanted, out).run();
}

}  // namespace segue
