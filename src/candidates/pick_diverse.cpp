#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "candidates/pick.hpp"
#include "candidates/read_vectors.hpp"
#include "items/check_input.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

// Places between two looks at the clock.
constexpr std::size_t kPlacesALook = 8;
// And vectors: what an index keeps coded takes most of a microsecond each to read.
constexpr std::size_t kRowsALook = 32;

// The best `mmr.pool`, as many as there are places at least, and beyond them as many of what a quota wants as it wants.
void look_at(const Pool& pool, const Mmr& mmr, std::size_t quotas, const Places& places, DiverseMemory& memory) {
  std::vector<std::uint32_t>& items = memory.looked_at;
  items.clear();
  const std::size_t first = std::min(std::max(mmr.pool, places.left()), pool.size());
  for (std::uint32_t i = 0; i < first; ++i) items.push_back(i);
  for (std::uint32_t i = static_cast<std::uint32_t>(first); i < pool.size() && quotas > 0; ++i) {
    bool wanted = false;
    for (std::size_t q = 0; q < quotas; ++q) wanted |= places.matches(i, q);
    if (wanted) items.push_back(i);
  }
}

// Of what is looked at, at length 1; false where time ran out.
bool read_directions(const Pool& pool, const Index& index, const Deadline& deadline, DiverseMemory& memory) {
  const std::size_t dim = index.dim();
  memory.ids.clear();
  for (const std::uint32_t i : memory.looked_at) memory.ids.push_back(pool.items()[i].id);
  memory.vectors.assign(memory.ids.size() * dim, 0.0f);
  for (std::size_t first = 0; first < memory.ids.size(); first += kRowsALook) {
    if (deadline.passed()) return false;
    const std::size_t count = std::min(kRowsALook, memory.ids.size() - first);
    read_vectors(index, std::span(memory.ids).subspan(first, count), memory.rows, memory.which);
    for (std::size_t r = 0; r < memory.which.size(); ++r) {
      const float* x = memory.rows.data() + r * dim;
      const float length = norm(x, dim);
      const float inverse = length > 0 ? 1 / length : 0;
      float* to = memory.vectors.data() + (first + memory.which[r]) * dim;
      for (std::size_t j = 0; j < dim; ++j) to[j] = std::isfinite(inverse) ? x[j] * inverse : 0;
    }
  }
  return true;
}

// What an item would be worth as the next one, at most: as what is above it only grows, that only falls, so it is counted
// again only where it is the best (lazy greedy; Minoux 1978).
struct Bound {
  double marginal;
  std::uint32_t at;    // in looked_at
  std::uint32_t seen;  // of the places taken

  bool operator<(const Bound& other) const noexcept {
    return marginal != other.marginal ? marginal < other.marginal : at > other.at;
  }
};

class Picking {
 public:
  Picking(const Pool& pool, const Mmr& mmr, Places& places, DiverseMemory& memory)
      : mmr_(mmr),
        places_(places),
        memory_(memory),
        f32_(kernels::active_kernels().families[kernels::kFamilyF32]),
        dim_(mmr.index->dim()),
        query_bytes_(f32_.query_bytes(dim_)) {
    const std::size_t n = memory.looked_at.size();
    if (memory.queries.size() < n * query_bytes_) memory.queries.resize(n * query_bytes_);
    for (std::uint32_t i = 0; i < n; ++i) f32_.prepare_query(row(i), dim(), memory.queries.data() + i * query_bytes_);
    memory.products.resize(n);
    memory.nearest.assign(n, -std::numeric_limits<float>::infinity());
    memory.chosen_rows.clear();
    double high = -std::numeric_limits<double>::infinity();
    double low = -high;
    for (const std::uint32_t item : memory.looked_at) {
      high = std::max(high, pool.items()[item].score);
      low = std::min(low, pool.items()[item].score);
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      const double score = pool.items()[memory.looked_at[i]].score;
      relevance_.push_back(high == low ? 1 : (score - low) / (high - low));
      bounds_.push_back({lambda() * relevance_[i], i, 0});
    }
    std::make_heap(bounds_.begin(), bounds_.end());
  }

  void run(const Deadline& deadline) {
    for (std::size_t place = 0; places_.left() > 0; ++place) {
      if (place % kPlacesALook == 0 && deadline.passed()) return;
      std::optional<Bound> best = next(true);
      if (!best) best = next(false);
      if (!best) return;
      choose(best->at);
    }
  }

 private:
  std::size_t dim() const noexcept { return dim_; }
  std::size_t chosen() const noexcept { return chosen_; }
  double lambda() const noexcept { return static_cast<double>(mmr_.lambda); }
  const float* row(std::uint32_t at) const noexcept { return memory_.vectors.data() + at * dim(); }

  // The best that may be taken now; those that may not wait, those that never will are dropped.
  std::optional<Bound> next(bool strict) {
    std::optional<Bound> best;
    waiting_.clear();
    while (!bounds_.empty() && !best) {
      std::pop_heap(bounds_.begin(), bounds_.end());
      Bound bound = bounds_.back();
      bounds_.pop_back();
      const std::uint32_t item = memory_.looked_at[bound.at];
      if (!places_.fits(item)) continue;
      if (bound.seen < chosen()) {
        update(bound);
        bounds_.push_back(bound);
        std::push_heap(bounds_.begin(), bounds_.end());
      } else if (strict && !places_.may_take(item)) {
        waiting_.push_back(bound);
      } else {
        best = bound;
      }
    }
    for (const Bound& bound : waiting_) {
      bounds_.push_back(bound);
      std::push_heap(bounds_.begin(), bounds_.end());
    }
    return best;
  }

  void update(Bound& bound) {
    const std::size_t n = chosen() - bound.seen;
    f32_.score_block[kernels::kDot](memory_.queries.data() + bound.at * query_bytes_,
                                    reinterpret_cast<const unsigned char*>(memory_.chosen_rows.data() + bound.seen * dim()),
                                    dim() * sizeof(float), n, dim(), memory_.products.data());
    float& nearest = memory_.nearest[bound.at];
    for (std::size_t i = 0; i < n; ++i) nearest = std::max(nearest, memory_.products[i]);
    bound.seen += static_cast<std::uint32_t>(n);
    bound.marginal = lambda() * relevance_[bound.at] - (1 - lambda()) * static_cast<double>(nearest);
  }

  void choose(std::uint32_t at) {
    places_.take(memory_.looked_at[at]);
    memory_.chosen_rows.insert(memory_.chosen_rows.end(), row(at), row(at) + dim());
    if (++chosen_ != 1) return;
    // Next to one that is unlike it an item may gain: all are counted once.
    for (Bound& bound : bounds_) update(bound);
    std::make_heap(bounds_.begin(), bounds_.end());
  }

  const Mmr& mmr_;
  Places& places_;
  DiverseMemory& memory_;
  const kernels::FamilyKernels& f32_;
  std::size_t dim_;
  std::size_t query_bytes_;
  std::size_t chosen_ = 0;
  std::vector<double> relevance_;
  std::vector<Bound> bounds_;   // a heap
  std::vector<Bound> waiting_;  // for places that quotas hold
};

}  // namespace

void pick_diverse(const Pool& pool, const Mmr& mmr, std::size_t quotas, const Deadline& deadline, Places& places,
                  DiverseMemory& memory) {
  look_at(pool, mmr, quotas, places, memory);
  if (read_directions(pool, *mmr.index, deadline, memory)) Picking(pool, mmr, places, memory).run(deadline);
  pick_best(pool.size(), places);
}

}  // namespace segue
