#include "hnsw/change_items.hpp"

#include <algorithm>
#include <new>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "hnsw/adapt_storage.hpp"
#include "hnsw/insert_vertices.hpp"
#include "hnsw/lay_out.hpp"
#include "items/check_input.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

void write_rows(HnswState& state, MatrixView vectors, const std::vector<std::uint32_t>& slots, int threads) {
  const std::size_t dim = vectors.cols();
  parallel_for(vectors.rows(), threads, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    HeadMemory memory;
    MatrixView piece = vectors.slice(begin, end - begin);
    std::vector<float> normalized;
    if (state.metric == Metric::kCosine) {
      normalized.resize(piece.rows() * dim);
      for (std::size_t i = 0; i < piece.rows(); ++i) normalize(piece.row(i), dim, normalized.data() + i * dim);
      piece = MatrixView(normalized, dim);
    }
    state.write(piece, slots.data() + begin, memory);
  });
}

struct Grouped {
  std::vector<std::uint32_t> vertices;                              // the first of each group of equal rows
  std::vector<std::pair<std::uint32_t, std::uint32_t>> twins;      // (another of the group, the first)
};

Grouped group_equal_rows(const HnswState& state, const std::vector<std::uint32_t>& slots) {
  const VectorStore& store = state.finest();
  std::vector<std::pair<std::uint64_t, std::uint32_t>> hashed(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::string_view bytes(reinterpret_cast<const char*>(store.row(slots[i])), store.stride());
    hashed[i] = {std::hash<std::string_view>{}(bytes), slots[i]};
  }
  std::sort(hashed.begin(), hashed.end());
  Grouped grouped;
  for (std::size_t i = 0; i < hashed.size();) {
    std::size_t end = i + 1;
    while (end < hashed.size() && hashed[end].first == hashed[i].first) ++end;
    const std::size_t first_of_hash = grouped.vertices.size();
    for (; i < end; ++i) {
      const std::uint32_t slot = hashed[i].second;
      const auto same = std::find_if(grouped.vertices.begin() + static_cast<std::ptrdiff_t>(first_of_hash),
                                     grouped.vertices.end(),
                                     [&](std::uint32_t vertex) { return state.equal_items(vertex, slot); });
      if (same == grouped.vertices.end()) {
        grouped.vertices.push_back(slot);
      } else {
        grouped.twins.emplace_back(slot, *same);
      }
    }
  }
  std::sort(grouped.vertices.begin(), grouped.vertices.end());
  return grouped;
}

// All are coded and laid out anew where that pays. Short of memory, the old layout serves on, or none.
void lay_out_codes(HnswState& state, int threads, const Publisher& publish) {
  try {
    if (state.codes.wants_tidying()) state.codes.tidy(state.finest(), threads, publish, [&] { state.changes.restart(); });
    if (state.codes.size() != 0 && !state.codes.wants_rebuild()) return;
    std::vector<std::uint32_t> vertices;
    for (std::uint32_t slot = 0; slot < state.ids.slots(); ++slot) {
      if (state.is_vertex(slot)) vertices.push_back(slot);
    }
    CodeBlocks fresh = state.codes.laid_out(state.finest(), vertices, threads);
    publish([&] {
      std::swap(state.codes, fresh);
      state.changes.restart();
    });
  } catch (const std::bad_alloc&) {
    if (!publish.has_readers() && state.codes.size() == 0) throw;
  }
}

// An item that goes leaves a dead vertex, a free slot, or its place to a twin.
class Leaving {
 public:
  Leaving(HnswState& state, const Publisher& publish) noexcept : state_(state), publish_(publish) {}

  // So that n go without allocating anything.
  void reserve(std::size_t n) {
    state_.dead.reserve(state_.dead.size() + n, publish_);
    state_.free_slots.reserve(state_.free_slots.size() + state_.dead.size() + n, publish_);
  }
  // Calls inherits(item, slot) where a held slot's item moves.
  template <class Inherits>
  void leave(Id id, const Inherits& inherits) {
    std::uint32_t slot = state_.ids.find(id);
    if (slot == kNoSlot) return;  // only in a damaged file, where another id's removal can take it along
    state_.ids.erase(id);
    state_.changes.add(slot);
    if (!state_.twins.is_twin(slot)) {
      const std::uint32_t heir = state_.twins.next(slot);
      if (heir == kNoSlot) {
        state_.dead.push_back(slot);
        state_.codes.remove(slot);
        return;
      }
      // The rows are equal, so the vertex stays and takes the item of a twin, whose slot goes instead.
      if (state_.ids.is_held(heir)) {
        const std::size_t item = state_.ids.held_for(heir);
        state_.ids.release(heir);
        state_.ids.hold(slot, item);
        inherits(item, slot);
      } else if (const Id inherited = state_.ids.id(heir); inherited >= 0) {
        state_.ids.erase(inherited);
        state_.ids.insert(inherited, slot);
      }
      slot = heir;
      state_.changes.add(slot);
    }
    state_.twins.detach(slot);
    state_.free_slots.push_back(slot);
  }

