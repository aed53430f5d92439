// Serving: what a swap changes, what a failed one leaves, and that old snapshots are really freed.

#include "segue/serving.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"
#include "segue/candidates/generator.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 8;

// Whether a file of that name is mapped into this process, also where it has been deleted since.
bool is_mapped(const std::string& name) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(name) != std::string::npos) return true;
  }
  return false;
}

// For what another thread does soon. The limit is only how long a failure takes.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 20000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class ServingTest : public testing::Test {
 protected:
  // An index whose ids begin at `first`, saved.
  std::string save(const std::string& name, Id first, std::size_t dim = kDim, Metric metric = Metric::kL2,
                   const std::string& kind = "flat") {
    const std::unique_ptr<Index> index = make(first, dim, metric, kind);
    const std::string path = folder_.file(name);
    const Status saved = index->save(path);
    EXPECT_TRUE(saved.ok()) << saved.message();
    return path;
  }
  static std::unique_ptr<Index> make(Id first, std::size_t dim = kDim, Metric metric = Metric::kL2,
                                     const std::string& kind = "flat") {
    std::unique_ptr<Index> index = make_index({kind, metric, Storage::kF32}, dim);
    Random random(static_cast<std::uint32_t>(first) + 1);
    const Vectors x = gaussian_vectors(random, 100, dim);
    std::vector<Id> ids(100);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = first + static_cast<Id>(i);
    const Status added = index->add(MatrixView(x, dim), ids);
    EXPECT_TRUE(added.ok()) << added.message();
    return index;
  }
  static Id nearest(const Serving& serving, std::size_t dim = kDim) {
    const Vectors query(dim, 0.1f);
    const Result<SearchResult> found = serving.search(MatrixView(query, dim), 1);
    EXPECT_TRUE(found.ok()) << found.status().message();
    return found.ok() ? found->ids[0] : kMissingId;
  }

  TemporaryFolder folder_;
};

TEST_F(ServingTest, SwapsToWhatAnotherFileHolds) {
  const auto before = std::chrono::system_clock::now();
  const auto serving = Serving::open(save("a", 0)).value();
  EXPECT_EQ(serving->generation(), 1u);
  EXPECT_EQ(serving->path(), folder_.file("a"));
  EXPECT_GE(serving->loaded_at(), before);
  EXPECT_EQ(serving->metric(), Metric::kL2);
  EXPECT_LT(nearest(*serving), 100);
  for (const std::string kind : {"hnsw", "ivf"}) {
    const Result<std::uint64_t> generation = serving->swap(save(kind, 1000, kDim, Metric::kL2, kind));
    ASSERT_TRUE(generation.ok()) << generation.status().message();
    EXPECT_EQ(*generation, serving->generation());
    EXPECT_EQ(serving->path(), folder_.file(kind));
    EXPECT_GE(nearest(*serving), 1000);
  }
  EXPECT_EQ(serving->generation(), 3u);
  EXPECT_EQ(serving->held(), 1u);
}

TEST_F(ServingTest, AnswersAsTheIndexDoesWithAllOptions) {
  const std::unique_ptr<Index> index = make(0, kDim, Metric::kCosine, "hnsw");
  const std::string path = folder_.file("a");
  SEGUE_ASSERT_OK(index->save(path));
  const auto serving = Serving::open(path).value();
  Random random(7);
  const Vectors x = gaussian_vectors(random, 5, kDim);
  const MatrixView queries(x, kDim);
  const IdSet odd = IdSet::from_ids(std::vector<Id>{1, 3, 5, 7, 9, 11, 13}).value();
  const std::vector<Id> out{3, 5};
  std::vector<QueryStats> stats(5), wanted_stats(5);
  SearchOptions options{.ef = 50, .filter = &odd, .exclude = {out, {}}, .deadline_us = 1'000'000, .threads = 2};
  options.stats = wanted_stats;
  const SearchResult wanted = index->search(queries, 4, options).value();
  options.stats = stats;
  const SearchResult found = serving->search(queries, 4, options).value();
  EXPECT_EQ(found.ids, wanted.ids);
  EXPECT_EQ(found.scores, wanted.scores);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(stats[i].distances, wanted_stats[i].distances);
  std::vector<Id> ids(20);
  std::vector<float> scores(20);
  SEGUE_ASSERT_OK(serving->search_into(queries, 4, options, ids.data(), scores.data()));
  EXPECT_EQ(ids, wanted.ids);
  EXPECT_EQ(serving->range_search(queries, 0.5f)->ids, index->range_search(queries, 0.5f)->ids);
}

