#include "hnsw/validate_state.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "items/next_id.hpp"

namespace segue {
namespace {

Status broken(const char* section, std::uint32_t slot, const char* what) {
  return corrupt_file(std::string("section '") + section + "': slot " + std::to_string(slot) + " " + what);
}

enum class Use : unsigned char { kUnknown, kVertex, kTwin, kDead, kFree };

// Which of the four states each slot is in; every slot must be in exactly one.
Status classify(const HnswState& state, std::vector<Use>& use) {
  use.assign(state.ids.slots(), Use::kUnknown);
  for (const std::uint32_t slot : state.dead) {
    if (state.ids.id(slot) >= 0 || use[slot] != Use::kUnknown) return broken("dead", slot, "is not dead, or twice");
    use[slot] = Use::kDead;
  }
  for (const std::uint32_t slot : state.free_slots) {
    if (state.ids.id(slot) >= 0 || use[slot] != Use::kUnknown) return broken("free", slot, "is in use, or twice");
    use[slot] = Use::kFree;
  }
  for (std::uint32_t slot = 0; slot < use.size(); ++slot) {
    if (use[slot] == Use::kUnknown) {
      if (state.ids.id(slot) < 0) return broken("ids", slot, "has no id, but is neither dead nor free");
      use[slot] = state.twins.is_twin(slot) ? Use::kTwin : Use::kVertex;
    } else if (state.twins.is_twin(slot) || state.twins.next(slot) != kNoSlot) {
      return broken("twin_next", slot, "is in a chain of twins, but holds no item");
    }
  }
  return {};
}

Status check_links(const HnswState& state, const std::vector<Use>& use) {
  for (std::uint32_t slot = 0; slot < use.size(); ++slot) {
    const bool linked = use[slot] == Use::kVertex || use[slot] == Use::kDead;
    for (std::size_t level = 0; level <= state.graph.level(slot); ++level) {
      const std::span<const std::uint32_t> links = state.graph.links(slot, level);
      if (!linked && !links.empty()) return broken("links0", slot, "is not in the graph, but has links");
      for (const std::uint32_t to : links) {
        if (use[to] != Use::kVertex && use[to] != Use::kDead) {
          return broken("links0", slot, "links to a slot that is not in the graph");
        }
      }
    }
  }
  const std::uint32_t entry = state.graph.entry();
  if (entry == kNoVertex) {
    if (state.ids.size() != 0) return corrupt_file("section 'hnsw': there are items, but no entry vertex");
  } else if (use[entry] != Use::kVertex && use[entry] != Use::kDead) {
    return broken("hnsw", entry, "is the entry, but not in the graph");
  }
  return {};
}

Status check_twins(const HnswState& state, const std::vector<Use>& use) {
  if (!state.twins.any()) return {};
  if (state.twins.next_array().size() != use.size() || state.twins.previous_array().size() != use.size()) {
    return corrupt_file("sections 'twin_next' and 'twin_previous' have another size than the index");
  }
  std::size_t in_chains = 0;
  std::size_t twins = 0;
  for (std::uint32_t slot = 0; slot < use.size(); ++slot) {
    twins += use[slot] == Use::kTwin;
    if (use[slot] != Use::kVertex) continue;
    std::uint32_t before = slot;
    for (std::uint32_t twin = state.twins.next(slot); twin != kNoSlot; twin = state.twins.next(twin)) {
      if (use[twin] != Use::kTwin || state.twins.previous_array()[twin] != before + 1) {
        return broken("twin_previous", twin, "does not fit the chain it is in");
      }
      if (!state.rows.equal_rows(slot, twin)) return broken("rows", twin, "is not equal to its twin");
      if (++in_chains > use.size()) return broken("twin_next", twin, "is in an endless chain");
      before = twin;
    }
  }
  if (in_chains != twins) return corrupt_file("section 'twin_next': some twins are in no chain");
  return {};
}

// An item's region is one of those that there are.
Status check_regions(const HnswState& state, const std::vector<Use>& use) {
  const Buffer<std::uint16_t>& regions = state.regions.slot_array();
  if (state.regions.size() == 0) return {};
  if (regions.size() != use.size()) return corrupt_file("section 'regions' has another size than the index");
  for (std::uint32_t slot = 0; slot < use.size(); ++slot) {
    if (state.ids.id(slot) >= 0 && regions[slot] >= state.regions.size()) {
      return broken("regions", slot, "is in a region that is not there");
    }
  }
  return {};
}

// Under inner product the codes hold every vertex, and nothing else.
Status check_codes(const HnswState& state, const std::vector<Use>& use) {
  if (state.metric != Metric::kInnerProduct) return {};
  for (std::size_t position = 0; position < state.codes.positions(); ++position) {
    const std::uint32_t slot = state.codes.slot(position);
    if (slot != kNoSlot && (slot >= use.size() || use[slot] != Use::kVertex)) {
      return broken("code_slots", slot, "is no vertex");
    }
  }
  const auto vertices = static_cast<std::size_t>(std::count(use.begin(), use.end(), Use::kVertex));
  return state.codes.validate(state.finest(), vertices);
}

}  // namespace

Status validate_state(const HnswState& state, Id next_id) {
  SEGUE_RETURN_IF_ERROR(state.ids.validate());
  const std::size_t slots = state.ids.slots();
  if (state.graph.size() != slots || state.rows.size() != slots || (state.fine && state.fine->size() != slots)) {
    return corrupt_file("sections 'ids', 'rows' and 'links0' are not of one size");
  }
  for (const Id id : state.ids.id_array()) {
    if (!id_fits(id, next_id)) return corrupt_file("section 'ids': an id is not below the next free id");
  }
  SEGUE_RETURN_IF_ERROR(state.graph.validate());
  std::vector<Use> use;
  SEGUE_RETURN_IF_ERROR(classify(state, use));
  SEGUE_RETURN_IF_ERROR(check_links(state, use));
  SEGUE_RETURN_IF_ERROR(check_twins(state, use));
  SEGUE_RETURN_IF_ERROR(check_regions(state, use));
  return check_codes(state, use);
}

}  // namespace segue