 private:
  HnswState& state_;
  const Publisher& publish_;
};

class ItemChange {
 public:
  ItemChange(HnswState& state, MatrixView vectors, std::span<const Id> ids, const AddOptions& options,
             const Publisher& publish)
      : state_(state), vectors_(vectors), ids_(ids), options_(options), publish_(publish), leaving_(state, publish) {}

  bool run() {
    const bool first_add = state_.ids.slots() == 0;
    choose_slots();
    if (first_add) {
      resize(0, slots_.size());
      if (by_norm()) lay_out_by_norm(vectors_, slots_);
      write_rows(state_, vectors_, slots_, options_.threads);
      if (!by_norm()) lay_out_by_region(state_, slots_, options_.threads);
    } else {
      make_room();
    }
    hold();
    try {
      if (!first_add) write_rows(state_, vectors_, slots_, options_.threads);
      if (!first_add && !by_norm() &&
          state_.regions.take(state_.rows, state_.ids, slots_, state_.options.seed, options_.threads, publish_)) {
        publish_([&] { state_.changes.restart(); });
      }
      if (!link()) return false;
    } catch (...) {
      give_up();
      throw;
    }
    appear();
    if (!first_add) state_.arrived += ids_.size();
    if (by_norm()) lay_out_codes(state_, options_.threads, publish_);
    return true;
  }

 private:
  static constexpr std::uint32_t kNotStaged = ~std::uint32_t{0};
  // About a microsecond each.
  static constexpr std::size_t kItemsAPiece = 8;
  static constexpr std::size_t kSlotsAPiece = 64;

  bool by_norm() const noexcept { return state_.metric == Metric::kInnerProduct; }

