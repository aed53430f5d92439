// One generator asked from many threads: answers are those of one; and while its index and its catalog change.

#include <atomic>
#include <set>
#include <thread>

#include "candidates/world.hpp"
#include "segue/hnsw.hpp"

namespace segue::test {
namespace {

TEST(GenerateThreads, BesideChangesOfIndexAndCatalog) {
  constexpr std::size_t kDim = World::kDim;
  World world(31, 1500);
  auto graph = std::shared_ptr<Index>(HnswIndex::create(kDim).value());
  ASSERT_TRUE(graph->add(MatrixView(world.vectors, kDim)).ok());
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(graph)}, {"session", nearest_to_seeds(graph), 0.5f}, {"popular", ranked_list({1, 2, 3, 4, 5, 6, 7, 8}).value(), 0.2f}});
  options.caps = {{"artist", 2}, {"mood", 20}};
  options.minimums = {{field("minutes") < 30, 3}};
  options.mmr = Mmr{graph, 0.6f, 50};
  const auto generator = make_generator(std::move(options));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Random random(100 + t);
      for (int i = 0; i < 60; ++i) {
        const Vectors q = gaussian_vectors(random, 2, kDim);
        const std::vector<Id> seeds = {static_cast<Id>(random.below(1500)), static_cast<Id>(random.below(1500))};
        const Result<Candidates> found = generator->generate(
            Request{.k = 20, .vectors = MatrixView(q, kDim), .seeds = seeds, .filter = field("minutes") < 50});
        ASSERT_TRUE(found.ok()) << found.status().message();
        const std::set<Id> distinct(found->ids.begin(), found->ids.end());
        ASSERT_EQ(distinct.size(), found->ids.size());
        for (const SourceReport& report : found->reports) ASSERT_TRUE(report.status.ok()) << report.status.message();
      }
    });
  }
  std::thread writer([&] {
    Random random(7);
    while (!stop) {
      const Id id = static_cast<Id>(random.below(1500));
      const std::vector<Id> ids = {id};
      const Vectors x = gaussian_vectors(random, 1, kDim);
      EXPECT_TRUE(graph->upsert(MatrixView(x, kDim), ids).ok());
      const std::vector columns = {ColumnData::integers("minutes", {static_cast<std::int64_t>(random.below(60))})};
      EXPECT_TRUE(world.catalog->upsert(columns, {ids, {}}).ok());
      if (random.below(4) == 0) {
        EXPECT_TRUE(graph->remove(ids).ok());
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  writer.join();
}

// Whatever others do: scratch memory is handed from thread to thread.
TEST(GenerateThreads, AnswersAreThoseOfOneThread) {
  constexpr std::size_t kDim = World::kDim;
  World world(32, 800);
  GeneratorOptions options = world.options({{"taste", nearest_to_vectors(world.index)},
                                            {"session", nearest_to_seeds(world.index), 0.5f},
                                            {"popular", ranked_list({1, 2, 3, 4, 5, 6, 7, 8}).value(), 0.2f}});
  options.caps = {{"artist", 1}};
  options.minimums = {{field("minutes") == 3, 4}};
  options.mmr = Mmr{world.index, 0.6f, 60};
  const auto generator = make_generator(std::move(options));
  const Vectors vectors = gaussian_vectors(world.random, 40, kDim);
  std::vector<Request> requests;
  std::vector<Candidates> expected;
  for (std::size_t i = 0; i + 1 < 40; ++i) {
    requests.push_back({.k = 1 + i,
                        .vectors = MatrixView(vectors.data() + i * kDim, 2, kDim),
                        .combine = static_cast<Combine>(i % 5),
                        .filter = field("minutes") < static_cast<std::int64_t>(20 + i)});
    if (requests.back().k < 4) requests.back().k = 4;
    expected.push_back(generate(*generator, requests.back()));
  }
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 2 * requests.size(); ++i) {
        const std::size_t at = (i * (2 * t + 1)) % requests.size();
        const Candidates found = generate(*generator, requests[at]);
        EXPECT_EQ(found.ids, expected[at].ids);
        EXPECT_EQ(found.scores, expected[at].scores);
        EXPECT_EQ(found.ranks, expected[at].ranks);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace segue::test
