// Filters of a planned graph from many threads, beside a writer: plans are made, kept, brought up to date and thrown away
// under the readers' hands. Under ThreadSanitizer this is the test of PlanCache.

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 18;
constexpr std::size_t kItems = 4400;  // enough for regions and, under l2, for codes
constexpr int kReaders = 3;

class FilterThreads : public testing::TestWithParam<Metric> {};

TEST_P(FilterThreads, BesideAWriter) {
  Random random(211);
  auto index = std::move(HnswIndex::create(kDim, GetParam(), {.m = 6, .ef_construction = 24})).value();
  const Vectors x = gaussian_vectors(random, kItems, kDim);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  const Vectors queries = gaussian_vectors(random, 16, kDim);

  // Ids below 1,000 stay; those from 1,000 to 1,299 come, go and move.
  std::vector<IdSet> filters;
  for (const Id width : {60, 800, 3000}) {
    std::vector<Id> ids(static_cast<std::size_t>(width));
    std::iota(ids.begin(), ids.end(), Id{960});
    filters.push_back(IdSet::from_ids(ids).value());
  }
  const Id always = 970;
  const std::vector<float> its = index->get({&always, 1}).value();

  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, wrong{0}, reads{0};
  std::thread writer([&] {
    Random own(212);
    std::vector<Id> ids(300);
    std::iota(ids.begin(), ids.end(), Id{1000});
    for (int round = 0; round < 9; ++round) {
      const std::size_t n = round % 2 == 0 ? 5 : ids.size();
      const std::span<const Id> some(ids.data(), n);
      const Vectors moved = gaussian_vectors(own, n, kDim);
      const MatrixView rows(moved, kDim);
      failed += round % 3 == 1 ? !index->remove(some).ok() : !index->upsert(rows, some, {.threads = 1}).ok();
    }
    stop = true;
  });
  std::vector<std::thread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      for (int round = 0; !stop || round < 6; ++round, ++reads) {
        const IdSet& filter = filters[static_cast<std::size_t>(round + reader) % filters.size()];
        const auto q = static_cast<std::size_t>(round) % 16;
        const Result<SearchResult> found = index->search(MatrixView(queries, kDim).slice(q, 1), 10, {.filter = &filter});
        const auto allowed = [&](Id id) { return filter.contains(id); };
        wrong += !found.ok() || !std::all_of(found->ids.begin(), found->ids.end(), allowed);
        // What is there all the time is found at once.
        const Result<SearchResult> self = index->search(MatrixView(its, kDim), 1, {.ef = 300, .filter = &filter});
        wrong += !self.ok() || (GetParam() != Metric::kInnerProduct && self->ids[0] != always);
        wrong += index->memory_usage() == 0;
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(reads, kReaders);
  SEGUE_ASSERT_OK(index->validate());
}

INSTANTIATE_TEST_SUITE_P(All, FilterThreads, testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine),
                         [](const auto& metric) { return std::string(to_string(metric.param)); });

}  // namespace
}  // namespace segue::test
