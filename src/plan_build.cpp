// Which kind of index kind "auto" makes.
//
// By what was measured (docs/decisions/0011-choosing-a-kind.md): a graph is the fastest or within 1.3 times of it on every
// set of more than some ten thousand items; scans of codes are faster below, and further up where norms fall; lists take
// less memory, and without what their codes leave over the least.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "items/check_input.hpp"
#include "kernels/dispatch.hpp"
#include "segue/build.hpp"
#include "segue/core/vector_store.hpp"

namespace segue {
namespace {

// A scan of so many items takes about what a walk does; more, where most are too short to be answers.
constexpr std::size_t kFlatUpTo = 10000;
constexpr std::size_t kFlatUpToWhereNormsFall = 30000;
constexpr std::size_t kNormsLookedAt = 1000;
// The norm that one in a hundred exceeds, in medians.
constexpr double kNormsFall = 1.8;

std::string count(std::size_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g MB", static_cast<double>(bytes) / 1e6);
  return text;
}

// What a kind takes, about.
class Memory {
 public:
  Memory(std::size_t rows, std::size_t dim, Metric metric) : rows_(rows), dim_(dim), metric_(metric) {}

  std::size_t flat(const FlatOptions& options) const {
    return rows_ * (stride(options.storage) + codes() + kIdBytes);
  }
  std::size_t hnsw(const HnswOptions& options) const {
    const std::size_t links = 4 * (2 * options.m + 2) + 4 * (options.m + 1) / std::max<std::size_t>(1, options.m - 1);
    std::size_t row = stride(options.storage);
    if (options.rerank != Storage::kAuto) row += stride(options.rerank);
    if (metric_ == Metric::kInnerProduct) {
      row += codes();
    } else if (options.storage == Storage::kAuto) {
      row = std::max(row, stride(Storage::kPca8) + stride(Storage::kSq8));
    }
    return rows_ * (row + links + kIdBytes);
  }
  std::size_t ivf(const IvfOptions& options) const {
    const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(rows_)));
    const std::size_t lists = std::max<std::size_t>(1, options.nlist != 0 ? options.nlist : 4 * root);
    std::size_t kept = stride(options.storage);
    const bool coded = options.storage == Storage::kPca8 || rabitq_bits(options.storage) != 0;
    if (coded) kept = options.rerank == Storage::kAuto ? 0 : stride(Storage::kSq8);
    if (options.storage == Storage::kAuto) kept = dim_ > 16 ? stride(Storage::kSq8) : stride(Storage::kF32);
    // A list's last block is half empty; a centre is there in float32 and coded, twice where codes lean on it.
    const bool twice = metric_ == Metric::kL2 || rabitq_bits(options.storage) != 0;
    const std::size_t centre = 4 * dim_ + stride(Storage::kSq8) + (twice ? 4 * dim_ : 0);
    const std::size_t code = codes(rabitq_bits(options.storage));
    return rows_ * (kept + code + kIdBytes) + lists * (centre + 8 * code + 32) + 4 * dim_ * dim_;
  }

 private:
  // Ids, and the way back.
  static constexpr std::size_t kIdBytes = 16;
  // Scale, tail, slot, position and a share of the block's bounds; bias.
  std::size_t codes(unsigned bits = 0) const {
    const std::size_t code = bits == 0 ? dim_ : (dim_ * bits + 31) / 32 * 4;
    return code + 17 + (metric_ == Metric::kL2 ? 4 : 0);
  }
  std::size_t stride(Storage storage) const {
    return VectorStore(kernels::active_kernels(), storage == Storage::kAuto ? Storage::kF32 : storage, dim_).stride();
  }

  std::size_t rows_;
  std::size_t dim_;
  Metric metric_;
};

// How many medians the norm is that one in a hundred exceeds.
double norm_spread(MatrixView vectors) {
  const std::size_t n = std::min(vectors.rows(), kNormsLookedAt);
  std::vector<double> norms(n);
  for (std::size_t i = 0; i < n; ++i) {
    norms[i] = static_cast<double>(norm(vectors.row(i * vectors.rows() / n), vectors.cols()));
  }
  std::sort(norms.begin(), norms.end());
  const double median = norms[n / 2];
  return median > 0 ? norms[n - 1 - n / 100] / median : std::numeric_limits<double>::infinity();
}

