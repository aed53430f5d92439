// Searches beside an index that is laid out anew: each item is itself, before, after and between. For ThreadSanitizer.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include "index/index_cases.hpp"
#include "index/vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 4;
constexpr std::size_t kItems = 4200;   // fewer are never laid out anew
constexpr std::size_t kKept = 1000;    // ids 0 .. kKept - 1 stay as they are
constexpr std::size_t kAtOnce = 400;

class LayOutThreads : public testing::TestWithParam<Metric> {
 protected:
  void SetUp() override {
    Random random(517);
    old_ = gaussian_vectors(random, kItems, kDim);
    new_ = gaussian_vectors(random, kItems, kDim);
    index_ = HnswIndex::create(kDim, GetParam(), {.m = 4, .ef_construction = 16, .storage = Storage::kF32}).value();
    SEGUE_ASSERT_OK(index_->add(MatrixView(old_, kDim)));
  }

  bool is_score(const Vectors& x, Id id, const float* query, float score) const {
    const float* row = x.data() + static_cast<std::size_t>(id) * kDim;
    double wanted = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      const double a = static_cast<double>(row[j]), b = static_cast<double>(query[j]);
      wanted += GetParam() == Metric::kL2 ? (a - b) * (a - b) : a * b;
    }
    return std::abs(wanted - static_cast<double>(score)) <= 1e-3 * (1 + std::abs(wanted));
  }

  // How many answers were wrong.
  int search_until(const std::atomic<bool>& stop, std::size_t reader) const {
    int wrong = 0;
    for (std::size_t round = 0; !stop || round < 20; ++round) {
      const auto kept = static_cast<Id>((round * 7 + reader * 131) % kKept);
      const MatrixView query(old_.data() + static_cast<std::size_t>(kept) * kDim, 1, kDim);
      const SearchResult found = index_->search(query, 10, {.ef = 20}).value();
      for (std::size_t i = 0; i < 10; ++i) {
        const Id id = found.ids[i];
        wrong += id < 0 || std::count(found.ids.begin(), found.ids.end(), id) != 1;
        const bool as_it_was = is_score(old_, id, query.row(0), found.scores[i]);
        wrong += !as_it_was && (static_cast<std::size_t>(id) < kKept || !is_score(new_, id, query.row(0), found.scores[i]));
      }
      if (round % 8 != 0) continue;
      const IdSet only = IdSet::from_ids({&kept, 1}).value();
      const SearchResult alone = index_->search(query, 1, {.filter = &only}).value();
      wrong += alone.ids[0] != kept || !is_score(old_, kept, query.row(0), alone.scores[0]);
    }
    return wrong;
  }

  Vectors old_, new_;
  std::unique_ptr<HnswIndex> index_;
};

TEST_P(LayOutThreads, SeesEachItemAsItIs) {
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (std::size_t reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] { wrong += search_until(stop, reader); });
  }
  // More than half of all: one layout.
  for (std::size_t first = kKept; first < kItems; first += kAtOnce) {
    const std::size_t n = std::min(kAtOnce, kItems - first);
    std::vector<Id> ids(n);
    std::iota(ids.begin(), ids.end(), static_cast<Id>(first));
    EXPECT_TRUE(index_->upsert(MatrixView(new_.data() + first * kDim, n, kDim), ids, {.threads = 1, .progress = {}}).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  SEGUE_ASSERT_OK(index_->validate());
}

INSTANTIATE_TEST_SUITE_P(All, LayOutThreads, testing::Values(Metric::kL2, Metric::kInnerProduct),
                         [](const auto& at) { return std::string(to_string(at.param)); });

}  // namespace
}  // namespace segue::test
