// Thousands of equal vectors: they neither break a graph nor hide other items.

#include <gtest/gtest.h>

#include <numeric>

#include "answers.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kEqual = 5000;
constexpr std::size_t kOthers = 5000;

class IndexDuplicates : public testing::TestWithParam<IndexCase> {
 protected:
  // Equal ones and others in random order; id = place.
  void fill(const Vectors& equal) {
    index_ = make_index(GetParam(), kDim);
    others_ = gaussian_vectors(random_, kOthers, kDim);
    std::vector<std::size_t> order(kEqual + kOthers);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
    Vectors x(order.size() * kDim);
    other_ids_.resize(kOthers);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool is_equal = order[i] < kEqual;
      const float* from = is_equal ? equal.data() : others_.data() + (order[i] - kEqual) * kDim;
      std::copy_n(from, kDim, x.data() + i * kDim);
      if (is_equal) {
        equal_ids_.push_back(static_cast<Id>(i));
      } else {
        other_ids_[order[i] - kEqual] = static_cast<Id>(i);
      }
    }
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim)));
    SEGUE_ASSERT_OK(index_->validate());
  }

  // Each of the others is the answer to itself. Under inner product a longer one may beat it, so the reference says
  // what the best is.
  void expect_others_found(double floor) {
    const MatrixView queries(others_, kDim);
    const SearchResult found = index_->search(queries, 1, {.ef = 100}).value();
    const Reference reference = Reference::of(*index_);
    const std::size_t step = GetParam().metric == Metric::kInnerProduct ? 25 : 1;
    std::size_t right = 0, asked = 0;
    for (std::size_t i = 0; i < kOthers; i += step, ++asked) {
      if (step == 1) {
        right += found.ids[i] == other_ids_[i];
      } else {
        const Scored best = reference.ranked(queries.row(i), nullptr, {}).front();
        right += found.scores[i] >= best.score - best.tolerance;
      }
    }
    EXPECT_GE(static_cast<double>(right), floor * static_cast<double>(asked)) << right << " of " << asked;
  }

  void expect_equal_found(const Vectors& query, std::size_t k) {
    const SearchResult found = index_->search(MatrixView(query, kDim), k, {.ef = 200}).value();
    const std::set<Id> equal(equal_ids_.begin(), equal_ids_.end());
    for (std::size_t i = 0; i < k; ++i) {
      ASSERT_TRUE(equal.count(found.ids[i]) != 0) << "id " << found.ids[i] << " at " << i << " of " << k;
      if (i == 0) continue;
      ASSERT_EQ(found.scores[i], found.scores[0]);
      ASSERT_LT(found.ids[i - 1], found.ids[i]);
    }
    if (GetParam().exact()) {
      for (std::size_t i = 0; i < k; ++i) ASSERT_EQ(found.ids[i], equal_ids_[i]);
    }
  }

  Random random_{23};
  std::unique_ptr<Index> index_;
  Vectors others_;
  std::vector<Id> equal_ids_;  // ascending
  std::vector<Id> other_ids_;  // by place in others_
};

// Longer than all others, so that it is its own best answer under inner product as well.
Vectors long_vector() { return Vectors(kDim, 2.5F); }

TEST_P(IndexDuplicates, NeitherHideNorAreHidden) {
  ASSERT_NO_FATAL_FAILURE(fill(long_vector()));
  expect_others_found(0.999);
  for (const std::size_t k : {1u, 10u, 100u, 1000u, 5000u}) ASSERT_NO_FATAL_FAILURE(expect_equal_found(long_vector(), k));
}

TEST_P(IndexDuplicates, BeyondThemTheOthersFollow) {
  ASSERT_NO_FATAL_FAILURE(fill(long_vector()));
  const std::size_t k = kEqual + 10;
  const SearchResult found = index_->search(MatrixView(long_vector().data(), 1, kDim), k).value();
  const auto ranked = Reference::of(*index_).ranked(long_vector().data(), nullptr, {});
  std::size_t right = 0;
  for (std::size_t i = kEqual; i < k; ++i) {
    ASSERT_NE(found.ids[i], kMissingId) << i;
    for (std::size_t j = kEqual; j < k; ++j) right += found.ids[i] == ranked[j].id;
  }
  EXPECT_GE(right, 9U);
}

