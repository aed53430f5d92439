// Laying an index out anew moves rows and nothing else: the same links between the same items, and the same answers.

#include "hnsw/lay_out.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <vector>

#include "hnsw/change_items.hpp"
#include "hnsw/repair_graph.hpp"
#include "hnsw/search_graph.hpp"
#include "hnsw/validate_state.hpp"
#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "items/check_input.hpp"
#include "kernels/dispatch.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kItems = 4800;
constexpr std::size_t kTwins = 300;
constexpr Id kNext = 100'000;

struct Case {
  Metric metric;
  Storage storage;
};

class LayOut : public testing::TestWithParam<Case> {
 protected:
  // Clusters one after the other, with equal vectors, half of it come later, some removed: free slots, twins, dead vertices.
  LayOut() : state_(kDim, GetParam().metric, HnswOptions{.storage = GetParam().storage}, kernels::active_kernels()) {
    Random random(511);
    vectors_ = clustered_vectors(random, kItems, kDim, 30, 0.4F);
    for (std::size_t i = 0; i < kTwins; ++i) {
      std::copy_n(vectors_.begin() + static_cast<std::ptrdiff_t>(i * 7 * kDim), kDim,
                  vectors_.end() - static_cast<std::ptrdiff_t>((i + 1) * kDim));
    }
    put(0, kItems / 2);
    std::vector<Id> gone;
    for (Id id = 0; id < static_cast<Id>(kItems / 2); id += 4) gone.push_back(id);
    remove_items(state_, gone, {});
    repair_graph(state_, state_.graph.size(), 1, {});
    put(kItems / 2, kItems);
    gone.clear();
    for (Id id = static_cast<Id>(kItems / 2); id < static_cast<Id>(kItems / 2 + 50); ++id) gone.push_back(id);
    for (Id id = static_cast<Id>(kItems - 20); id < static_cast<Id>(kItems); ++id) gone.push_back(id);
    remove_items(state_, gone, {});
  }

  void put(std::size_t first, std::size_t last) {
    std::vector<Id> ids(last - first);
    std::iota(ids.begin(), ids.end(), static_cast<Id>(first));
    EXPECT_TRUE(put_items(state_, MatrixView(vectors_.data() + first * kDim, last - first, kDim), ids, {.threads = 2, .progress = {}}, {}));
  }

  // From vertex to vertex, by ids; dead ones by their bytes.
  using Name = std::pair<Id, std::string>;
  using Link = std::tuple<std::size_t, Name, Name>;
  Name name(std::uint32_t slot) const {
    const VectorStore& rows = state_.finest();
    if (state_.ids.id(slot) < 0) return {-1, std::string(reinterpret_cast<const char*>(rows.row(slot)), rows.stride())};
    return {state_.ids.id(slot), {}};
  }
  std::multiset<Link> links() const {
    std::multiset<Link> all;
    for (std::uint32_t slot = 0; slot < state_.graph.size(); ++slot) {
      for (std::size_t level = 0; level <= state_.graph.level(slot); ++level) {
        for (const std::uint32_t to : state_.graph.links(slot, level)) all.insert({level, name(slot), name(to)});
      }
    }
    return all;
  }

  std::map<Id, std::vector<float>> rows_by_id() const {
    std::map<Id, std::vector<float>> rows;
    HeadMemory memory;
    for (std::uint32_t slot = 0; slot < state_.ids.slots(); ++slot) {
      if (const Id id = state_.ids.id(slot); id >= 0) state_.read(slot, rows.try_emplace(id, kDim).first->second.data(), memory);
    }
    return rows;
  }

  std::vector<std::pair<Id, float>> search(const float* query, std::size_t k, std::size_t ef) {
    std::vector<float> prepared(query, query + kDim);
    if (GetParam().metric == Metric::kCosine) normalize(query, kDim, prepared.data());
    SearchOptions options;
    VisitedSet excluded;
    Gate gate(state_.ids, options, 0, excluded);
    WalkStats stats;
    search_graph(state_, prepared.data(), k, ef, nullptr, gate, Deadline(), memory_, stats);
    std::vector<std::pair<Id, float>> found;
    for (const Candidate c : memory_.found) found.emplace_back(state_.ids.id(vertex_of(c)), cost_of(c));
    return found;
  }

  HnswState state_;
  Vectors vectors_;
  HnswSearchMemory memory_;
};

