#include "items/check_input.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <stdexcept>
#include <string>

#include "kernels/dispatch.hpp"

namespace segue {
namespace {

std::string text(std::size_t n) { return std::to_string(n); }

Status check_rows(MatrixView x, std::size_t dim, Metric metric, const char* what, std::size_t first = 0) {
  if (x.rows() != 0 && x.cols() != dim) {
    return invalid_argument(std::string(what) + " have dimension " + text(x.cols()) + ", the index has dimension " +
                            text(dim));
  }
  if (x.rows() != 0 && x.data() == nullptr) return invalid_argument(std::string(what) + " are a null pointer");
  const std::size_t bad = kernels::active_kernels().first_not_finite(x.data(), x.rows(), dim);
  if (bad < x.rows()) {
    return invalid_argument("row " + text(first + bad) + " of the " + what +
                            " has a NaN or an infinity; every number must be finite");
  }
  if (metric == Metric::kCosine) {
    for (std::size_t i = 0; i < x.rows(); ++i) {
      if (!(norm(x.row(i), dim) > 0)) {
        return invalid_argument("row " + text(first + i) + " of the " + what +
                                " is a zero vector, which has no direction under cosine");
      }
    }
  }
  return {};
}

}  // namespace

Status check_dim(std::size_t dim) {
  if (dim >= 1 && dim <= kMaxDim) return {};
  return invalid_argument("dim is " + text(dim) + "; it must be between 1 and " + text(kMaxDim));
}

Status check_metric(Metric metric) {
  if (metric <= Metric::kCosine) return {};
  return invalid_argument("metric is " + text(static_cast<std::size_t>(metric)) +
                          ", which names none; it must be l2, ip or cosine");
}

Status check_storage(const char* name, Storage storage) {
  if (storage <= Storage::kRabitq8) return {};
  return invalid_argument(std::string(name) + " is " + text(static_cast<std::size_t>(storage)) +
                          ", which names none; it must be auto, f32, f16, bf16, sq8, sq4, pca8 or rabitq1 to rabitq8");
}

Status check_vectors(MatrixView vectors, std::size_t dim, Metric metric, std::size_t first) {
  return check_rows(vectors, dim, metric, "vectors", first);
}

Status check_ids(std::span<const Id> ids, std::size_t rows) {
  if (ids.size() != rows) {
    return invalid_argument("there are " + text(ids.size()) + " ids for " + text(rows) +
                            " vectors; give one id a vector");
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0) {
      return invalid_argument("id " + std::to_string(ids[i]) + " at position " + text(i) +
                              " is negative; ids are numbers from 0 on");
    }
  }
  if (std::is_sorted(ids.begin(), ids.end(), std::less_equal<>())) return {};
  std::vector<Id> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return {};
  const auto first = std::find(ids.begin(), ids.end(), *twice);
  const auto second = std::find(first + 1, ids.end(), *twice);
  return invalid_argument("id " + std::to_string(*twice) + " is there twice, at positions " +
                          std::to_string(first - ids.begin()) + " and " + std::to_string(second - ids.begin()));
}

Status check_new(std::span<const Id> ids, const IdMap& map) {
  if (map.size() == 0) return {};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (map.find(ids[i]) != kNoSlot) {
      return already_exists("id " + std::to_string(ids[i]) + " at position " + text(i) +
                            " is already in the index; use upsert to replace it");
    }
  }
  return {};
}

Status check_room(std::size_t slots, std::size_t more) {
  if (more <= kMaxItems && slots <= kMaxItems - more) return {};
  return invalid_argument("the index has room for " + text(kMaxItems) + " items; it holds " + text(slots) + " and " +
                          text(more) + " came");
}

Status check_search(MatrixView queries, std::size_t k, const SearchOptions& options, std::size_t dim, Metric metric) {
  if (k < 1) return invalid_argument("k is 0; ask for at least 1 result");
  if (k > kMaxK) return invalid_argument("k is " + text(k) + "; at most " + text(kMaxK) + " results can be asked for");
  SEGUE_RETURN_IF_ERROR(check_rows(queries, dim, metric, "queries"));
  if (options.deadline_us < 0) {
    return invalid_argument("deadline_us is " + std::to_string(options.deadline_us) +
                            "; it must be positive, or 0 for no deadline");
  }
  if (!(options.recall >= 0 && options.recall <= 1)) {
    return invalid_argument("recall is " + std::to_string(options.recall) +
                            "; it must be above 0 and at most 1, or 0 where none is asked for");
  }
  if (options.recall != 0 && (options.ef != 0 || options.nprobe != 0)) {
    return invalid_argument("recall came together with " + std::string(options.ef != 0 ? "ef" : "nprobe") +
                            "; it chooses the effort by itself, so pass one of the two");
  }
  if (options.threads < 0) {
    return invalid_argument("threads is " + std::to_string(options.threads) +
                            "; it must be positive, or 0 for all that there are");
  }
  if (!options.stats.empty() && options.stats.size() != queries.rows()) {
    return invalid_argument("stats has room for " + text(options.stats.size()) + " queries, " + text(queries.rows()) +
                            " came");
  }
  const ExcludeIds& exclude = options.exclude;
  if (!exclude.offsets.empty()) {
    if (exclude.offsets.size() != queries.rows() + 1) {
      return invalid_argument("exclude has lists for " + text(exclude.offsets.size() - 1) + " queries, " +
                              text(queries.rows()) + " came; give one list for all or one a query");
    }
    if (exclude.offsets.front() != 0 || exclude.offsets.back() != exclude.ids.size() ||
        !std::is_sorted(exclude.offsets.begin(), exclude.offsets.end())) {
      return invalid_argument("the offsets of exclude must ascend from 0 to the number of its ids, " +
                              text(exclude.ids.size()));
    }
  }
  return {};
}

float norm(const float* x, std::size_t dim) noexcept {
  // Four chains keep the adder busy; the order is fixed, so every machine gets the same bits.
  double sums[4] = {0, 0, 0, 0};
  std::size_t i = 0;
  for (; i + 4 <= dim; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(x[i + j]) * x[i + j];
  }
  for (; i < dim; ++i) sums[0] += static_cast<double>(x[i]) * x[i];
  return static_cast<float>(std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3])));
}

void normalize(const float* x, std::size_t dim, float* out) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += static_cast<double>(x[i]) * x[i];
  const double scale = 1.0 / std::sqrt(sum);
  for (std::size_t i = 0; i < dim; ++i) out[i] = static_cast<float>(x[i] * scale);
}

Status check_threads(int threads) {
  if (threads >= 0) return {};
  return invalid_argument("threads is " + std::to_string(threads) + "; it must be positive, or 0 for all that there are");
}

Status guard_memory(const std::function<Status()>& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return out_of_memory("not enough memory for this call");
  } catch (const std::length_error&) {
    return out_of_memory("not enough memory for this call");
  }
}

}  // namespace segue