TEST_P(IndexDuplicates, RemovingThem) {
  ASSERT_NO_FATAL_FAILURE(fill(long_vector()));
  // The first one, which may stand for all, then every other, then all but one, then the last.
  std::vector<Id> gone = {equal_ids_[0]};
  const auto remove = [&] {
    ASSERT_EQ(index_->remove(gone).value(), gone.size());
    std::vector<Id> left;
    std::sort(gone.begin(), gone.end());
    std::set_difference(equal_ids_.begin(), equal_ids_.end(), gone.begin(), gone.end(), std::back_inserter(left));
    equal_ids_ = left;
    SEGUE_ASSERT_OK(index_->validate());
  };
  ASSERT_NO_FATAL_FAILURE(remove());
  ASSERT_NO_FATAL_FAILURE(expect_equal_found(long_vector(), 100));

  gone.clear();
  for (std::size_t i = 0; i < equal_ids_.size(); i += 2) gone.push_back(equal_ids_[i]);
  ASSERT_NO_FATAL_FAILURE(remove());
  ASSERT_NO_FATAL_FAILURE(expect_equal_found(long_vector(), 1000));
  expect_others_found(0.999);

  gone.assign(equal_ids_.begin(), equal_ids_.end() - 1);
  ASSERT_NO_FATAL_FAILURE(remove());
  ASSERT_NO_FATAL_FAILURE(expect_equal_found(long_vector(), 1));
  gone = equal_ids_;
  ASSERT_NO_FATAL_FAILURE(remove());
  EXPECT_EQ(index_->size(), kOthers);
  expect_others_found(0.999);
}

TEST_P(IndexDuplicates, FiltersReachAnyOfThem) {
  ASSERT_NO_FATAL_FAILURE(fill(long_vector()));
  const std::vector<Id> few = {equal_ids_[17], equal_ids_[2400], equal_ids_[4999]};
  const IdSet filter = IdSet::from_ids(few).value();
  const Vectors query = long_vector();
  EXPECT_EQ(index_->search(MatrixView(query, kDim), 4, {.filter = &filter}).value().ids,
            (std::vector<Id>{few[0], few[1], few[2], kMissingId}));
  std::vector<Id> most(equal_ids_.begin(), equal_ids_.end() - 5);
  const SearchResult rest = index_->search(MatrixView(query, kDim), 5, {.exclude = {most, {}}}).value();
  EXPECT_EQ(rest.ids, std::vector<Id>(equal_ids_.end() - 5, equal_ids_.end()));
}

TEST_P(IndexDuplicates, AnItemLeavesTheGroupByUpsert) {
  ASSERT_NO_FATAL_FAILURE(fill(long_vector()));
  const Vectors elsewhere(kDim, -9);
  for (const std::size_t which : {0u, 1u, 4000u}) {
    const Id id = equal_ids_[which];
    SEGUE_ASSERT_OK(index_->upsert(MatrixView(elsewhere, kDim), std::span(&id, 1)));
  }
  SEGUE_ASSERT_OK(index_->validate());
  const std::vector<Id> moved = {equal_ids_[0], equal_ids_[1], equal_ids_[4000]};
  for (const Id id : moved) equal_ids_.erase(std::find(equal_ids_.begin(), equal_ids_.end(), id));
  ASSERT_NO_FATAL_FAILURE(expect_equal_found(long_vector(), 100));
  const SearchResult found = index_->search(MatrixView(elsewhere, kDim), 3).value();
  EXPECT_EQ(found.ids, moved);
}

// Zero vectors score 0 with everything under inner product, and lie in the middle of everything under l2.
TEST_P(IndexDuplicates, ZeroVectors) {
  if (GetParam().metric == Metric::kCosine) GTEST_SKIP() << "cosine refuses them";
  ASSERT_NO_FATAL_FAILURE(fill(Vectors(kDim, 0.0F)));
  expect_others_found(0.999);
  if (GetParam().metric == Metric::kL2) {
    ASSERT_NO_FATAL_FAILURE(expect_equal_found(Vectors(kDim, 0.0F), 500));
  }
  // Under inner product a zero query ties everything: any k distinct ids, ascending.
  const Vectors zero(kDim, 0.0F);
  const SearchResult found = index_->search(MatrixView(zero, kDim), 100).value();
  for (std::size_t i = 1; i < 100; ++i) ASSERT_LT(found.ids[i - 1], found.ids[i]);
  ASSERT_GE(found.ids[0], 0);
}

TEST_P(IndexDuplicates, NothingButEqualVectors) {
  const auto index = make_index(GetParam(), kDim);
  Vectors x;
  for (std::size_t i = 0; i < 2000; ++i) x.insert(x.end(), kDim, 1.0F);
  SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
  SEGUE_ASSERT_OK(index->validate());
  const SearchResult found = index->search(MatrixView(x, kDim).slice(0, 3), 2000).value();
  std::vector<Id> all(2000);
  std::iota(all.begin(), all.end(), Id{0});
  for (std::size_t q = 0; q < 3; ++q) {
    ASSERT_TRUE(std::equal(all.begin(), all.end(), found.ids.begin() + static_cast<std::ptrdiff_t>(2000 * q)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, IndexDuplicates,
                         testing::ValuesIn(cases({"flat", "hnsw"}, kAllMetrics, {Storage::kF32, Storage::kSq8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