TEST_F(ServingTest, AFailedSwapLeavesTheOld) {
  const auto serving = Serving::open(save("a", 0)).value();
  std::vector<unsigned char> bytes = read_bytes(save("b", 1000));
  bytes[bytes.size() / 2] ^= 1;
  write_all_bytes(folder_.file("damaged"), bytes);
  bytes.resize(100);
  write_all_bytes(folder_.file("cut"), bytes);
  const struct {
    std::string path;
    StatusCode code;
  } refused[] = {{folder_.file("missing"), StatusCode::kNotFound},
                 {folder_.file("damaged"), StatusCode::kCorruptFile},
                 {folder_.file("cut"), StatusCode::kCorruptFile},
                 {folder_.path(), StatusCode::kIoError},
                 {save("ip", 1000, kDim, Metric::kInnerProduct), StatusCode::kInvalidArgument}};
  for (const auto& [path, code] : refused) {
    const Result<std::uint64_t> generation = serving->swap(path);
    ASSERT_FALSE(generation.ok()) << path;
    EXPECT_EQ(generation.status().code(), code) << generation.status().message();
    EXPECT_NE(generation.status().message().find("generation 1 ('" + folder_.file("a") + "') goes on serving"),
              std::string::npos)
        << generation.status().message();
  }
  EXPECT_EQ(serving->swap(std::shared_ptr<const Index>()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(serving->generation(), 1u);
  EXPECT_EQ(serving->held(), 1u);
  EXPECT_LT(nearest(*serving), 100);
  EXPECT_FALSE(is_mapped(folder_.file("damaged")));
  EXPECT_EQ(serving->swap(folder_.file("b")).value(), 2u);
}

TEST_F(ServingTest, OpenFailsAsLoadDoes) {
  const Result<std::unique_ptr<Serving>> missing = Serving::open(folder_.file("missing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(missing.status().message().find("goes on"), std::string::npos);
  EXPECT_EQ(Serving::open(save("a", 0), {.niceness = 21}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Serving::create(nullptr).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ServingTest, TheOldOneIsGoneWhenSwapReturns) {
  for (const bool warm_up : {true, false}) {
    const auto serving = Serving::open(save("a", 0), {.verify = warm_up, .warm_up = warm_up}).value();
    EXPECT_TRUE(is_mapped(folder_.file("a")));
    const std::weak_ptr<const ServingSnapshot> old = serving->current();
    ASSERT_TRUE(serving->swap(save("b", 1000)).ok());
    EXPECT_TRUE(old.expired());
    EXPECT_FALSE(is_mapped(folder_.file("a")));
    EXPECT_TRUE(is_mapped(folder_.file("b")));
  }
  EXPECT_FALSE(is_mapped(folder_.file("b")));
}

TEST_F(ServingTest, ASnapshotIsPinnedUntilItsLastHolderLetsGo) {
  const auto serving = Serving::open(save("a", 0)).value();
  std::shared_ptr<const ServingSnapshot> held = serving->current();
  std::shared_ptr<const Index> index = share_index(held);
  ASSERT_TRUE(serving->swap(save("b", 1000)).ok());
  ASSERT_TRUE(serving->swap(save("c", 2000)).ok());
  EXPECT_EQ(serving->held(), 2u);
  EXPECT_EQ(held->generation(), 1u);
  held.reset();
  EXPECT_TRUE(is_mapped(folder_.file("a")));
  const Vectors query(kDim, 0.1f);
  const SearchResult found = index->search(MatrixView(query, kDim), 3).value();
  EXPECT_LT(found.ids[2], 100);
  EXPECT_TRUE(index->get(found.ids).ok());
  index.reset();
  EXPECT_TRUE(comes_true([&] { return serving->held() == 1; }));
  EXPECT_FALSE(is_mapped(folder_.file("a")));
  // Again, as the thread that freed it has ended.
  held = serving->current();
  ASSERT_TRUE(serving->swap(folder_.file("b")).ok());
  held.reset();
  EXPECT_TRUE(comes_true([&] { return serving->held() == 1; }));
}

TEST_F(ServingTest, ASnapshotOutlivesItsServing) {
  auto serving = Serving::open(save("a", 0)).value();
  std::shared_ptr<const ServingSnapshot> held = serving->current();
  serving.reset();
  EXPECT_EQ(held->index().size(), 100u);
  held.reset();
  EXPECT_FALSE(is_mapped(folder_.file("a")));
}

TEST_F(ServingTest, AnotherDimensionIsServedAndTheOldOnesQueriesAreToldSo) {
  const auto serving = Serving::open(save("a", 0)).value();
  const auto held = serving->current();
  ASSERT_TRUE(serving->swap(save("wider", 1000, 2 * kDim)).ok());
  EXPECT_GE(nearest(*serving, 2 * kDim), 1000);
  const Vectors query(kDim, 0.1f);
  const Status status = serving->search(MatrixView(query, kDim), 1).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("dimension 8"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("generation 2"), std::string::npos) << status.message();
  EXPECT_TRUE(held->index().search(MatrixView(query, kDim), 1).ok());
}

TEST_F(ServingTest, AGivenIndexServes) {
  const auto serving = Serving::create(make(0)).value();
  EXPECT_EQ(serving->path(), "");
  const std::shared_ptr<const Index> next = make(1000);
  EXPECT_EQ(serving->swap(next).value(), 2u);
  EXPECT_GE(nearest(*serving), 1000);
  EXPECT_EQ(serving->swap(make(5000, kDim, Metric::kCosine)).status().code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(serving->swap(save("a", 0)).ok());
  EXPECT_EQ(next.use_count(), 1);
}

TEST_F(ServingTest, PrepareMakesAGeneratorOfEachSnapshot) {
  using Generator = std::shared_ptr<const CandidateGenerator>;
  ServingOptions options;
  options.prepare = [](const std::shared_ptr<const Index>& index, std::any& prepared) -> Status {
    GeneratorOptions of_this;
    of_this.sources = {{"taste", nearest_to_vectors(index)}, {"session", nearest_to_seeds(index)}};
    of_this.catalog = index->catalog();
    of_this.mmr = Mmr{index};
    Result<std::unique_ptr<const CandidateGenerator>> made = CandidateGenerator::create(std::move(of_this));
    if (!made.ok()) return made.status();
    prepared = Generator(std::move(*made));
    return {};
  };
  const auto serving = Serving::open(save("a", 0), options).value();
  EXPECT_EQ(serving->current()->prepared<int>(), nullptr);
  ASSERT_TRUE(serving->swap(save("wider", 1000, 2 * kDim)).ok());
  const auto now = serving->current();
  const Vectors taste(2 * kDim, 0.1f);
  const std::vector<Id> seeds{1003};
  const Candidates found =
      (*now->prepared<Generator>())->generate({.k = 20, .vectors = MatrixView(taste, 2 * kDim), .seeds = seeds}).value();
  ASSERT_EQ(found.ids.size(), 20u);
  for (const Id id : found.ids) EXPECT_GE(id, 1000);
  EXPECT_FALSE(is_mapped(folder_.file("a")));
}

TEST_F(ServingTest, PrepareRefuses) {
  Serving* self = nullptr;
  Status inner;
  ServingOptions options;
  options.prepare = [&](const std::shared_ptr<const Index>& index, std::any&) -> Status {
    if (self != nullptr && index->contains(1000)) inner = self->swap(std::shared_ptr<const Index>(index)).status();
    if (index->contains(2000)) return unsupported("recall fell to 0.3");
    if (index->contains(3000)) throw std::runtime_error("no luck");
    return {};
  };
  const auto serving = Serving::open(save("a", 0), options).value();
  self = serving.get();
  EXPECT_EQ(serving->swap(save("b", 1000)).value(), 2u);
  EXPECT_EQ(inner.code(), StatusCode::kInvalidArgument) << inner.message();
  const Status refused = serving->swap(save("c", 2000)).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnsupported);
  EXPECT_NE(refused.message().find("recall fell to 0.3"), std::string::npos);
  EXPECT_NE(serving->swap(save("d", 3000)).status().message().find("no luck"), std::string::npos);
  EXPECT_EQ(serving->generation(), 2u);
  EXPECT_FALSE(is_mapped(folder_.file("c")));
}

TEST_F(ServingTest, WarmUpKeepsItsRate) {
  // A file of some megabytes at 20 MB/s: what it may not be is quicker.
  const std::unique_ptr<Index> index = make_index({"flat", Metric::kL2, Storage::kF32}, 256);
  Random random(3);
  const Vectors x = gaussian_vectors(random, 4000, 256);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, 256)));
  const std::string path = folder_.file("large");
  SEGUE_ASSERT_OK(index->save(path));
  const double seconds = (static_cast<double>(read_bytes(path).size()) - (256 << 10)) / 20e6;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Serving::open(path, {.warm_up_bytes_per_s = 20'000'000}).ok());
  EXPECT_GE(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), seconds);
}

}  // namespace
}  // namespace segue::test
