#include <algorithm>
#include <cmath>
#include <limits>

#include "candidates/pick.hpp"
#include "candidates/read_vectors.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

// Places between two looks at the clock.
constexpr std::size_t kPlacesALook = 8;

// The best `mmr.pool`, and beyond them as many of what a quota wants as it wants.
void look_at(const Pool& pool, const Mmr& mmr, std::size_t quotas, const Places& places, DiverseMemory& memory) {
  std::vector<std::uint32_t>& items = memory.looked_at;
  items.clear();
  const std::size_t first = std::min(mmr.pool, pool.size());
  for (std::uint32_t i = 0; i < first; ++i) items.push_back(i);
  for (std::uint32_t i = static_cast<std::uint32_t>(first); i < pool.size() && quotas > 0; ++i) {
    bool wanted = false;
    for (std::size_t q = 0; q < quotas; ++q) wanted |= places.matches(i, q);
    if (wanted) items.push_back(i);
  }
}

void read_directions(const Pool& pool, const Index& index, DiverseMemory& memory) {
  const std::size_t dim = index.dim();
  memory.ids.clear();
  for (const std::uint32_t i : memory.looked_at) memory.ids.push_back(pool.items()[i].id);
  read_vectors(index, memory.ids, memory.rows, memory.which);
  memory.vectors.assign(memory.ids.size() * dim, 0.0f);
  for (std::size_t r = 0; r < memory.which.size(); ++r) {
    const float* x = memory.rows.data() + r * dim;
    float squared = 0;
    for (std::size_t j = 0; j < dim; ++j) squared += x[j] * x[j];
    const float inverse = squared > 0 ? 1 / std::sqrt(squared) : 0;
    float* to = memory.vectors.data() + memory.which[r] * dim;
    for (std::size_t j = 0; j < dim; ++j) to[j] = std::isfinite(inverse) ? x[j] * inverse : 0;
  }
}

}  // namespace

void pick_diverse(const Pool& pool, const Mmr& mmr, std::size_t quotas, const Deadline& deadline, Places& places,
                  DiverseMemory& memory) {
  look_at(pool, mmr, quotas, places, memory);
  const std::size_t n = memory.looked_at.size();
  const std::size_t dim = mmr.index->dim();
  read_directions(pool, *mmr.index, memory);
  const kernels::FamilyKernels& f32 = kernels::active_kernels().families[kernels::kFamilyF32];
  if (memory.query.size() < f32.query_bytes(dim)) memory.query.resize(f32.query_bytes(dim));
  memory.products.resize(n);
  memory.nearest.assign(n, 0.0f);
  double high = 0;
  double low = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double score = pool.items()[memory.looked_at[i]].score;
    high = i == 0 ? score : std::max(high, score);
    low = i == 0 ? score : std::min(low, score);
  }
  const auto lambda = static_cast<double>(mmr.lambda);
  for (std::size_t place = 0; places.left() > 0; ++place) {
    if (place % kPlacesALook == 0 && deadline.passed()) break;
    std::size_t best = n;
    double most = -std::numeric_limits<double>::infinity();
    for (const bool strict : {true, false}) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t item = memory.looked_at[i];
        if (places.is_taken(item)) continue;
        const double relevance = high == low ? 1 : (pool.items()[item].score - low) / (high - low);
        const double marginal = lambda * relevance - (1 - lambda) * static_cast<double>(memory.nearest[i]);
        if (marginal > most && (strict ? places.may_take(item) : places.fits(item))) {
          most = marginal;
          best = i;
        }
      }
      if (best != n) break;
    }
    if (best == n) break;
    places.take(memory.looked_at[best]);
    f32.prepare_query(memory.vectors.data() + best * dim, dim, memory.query.data());
    f32.score_block[kernels::kDot](memory.query.data(), reinterpret_cast<const unsigned char*>(memory.vectors.data()),
                                   dim * sizeof(float), n, dim, memory.products.data());
    // Nothing is nearer than 0 to nobody; a first neighbour may be on the other side.
    for (std::size_t i = 0; i < n; ++i) {
      memory.nearest[i] = place == 0 ? memory.products[i] : std::max(memory.nearest[i], memory.products[i]);
    }
  }
  pick_best(pool.size(), places);
}

}  // namespace segue
