#include "hnsw/lay_out.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "items/check_input.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Fewer items are near each other wherever they lie.
constexpr std::size_t kFrom = 4096;
constexpr std::size_t kGrain = 1024;

using Slots = std::vector<std::uint32_t>;

// `count` of them, evenly, in order; the others into `rest`.
Slots pick_evenly(const Slots& from, std::size_t count, Slots& rest) {
  Slots picked;
  picked.reserve(count);
  for (std::size_t i = 0; i < from.size(); ++i) {
    // As many as an even share of the first i + 1 is.
    const bool due = (i + 1) * count / from.size() > picked.size();
    (due ? picked : rest).push_back(from[i]);
  }
  return picked;
}

// Old slots in the order in which they should lie, to new ones. A vertex's level is a function of its slot (layered_graph.hpp),
// so each goes, in order, into a slot of its level: one in sixteen lies a few regions off for that. Where those of a level
// do not suffice, some descend one.
Slots assign_slots(const HnswState& state, const Slots& order) {
  std::array<Slots, kMaxLevel + 1> movers, places;  // positions in `order`; new slots
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    movers[state.graph.level(order[i])].push_back(i);
    places[state.graph.draw_level(i)].push_back(i);
  }
  Slots from(order.size());
  Slots spare;
  const auto settle = [&](const Slots& who, const Slots& where) {
    for (std::size_t i = 0; i < who.size(); ++i) from[where[i]] = order[who[i]];
  };
  const auto merge_into = [](Slots& sorted, const Slots& more) {
    const auto middle = sorted.insert(sorted.end(), more.begin(), more.end());
    std::inplace_merge(sorted.begin(), middle, sorted.end());
  };
  for (std::size_t level = kMaxLevel; level > 0; --level) {
    const std::size_t n = std::min(movers[level].size(), places[level].size());
    Slots descending;
    const Slots who = pick_evenly(movers[level], n, descending);
    settle(who, pick_evenly(places[level], n, spare));
    merge_into(movers[level - 1], descending);
  }
  std::sort(spare.begin(), spare.end());
  merge_into(places[0], spare);
  settle(movers[0], places[0]);
  return from;
}

class Layout {
 public:
  Layout(const HnswState& old, int threads) : old_(old), threads_(threads) {}