  // Free ones first, then at the end.
  void choose_slots() {
    slots_.resize(ids_.size());
    after_ = state_.ids.slots();
    const std::size_t free = state_.free_slots.size();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i] = i < free ? state_.free_slots[free - 1 - i] : static_cast<std::uint32_t>(after_++);
    }
  }

  // Slots up to `end`; those from `begin` on are empty.
  void resize(std::size_t begin, std::size_t end) {
    for (std::size_t slot = begin; slot < end; ++slot) state_.ids.add_empty();
    state_.rows.resize(end);
    if (state_.fine) state_.fine->resize(end);
    state_.graph.resize(end);
    state_.twins.resize(end);
    if (by_norm()) {
      state_.codes.resize_slots(end);
    } else {
      state_.regions.resize(end);
    }
  }

  // So that nothing that others read has to be moved later, and nothing can fail once items appear.
  void make_room() {
    std::size_t replaced = 0;
    bool ids_are_slots = true;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      replaced += state_.ids.find(ids_[i]) != kNoSlot;
      ids_are_slots = ids_are_slots && ids_[i] == static_cast<Id>(slots_[i]);
    }
    leaving_.reserve(std::max(replaced, ids_.size()));
    state_.ids.reserve(after_, ids_.size(), replaced != 0 || !ids_are_slots || state_.twins.any(), publish_);
    state_.rows.reserve(after_, publish_);
    if (state_.fine) state_.fine->reserve(after_, publish_);
    state_.graph.reserve(after_, publish_);
    if (state_.twins.any()) state_.twins.reserve(after_, publish_);
    if (by_norm()) {
      state_.codes.reserve_slots(after_, publish_);
    } else {
      state_.regions.reserve(after_, publish_);
    }
    const std::size_t before = state_.ids.slots();
    publish_.in_pieces(after_ - before, kSlotsAPiece, [&](std::size_t begin, std::size_t end) {
      if (begin != end) resize(before + begin, before + end);
      for (std::size_t slot = before + begin; slot < before + end; ++slot) state_.changes.add(slot);
    });
  }

  // From here on nobody else takes these slots.
  void hold() {
    const std::size_t reused = std::min(state_.free_slots.size(), slots_.size());
    for (std::size_t i = 0; i < reused; ++i) state_.free_slots.pop_back();
    for (std::size_t i = 0; i < slots_.size(); ++i) state_.ids.hold(slots_[i], i);
    state_.held.set(slots_.size());
  }

  // False: cancelled.
  bool link() {
    grouped_ = group_equal_rows(state_, slots_);
    open_vertices();
    InsertResult inserted = insert_vertices(state_, grouped_.vertices, options_, publish_);
    if (inserted.cancelled) return false;
    left_ = std::move(inserted.left);
    // A group whose first turned out equal to an older vertex moves behind that.
    std::vector<std::pair<std::uint32_t, std::uint32_t>>& moved = inserted.twins;
    std::sort(moved.begin(), moved.end());
    const auto vertex_of_group = [&](std::uint32_t first) {
      const auto at = std::lower_bound(moved.begin(), moved.end(), std::pair(first, std::uint32_t{0}));
      return at != moved.end() && at->first == first ? at->second : first;
    };
    std::erase_if(grouped_.vertices, [&](std::uint32_t slot) { return vertex_of_group(slot) != slot; });
    twins_ = moved;
    for (const auto& [twin, first] : grouped_.twins) twins_.emplace_back(twin, vertex_of_group(first));
    if (!twins_.empty()) state_.twins.reserve(state_.ids.slots(), publish_);
    if (by_norm() && state_.codes.size() != 0 && !grouped_.vertices.empty()) stage_codes();
    return true;
  }

  void open_vertices() {
    std::vector<std::uint32_t> closed;
    for (const std::uint32_t slot : grouped_.vertices) {
      if (!state_.graph.is_open(slot)) closed.push_back(slot);
    }
    if (closed.empty()) return;
    state_.graph.reserve_upper(closed, publish_);
    publish_.in_pieces(closed.size(), kSlotsAPiece, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) state_.graph.open(closed[i]);
    });
  }

  void stage_codes() {
    // Plans are of fewer positions then.
    const auto grown = [this] { state_.changes.add(grouped_.vertices[0]); };
    std::vector<std::uint32_t> positions(grouped_.vertices.size());
    state_.codes.stage(state_.finest(), grouped_.vertices, positions, options_.threads, publish_, grown);
    staged_.assign(slots_.size(), kNotStaged);
    for (std::size_t i = 0; i < grouped_.vertices.size(); ++i) {
      staged_[state_.ids.held_for(grouped_.vertices[i])] = positions[i];
    }
  }

  // All that was prepared; cannot fail.
  void appear() {
    publish_.in_pieces(twins_.size(), kItemsAPiece, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        state_.twins.attach(twins_[i].first, twins_[i].second, state_.ids.slots());
      }
    });
    there_.assign(ids_.size(), false);
    publish_.in_pieces(ids_.size(), kItemsAPiece, [&](std::size_t begin, std::size_t end) {
      if (begin == 0) left_.apply(state_.graph);
      for (std::size_t i = begin; i < end; ++i) appear(i);
    });
  }

  // An item whose vertex goes over to another of the change brings that along: a vertex without an id would be in the way.
  void appear(std::size_t item) {
    for (std::size_t next = item; next != kNobody && !there_[next];) {
      const std::size_t i = next;
      next = kNobody;
      there_[i] = true;
      leaving_.leave(ids_[i], [&](std::size_t heir, std::uint32_t slot) {
        slots_[heir] = slot;
        if (heir != i) next = heir;
      });
      const std::uint32_t slot = slots_[i];
      state_.ids.release(slot);
      state_.ids.insert(ids_[i], slot);
      state_.changes.add(slot);
      state_.held.set(state_.held.get() - 1);
      if (!staged_.empty() && staged_[i] != kNotStaged) state_.codes.place(slot, staged_[i]);
    }
  }

  // Those that are linked already are dead now, as if they had been removed; none has a twin yet.
  void give_up() noexcept {
    publish_.in_pieces(slots_.size(), kSlotsAPiece, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        state_.ids.release(slots_[i]);
        state_.dead.push_back(slots_[i]);
        state_.held.set(state_.held.get() - 1);
      }
    });
  }

  static constexpr std::size_t kNobody = ~std::size_t{0};

  HnswState& state_;
  MatrixView vectors_;
  std::span<const Id> ids_;
  const AddOptions& options_;
  const Publisher& publish_;
  Leaving leaving_;
  std::vector<std::uint32_t> slots_;  // by item
  std::size_t after_ = 0;             // slots then
  Grouped grouped_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> twins_;  // (slot, vertex)
  std::vector<std::uint32_t> staged_;                           // by item: where its code is
  std::vector<bool> there_;                                     // by item
  LinkEdits left_;
};

}  // namespace

bool put_items(HnswState& state, MatrixView vectors, std::span<const Id> ids, const AddOptions& options,
               const Publisher& publish) {
  if (!publish.has_readers()) adapt_storage(state, vectors, options.threads);
  return ItemChange(state, vectors, ids, options, publish).run();
}

void remove_items(HnswState& state, std::span<const Id> ids, const Publisher& publish) {
  constexpr std::size_t kPiece = 16;
  Leaving leaving(state, publish);
  leaving.reserve(ids.size());
  // An id that goes over to another slot is an id that is not its slot.
  if (state.twins.any()) state.ids.reserve(state.ids.slots(), 0, true, publish);
  publish.in_pieces(ids.size(), kPiece, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) leaving.leave(ids[i], [](std::size_t, std::uint32_t) {});
  });
}

}  // namespace segue