class Planner {
 public:
  Planner(MatrixView vectors, const BuildOptions& options)
      : vectors_(vectors),
        options_(options),
        memory_(vectors.rows(), std::max<std::size_t>(1, vectors.cols()), options.metric),
        plan_{options.kind, options.flat, options.hnsw, options.ivf, 0, {}} {}

  Result<BuildPlan> run() {
    if (options_.kind != "auto") return named();
    if (options_.recall == 1) {
      plan_.kind = "flat";
      plan_.reasons.push_back("all of the true neighbours are wanted: a flat index finds them");
      if (fits()) return plan_;
      return refuse();
    }
    if (vectors_.rows() <= flat_up_to()) {
      plan_.kind = "flat";
      if (fits()) return plan_;
      plan_.reasons.clear();
    }
    plan_.kind = "hnsw";
    if (vectors_.rows() > kFlatUpTo) {
      plan_.reasons.push_back(count(vectors_.rows()) + " items: a graph looks at some thousand of them a query");
    }
    if (fits()) return plan_;
    plan_.kind = "ivf";
    plan_.reasons.push_back("inverted lists take less: codes, and codes of what those leave over");
    if (fits()) return plan_;
    plan_.reasons.push_back("codes alone take least, and find the less the fewer bits they have");
    plan_.ivf.rerank = Storage::kAuto;
    for (unsigned bits = 8; bits >= 1; --bits) {
      plan_.ivf.storage = rabitq_storage(bits);
      if (fits()) {
        plan_.reasons.push_back(std::string(to_string(plan_.ivf.storage)) + " has the most bits a dimension that fit");
        return plan_;
      }
      if (bits > 1) plan_.reasons.pop_back();  // what too many take is of no interest
    }
    return refuse();
  }

 private:
  Result<BuildPlan> named() {
    if (plan_.kind != "flat" && plan_.kind != "hnsw" && plan_.kind != "ivf") {
      return invalid_argument("kind is '" + options_.kind + "'; known are auto, flat, hnsw and ivf");
    }
    plan_.reasons.push_back("kind " + plan_.kind + " was asked for");
    if (fits()) return plan_;
    return refuse();
  }

  std::size_t flat_up_to() {
    if (options_.metric == Metric::kInnerProduct && vectors_.rows() > kFlatUpTo &&
        vectors_.rows() <= kFlatUpToWhereNormsFall && norm_spread(vectors_) >= kNormsFall) {
      plan_.reasons.push_back(count(vectors_.rows()) +
                              " items whose norms differ much: a scan by falling norm ends early, and is exact");
      return kFlatUpToWhereNormsFall;
    }
    if (vectors_.rows() <= kFlatUpTo) {
      plan_.reasons.push_back(count(vectors_.rows()) + " items: a scan of their codes takes about what a walk does, and is exact");
    }
    return kFlatUpTo;
  }

  bool fits() {
    plan_.memory = plan_.kind == "flat"   ? memory_.flat(plan_.flat)
                   : plan_.kind == "hnsw" ? memory_.hnsw(plan_.hnsw)
                                          : memory_.ivf(plan_.ivf);
    const bool enough = options_.max_memory == 0 || plan_.memory <= options_.max_memory;
    if (options_.max_memory != 0) {
      plan_.reasons.push_back(plan_.kind + " takes up to " + megabytes(plan_.memory) + " of the " +
                              megabytes(options_.max_memory) + " that there are" + (enough ? "" : ": too much"));
    }
    return enough;
  }

  Status refuse() const {
    return invalid_argument("max_memory is " + megabytes(options_.max_memory) + ", and " + plan_.kind + " of " +
                            count(vectors_.rows()) + " items of " + count(vectors_.cols()) + " dimensions takes up to " +
                            megabytes(plan_.memory) + (options_.kind == "auto" && options_.recall < 1
                                                           ? ", the least of all kinds; give more, or fewer items"
                                                           : "; give more, or let kind be auto and recall below 1"));
  }

  MatrixView vectors_;
  const BuildOptions& options_;
  Memory memory_;
  BuildPlan plan_;
};

}  // namespace

Result<BuildPlan> plan_build(MatrixView vectors, const BuildOptions& options) {
  SEGUE_RETURN_IF_ERROR(check_dim(vectors.cols()));
  SEGUE_RETURN_IF_ERROR(check_metric(options.metric));
  if (!(options.recall > 0 && options.recall <= 1)) {
    return invalid_argument("recall is " + std::to_string(options.recall) + "; it must be above 0 and at most 1");
  }
  return Planner(vectors, options).run();
}

}  // namespace segue
