#include "hnsw/insert_vertices.hpp"

#include <algorithm>

#include "hnsw/select_neighbors.hpp"
#include "segue/core/mix64.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/core/walk.hpp"

namespace segue {
namespace {

constexpr std::size_t kBatchShare = 50;    // a batch is at most this part of the graph: it cannot see itself
// And at most this part of what the call has put in so far: a call that brings a whole new region in one batch would
// leave it without a link inside. (A hundred clusters, one a call: recall 0.4 without this.)
constexpr std::size_t kCallShare = 16;
constexpr std::size_t kLargestBatch = 8192;
// Vertices a piece: some milliseconds. A team that meets more often than that spends its time at barriers, and on a
// busy machine spins there (1,000 vectors took 3.6 s instead of 0.1 with pieces of 4).
constexpr std::size_t kGrain = 16;
constexpr std::size_t kSortedFrom = 64;    // vertices of a batch: fewer have hardly a neighbour among them
constexpr std::size_t kTwinsChecked = 4;   // an equal vertex is among the very nearest

// A link from `source` that its `target` should answer.
struct BackLink {
  std::uint32_t target;
  std::uint32_t source;
  bool operator<(const BackLink& other) const noexcept {
    return target != other.target ? target < other.target : source < other.source;
  }
};

// Where a vertex of a batch goes in: its region and its place in it or, where there are none (hnsw/regions.hpp), the
// nearest on two upper levels.
struct Region {
  std::uint32_t wide;
  std::uint32_t narrow;
  std::uint32_t index;
  auto operator<=>(const Region&) const noexcept = default;
};

struct WorkerMemory {
  WalkMemory walk;
  RowQuery query;
  RowQuery selecting;
  std::vector<Candidate> candidates;
  std::vector<Candidate> above;  // those of the level above
  std::vector<std::uint32_t> selected;
};

std::uint64_t shuffle_key(std::uint64_t seed, std::uint32_t slot) noexcept {
  return mix64((seed + 1) * kGoldenGamma + slot);
}

class Inserter {
 public:
  Inserter(HnswState& state, int threads, std::size_t largest_call, const Publisher& publish)
      : state_(state), threads_(threads), publish_(publish), workers_(worker_count(largest_call, threads, 1)) {}

