// Lists are ranked by the directions that codes keep where centres differ in those, and by all coordinates where they do not.

#include <gtest/gtest.h>

#include "index/answers.hpp"
#include "index/vectors.hpp"
#include "segue/ivf.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 256;
constexpr std::size_t kRows = 4000;
constexpr std::size_t kClusters = 50;
constexpr std::size_t kK = 10;

class HeadRanking : public testing::TestWithParam<Metric> {
 protected:
  // Clusters whose centres differ in coordinates [begin, end), while their items lie around them in the first sixteen.
  void make(std::size_t begin, std::size_t end) {
    index_ = IvfIndex::create(kDim, GetParam(), {.nlist = kClusters}).value();
    Vectors centres(kClusters * kDim);
    for (std::size_t c = 0; c < kClusters; ++c) {
      for (std::size_t j = begin; j < end; ++j) centres[c * kDim + j] = gaussian(random_);
    }
    const auto draw = [&](std::size_t n) {
      Vectors x(n * kDim);
      for (std::size_t i = 0; i < n; ++i) {
        const float* const c = centres.data() + random_.below(kClusters) * kDim;
        for (std::size_t j = 0; j < kDim; ++j) x[i * kDim + j] = c[j] + (j < 16 ? 1.0F : 0.01F) * gaussian(random_);
      }
      return x;
    };
    const Vectors x = draw(kRows);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim)));
    queries_ = draw(40);
    const IndexStats stats = index_->stats();
    const auto coded = std::find_if(stats.begin(), stats.end(), [](const auto& s) { return s.first == "coded directions"; });
    ASSERT_NE(coded, stats.end());
    ASSERT_LT(coded->second, kDim * 3 / 4) << "some directions are left out";
  }
  double recall(std::size_t nprobe) const {
    const Reference reference = Reference::of(*index_);
    Tally tally;
    check_search(*index_, reference, MatrixView(queries_, kDim), kK, {.nprobe = nprobe}, nprobe == kClusters, tally);
    return tally.recall();
  }

  static constexpr std::uint64_t kSeed = 8;
  Random random_{kSeed};
  std::unique_ptr<IvfIndex> index_;
  Vectors queries_;
};

TEST_P(HeadRanking, WhereCentresDifferInTheSameDirections) {
  ASSERT_NO_FATAL_FAILURE(make(0, 16));
  EXPECT_GE(recall(8), 0.9);
  EXPECT_EQ(recall(kClusters), 1.0);
}

// By what codes keep all lists are alike.
TEST_P(HeadRanking, WhereCentresDifferInOthers) {
  ASSERT_NO_FATAL_FAILURE(make(100, 200));
  EXPECT_GE(recall(2), 0.98);
  EXPECT_EQ(recall(kClusters), 1.0);
}

INSTANTIATE_TEST_SUITE_P(All, HeadRanking, testing::Values(Metric::kL2, Metric::kCosine, Metric::kInnerProduct),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace segue::test