TEST_P(LayOut, MovesRowsAndNothingElse) {
  SEGUE_ASSERT_OK(validate_state(state_, kNext));
  ASSERT_TRUE(wants_layout(state_));
  ASSERT_FALSE(state_.free_slots.empty());
  ASSERT_FALSE(state_.dead.empty());
  ASSERT_TRUE(state_.twins.any());
  const std::multiset<Link> linked = links();
  const auto rows = rows_by_id();
  std::vector<std::vector<std::pair<Id, float>>> answers;
  for (std::size_t i = 0; i < kItems; i += 100) answers.push_back(search(vectors_.data() + i * kDim, 10, kItems));

  lay_out_anew(state_, 2, {});

  SEGUE_ASSERT_OK(validate_state(state_, kNext));
  EXPECT_FALSE(wants_layout(state_));
  EXPECT_TRUE(state_.free_slots.empty());
  EXPECT_FALSE(state_.dead.empty());
  EXPECT_EQ(rows_by_id(), rows);
  // All on level 0; above, but for a few that a vertex lost with its level.
  const std::multiset<Link> now = links();
  std::vector<Link> lost, made;
  std::set_difference(linked.begin(), linked.end(), now.begin(), now.end(), std::back_inserter(lost));
  std::set_difference(now.begin(), now.end(), linked.begin(), linked.end(), std::back_inserter(made));
  EXPECT_TRUE(made.empty());
  EXPECT_TRUE(std::all_of(lost.begin(), lost.end(), [](const Link& link) { return std::get<0>(link) != 0; }));
  EXPECT_LE(lost.size(), linked.size() / 100);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(search(vectors_.data() + i * 100 * kDim, 10, kItems), answers[i]);
  }
  // And again, to the same bytes by any number of threads: nothing depends on where rows lay.
  HnswState other = state_;
  lay_out_anew(state_, 1, {});
  lay_out_anew(other, 2, {});
  SEGUE_ASSERT_OK(validate_state(state_, kNext));
  EXPECT_TRUE(std::ranges::equal(state_.ids.id_array(), other.ids.id_array()));
  EXPECT_TRUE(std::ranges::equal(state_.graph.links0(), other.graph.links0()));
  EXPECT_TRUE(std::ranges::equal(state_.graph.upper(), other.graph.upper()));
  EXPECT_EQ(rows_by_id(), rows);
}

TEST_P(LayOut, PutsTogetherWhatIsReadTogether) {
  const auto out_of_order = [&] {
    std::size_t steps = 0;
    std::vector<float> row(kDim);
    float before = std::numeric_limits<float>::max();
    HeadMemory memory;
    for (std::uint32_t slot = 0; slot < state_.ids.slots(); ++slot) {
      if (state_.metric != Metric::kInnerProduct) {
        steps += slot != 0 && state_.regions.of(slot) != state_.regions.of(slot - 1);
        continue;
      }
      state_.read(slot, row.data(), memory);
      const float length = norm(row.data(), kDim);
      steps += length > before;
      before = length;
    }
    return steps;
  };
  const std::size_t scattered = out_of_order();
  lay_out_anew(state_, 2, {});
  EXPECT_LT(out_of_order(), scattered / 3);
}

// Under the lock of readers, by the index itself; filters and exclusions see the new slots.
TEST_P(LayOut, ComesByItselfWhereHalfHasCome) {
  auto index = HnswIndex::create(kDim, GetParam().metric, {.storage = GetParam().storage}).value();
  SEGUE_ASSERT_OK(index->add(MatrixView(vectors_.data(), kItems, kDim)));
  const auto by_slot = [&] { return index->to_bytes().value().size(); };
  const std::size_t bytes = by_slot();
  std::vector<Id> filtered;
  for (Id id = 0; id < static_cast<Id>(kItems); id += 3) filtered.push_back(id);
  const IdSet filter = IdSet::from_ids(filtered).value();
  for (std::size_t first = 0; first < kItems; first += 800) {
    std::vector<Id> ids(800);
    std::iota(ids.begin(), ids.end(), static_cast<Id>(first));
    // The vectors of others, all but the twins'.
    const std::size_t from = (first + 2000) % (kItems - 800);
    SEGUE_ASSERT_OK(index->upsert(MatrixView(vectors_.data() + from * kDim, 800, kDim), ids));
    SEGUE_ASSERT_OK(index->validate());
    const MatrixView query(vectors_.data() + first * kDim, 1, kDim);
    const SearchResult found = index->search(query, 10, {.ef = kItems, .filter = &filter}).value();
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(found.ids[i] % 3, 0);
  }
  // No slots are left over from six times eight hundred that went.
  EXPECT_LE(by_slot(), bytes + bytes / 20);
}

INSTANTIATE_TEST_SUITE_P(All, LayOut,
                         testing::Values(Case{Metric::kL2, Storage::kF32}, Case{Metric::kCosine, Storage::kPca8},
                                         Case{Metric::kInnerProduct, Storage::kSq8}),
                         [](const auto& at) {
                           return std::string(to_string(at.param.metric)) + "_" + std::string(to_string(at.param.storage));
                         });

}  // namespace
}  // namespace segue::test