  // Links one batch into the graph. twins[i] is the vertex that slots[i] is equal to, or kNoSlot.
  void insert(std::span<const std::uint32_t> slots, std::vector<std::uint32_t>& twins) {
    twins.assign(slots.size(), kNoSlot);
    find_regions(slots);
    parallel_for(slots.size(), threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t at = begin; at < end; ++at) {
        const std::size_t i = regions_[at].index;
        twins[i] = choose_links(slots[i], workers_[worker]);
      }
    });
    const std::size_t top = state_.graph.entry_level();
    for (std::size_t level = 0; level <= top; ++level) answer_links(slots, twins, level);
    std::size_t highest = top;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (twins[i] != kNoSlot || state_.graph.level(slots[i]) <= highest) continue;
      highest = state_.graph.level(slots[i]);
      edits_.set_entry(slots[i]);
    }
    if (!publish_.has_readers()) edits_.publish(state_.graph, publish_);
  }
  // What the last batch left to be done, if it is little; all others', and much, is done.
  void publish() {
    edits_.publish(state_.graph, publish_);
  }
  LinkEdits finish() {
    if (edits_.size() > LinkEdits::kPiece) publish();
    return std::move(edits_);
  }

 private:
  // The members of a batch do not see each other, so their order is free: those of one region go one after the other and
  // find its rows and lists in the cache.
  void find_regions(std::span<const std::uint32_t> slots) {
    regions_.resize(slots.size());
    if (slots.size() < kSortedFrom) {
      for (std::size_t i = 0; i < slots.size(); ++i) regions_[i].index = static_cast<std::uint32_t>(i);
      return;
    }
    if (state_.regions.size() != 0) {
      for (std::size_t i = 0; i < slots.size(); ++i) {
        regions_[i] = {state_.regions.of(slots[i]), slots[i], static_cast<std::uint32_t>(i)};
      }
      std::sort(regions_.begin(), regions_.end());
      return;
    }
    parallel_for(slots.size(), threads_, kGrain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i) {
        WorkerMemory& memory = workers_[worker];
        const RowScorer scorer(state_.rows, state_.link_metric(), memory.query.prepare(state_.rows, slots[i]));
        WalkStats stats;
        regions_[i].index = static_cast<std::uint32_t>(i);
        regions_[i].wide = vertex_of(descend_to(state_.graph, 2, scorer, memory.walk, stats));
        regions_[i].narrow = vertex_of(descend_to(state_.graph, 1, scorer, memory.walk, stats));
      }
    });
    std::sort(regions_.begin(), regions_.end());
  }

  // Fills the lists of `slot`, which nobody can reach yet. The equal vertex, if one is found.
  std::uint32_t choose_links(std::uint32_t slot, WorkerMemory& memory) {
    LayeredGraph& graph = state_.graph;
    const VectorStore& rows = state_.rows;
    const RowScorer scorer(rows, state_.link_metric(), memory.query.prepare(rows, slot));
    WalkStats stats;
    const std::size_t own_level = graph.level(slot);
    Candidate nearest = descend_to(graph, own_level, scorer, memory.walk, stats);
    const std::size_t top = std::min(own_level, graph.entry_level());
    for (std::size_t level = top + 1; level-- > 0;) {
      SearchBuffer& best = memory.walk.best;
      best.reset(state_.options.ef_construction);
      memory.walk.visited.reset(graph.size());
      memory.walk.visited.insert(vertex_of(nearest));
      best.insert(nearest & ~kExpandedBit);
      walk(graph, level, scorer, Deadline(), memory.walk, stats);
      nearest = best[0];
      memory.candidates.clear();
      for (std::size_t i = 0; i < best.size(); ++i) {
        const std::uint32_t vertex = vertex_of(best[i]);
        if (state_.ids.id(vertex) == kMissingId) continue;  // dead: walked through, not linked to
        if (i < kTwinsChecked && state_.equal_items(slot, vertex)) {
          graph.close(slot);
          return vertex;
        }
        memory.candidates.push_back(best[i]);
      }
      if (level < top) add_from_above(memory);
      if (level > 0) memory.above = memory.candidates;
      select_neighbors(rows, state_.link_metric(), memory.candidates, forward_links(level), memory.selecting,
                       memory.selected);
      graph.set_links(slot, level, memory.selected);
    }
    return kNoSlot;
  }

  // What is nearest on the level above lies further out, in other clusters than the vertex's own if those are small. A graph
  // that is built at once has links between them from the time when it was small; one that turns over would lose them:
  // 40 clusters of 150, three times replaced, from 8,700 to 600, and with them a hundredth of recall.
  static void add_from_above(WorkerMemory& memory) {
    const auto middle = memory.candidates.insert(memory.candidates.end(), memory.above.begin(), memory.above.end());
    std::inplace_merge(memory.candidates.begin(), middle, memory.candidates.end());
    memory.candidates.erase(std::unique(memory.candidates.begin(), memory.candidates.end()), memory.candidates.end());
  }

  std::size_t forward_links(std::size_t level) const noexcept {
    return level == 0 ? state_.options.m : state_.graph.degree(level);
  }

  void answer_links(std::span<const std::uint32_t> slots, const std::vector<std::uint32_t>& twins, std::size_t level) {
    back_links_.clear();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (twins[i] != kNoSlot || state_.graph.level(slots[i]) < level) continue;
      for (const std::uint32_t to : state_.graph.links(slots[i], level)) back_links_.push_back({to, slots[i]});
    }
    std::sort(back_links_.begin(), back_links_.end());
    groups_.clear();
    for (std::size_t i = 0; i < back_links_.size(); ++i) {
      if (i == 0 || back_links_[i].target != back_links_[i - 1].target) groups_.push_back(i);
    }
    const bool aside = publish_.has_readers();
    const std::size_t places = aside ? edits_.make_places(groups_.size(), state_.graph.degree(level)) : 0;
    parallel_for(groups_.size(), threads_, 4 * kGrain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      std::vector<std::uint32_t>& links = workers_[worker].selected;
      for (std::size_t g = begin; g < end; ++g) {
        const std::size_t last = g + 1 < groups_.size() ? groups_[g + 1] : back_links_.size();
        const std::uint32_t target = back_links_[groups_[g]].target;
        take_links({back_links_.data() + groups_[g], last - groups_[g]}, level, workers_[worker]);
        if (aside) {
          edits_.write(places + g, target, level, links);
        } else {
          state_.graph.set_links(target, level, links);
        }
      }
    });
  }

  // The list of one target with its sources, in memory.selected; when they do not fit, the best of all are selected.
  void take_links(std::span<const BackLink> group, std::size_t level, WorkerMemory& memory) {
    const LayeredGraph& graph = state_.graph;
    const std::uint32_t target = group[0].target;
    const std::span<const std::uint32_t> old = graph.links(target, level);
    memory.selected.assign(old.begin(), old.end());
    for (const BackLink& link : group) memory.selected.push_back(link.source);
    if (memory.selected.size() > graph.degree(level)) {
      const VectorStore& rows = state_.rows;
      const RowScorer scorer(rows, state_.link_metric(), memory.query.prepare(rows, target));
      score_all(scorer, memory.selected, memory.candidates);
      std::sort(memory.candidates.begin(), memory.candidates.end());
      select_neighbors(rows, state_.link_metric(), memory.candidates, graph.degree(level), memory.selecting,
                       memory.selected);
    }
  }

  static void score_all(const RowScorer& scorer, const std::vector<std::uint32_t>& slots,
                        std::vector<Candidate>& candidates) {
    candidates.clear();
    float costs[kMaxScoreList];
    for (std::size_t first = 0; first < slots.size(); first += kMaxScoreList) {
      const std::size_t n = std::min(kMaxScoreList, slots.size() - first);
      scorer.score(slots.data() + first, n, costs);
      for (std::size_t i = 0; i < n; ++i) candidates.push_back(make_candidate(costs[i], slots[first + i]));
    }
  }

  HnswState& state_;
  int threads_;
  const Publisher& publish_;
  LinkEdits edits_;
  std::vector<WorkerMemory> workers_;
  std::vector<Region> regions_;
  std::vector<BackLink> back_links_;
  std::vector<std::size_t> groups_;
};

}  // namespace