  // False: there is none that is better.
  bool make(HnswState& fresh) {
    Slots order = used_slots();
    if (old_.metric == Metric::kInnerProduct) {
      sort_by_norm(order);
    } else {
      fresh.regions = old_.regions;
      fresh.regions.draw_anew(old_.rows, order, old_.options.seed, threads_);
      if (fresh.regions.size() == 0) return false;
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return fresh.regions.of(a) < fresh.regions.of(b); });
    }
    from_ = assign_slots(old_, order);
    to_.assign(old_.ids.slots(), kNoSlot);
    for (std::uint32_t slot = 0; slot < from_.size(); ++slot) to_[from_[slot]] = slot;
    if (old_.metric != Metric::kInnerProduct) fresh.regions.permute(from_);
    move_rows(old_.rows, fresh.rows);
    fresh.fine.reset();
    if (old_.fine) move_rows(*old_.fine, fresh.fine.emplace(old_.fine->table(), old_.fine->storage(), old_.fine->dim()));
    fresh.coder = old_.coder;
    fresh.trained_on = old_.trained_on;
    move_ids(fresh);
    move_links(fresh.graph);
    move_twins(fresh.twins);
    fresh.dead.reserve(old_.dead.size());
    for (const std::uint32_t slot : old_.dead) fresh.dead.push_back(to_[slot]);
    if (old_.metric == Metric::kInnerProduct) move_codes(fresh);
    return true;
  }

 private:
  Slots used_slots() const {
    std::vector<bool> is_free(old_.ids.slots());
    for (const std::uint32_t slot : old_.free_slots) is_free[slot] = true;
    Slots used;
    used.reserve(is_free.size() - old_.free_slots.size());
    for (std::uint32_t slot = 0; slot < is_free.size(); ++slot) {
      if (!is_free[slot]) used.push_back(slot);
    }
    return used;
  }

  void sort_by_norm(Slots& order) const {
    std::vector<float> norms(old_.ids.slots());
    parallel_for(order.size(), threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      HeadMemory memory;
      std::vector<float> row(old_.dim);
      for (std::size_t i = begin; i < end; ++i) {
        old_.read(order[i], row.data(), memory);
        norms[order[i]] = norm(row.data(), old_.dim);
      }
    });
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return norms[a] > norms[b]; });
  }

  void move_rows(const VectorStore& old, VectorStore& fresh) const {
    fresh = VectorStore(old.table(), old.storage(), old.dim());
    fresh.resize(from_.size());
    parallel_for(from_.size(), threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t slot = begin; slot < end; ++slot) fresh.copy_row_from(old, from_[slot], slot);
    });
  }

  void move_ids(HnswState& fresh) const {
    fresh.ids.reserve(from_.size(), old_.ids.size(), true, Publisher());
    for (std::size_t slot = 0; slot < from_.size(); ++slot) fresh.ids.add_empty();
    for (std::uint32_t slot = 0; slot < from_.size(); ++slot) {
      if (const Id id = old_.ids.id(from_[slot]); id >= 0) fresh.ids.insert(id, slot);
    }
  }

  void move_links(LayeredGraph& fresh) const {
    const LayeredGraph& old = old_.graph;
    fresh.reserve(from_.size());
    fresh.resize(from_.size());
    for (std::uint32_t slot = 0; slot < from_.size(); ++slot) {
      if (old.level(from_[slot]) != 0) fresh.open(slot);
    }
    parallel_for(from_.size(), threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      Slots moved;
      for (auto slot = static_cast<std::uint32_t>(begin); slot < end; ++slot) {
        const std::size_t top = std::min(fresh.level(slot), old.level(from_[slot]));
        for (std::size_t level = 0; level <= top; ++level) {
          moved.clear();
          for (const std::uint32_t link : old.links(from_[slot], level)) {
            // Nobody links to one that has descended, on the level that it has left.
            if (const std::uint32_t to = to_[link]; to != kNoSlot && fresh.level(to) >= level) moved.push_back(to);
          }
          fresh.set_links(slot, level, moved);
        }
      }
    });
    fresh.set_entry(entry(fresh));
  }

  // The old one, unless it has descended below others.
  std::uint32_t entry(const LayeredGraph& fresh) const {
    const std::uint32_t old = old_.graph.entry();
    if (old == kNoVertex) return kNoVertex;
    std::uint32_t best = to_[old];
    const auto height = [&](std::uint32_t slot) { return std::min(fresh.level(slot), old_.graph.level(from_[slot])); };
    for (std::uint32_t slot = 0; slot < from_.size(); ++slot) {
      if (height(slot) > height(best) && old_.is_vertex(from_[slot])) best = slot;
    }
    return best;
  }

  void move_twins(Twins& fresh) const {
    if (!old_.twins.any()) return;
    const auto moved = [&](const Buffer<std::uint32_t>& old) {
      Buffer<std::uint32_t> array(from_.size());
      for (std::size_t slot = 0; slot < from_.size(); ++slot) {
        const std::uint32_t other = old[from_[slot]];
        array[slot] = other == 0 ? 0 : to_[other - 1] + 1;
      }
      return array;
    };
    fresh.adopt(moved(old_.twins.next_array()), moved(old_.twins.previous_array()));
  }

  void move_codes(HnswState& fresh) const {
    Slots vertices;
    for (std::uint32_t slot = 0; slot < from_.size(); ++slot) {
      if (fresh.is_vertex(slot)) vertices.push_back(slot);
    }
    fresh.codes = fresh.codes.laid_out(fresh.finest(), vertices, threads_);
    fresh.codes.resize_slots(from_.size());
  }

  const HnswState& old_;
  int threads_;
  Slots from_;  // by new slot
  Slots to_;    // by old slot
};

}  // namespace

void lay_out_by_norm(MatrixView vectors, std::vector<std::uint32_t>& slots) {
  std::vector<float> norms(vectors.rows());
  for (std::size_t i = 0; i < norms.size(); ++i) norms[i] = norm(vectors.row(i), vectors.cols());
  Slots order(norms.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return norms[a] > norms[b]; });
  for (std::size_t rank = 0; rank < order.size(); ++rank) slots[order[rank]] = static_cast<std::uint32_t>(rank);
}

// A million clustered vectors of 128 dimensions: the walk for the 100 nearest 52 to 45 us, among a half that a filter lets
// through 88 to 72.
void lay_out_by_region(HnswState& state, std::vector<std::uint32_t>& slots, int threads) {
  Regions& regions = state.regions;
  regions.start(state.rows, slots.size(), state.options.seed, threads);
  if (regions.size() == 0) return;
  Slots order = slots;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return regions.of(a) < regions.of(b); });
  regions.permute(order);
  state.rows.permute(order);
  if (state.fine) state.fine->permute(order);
  for (std::size_t slot = 0; slot < order.size(); ++slot) slots[order[slot]] = static_cast<std::uint32_t>(slot);
}

bool wants_layout(const HnswState& state) noexcept {
  return state.ids.size() >= kFrom && state.arrived >= state.ids.size() / 2;
}

void lay_out_anew(HnswState& state, int threads, const Publisher& publish) {
  state.arrived = 0;
  HnswState fresh(state.dim, state.metric, state.options, state.rows.table());
  if (!Layout(state, threads).make(fresh)) return;
  publish([&] { std::swap(state, fresh); });
}

}  // namespace segue