InsertResult insert_vertices(HnswState& state, std::span<const std::uint32_t> slots, const AddOptions& options,
                             const Publisher& publish) {
  InsertResult result;
  LayeredGraph& graph = state.graph;
  std::vector<std::uint32_t> order(slots.begin(), slots.end());
  const std::uint64_t seed = state.options.seed;
  std::sort(order.begin(), order.end(), [seed](std::uint32_t a, std::uint32_t b) {
    return std::pair(shuffle_key(seed, a), a) < std::pair(shuffle_key(seed, b), b);
  });
  Inserter inserter(state, options.threads, kLargestBatch, publish);
  std::size_t done = 0;
  // How many the graph holds; dead vertices serve as well as live ones here.
  std::size_t linked = state.ids.slots() - state.free_slots.size() - order.size();
  if (graph.empty() && !order.empty()) {
    publish([&] { graph.set_entry(order[0]); });
    done = 1;
    linked = 1;
  }
  std::vector<std::uint32_t> twins;
  while (done < order.size()) {
    if (options.progress && !options.progress(done, order.size())) {
      result.cancelled = true;
      return result;
    }
    const std::size_t batch =
        std::clamp<std::size_t>(std::min(linked / kBatchShare, done / kCallShare), 1, kLargestBatch);
    const std::size_t count = std::min(batch, order.size() - done);
    const std::span<const std::uint32_t> part(order.data() + done, count);
    inserter.publish();
    inserter.insert(part, twins);
    for (std::size_t i = 0; i < count; ++i) {
      if (twins[i] != kNoSlot) result.twins.emplace_back(part[i], twins[i]);
    }
    done += count;
    linked += count;
  }
  if (options.progress && !options.progress(done, order.size())) result.cancelled = true;
  result.left = inserter.finish();
  return result;
}

}  // namespace segue
