// build() and plan_build(): what "auto" makes, what it says of memory, and what it refuses.

#include <gtest/gtest.h>

#include <cmath>

#include "index/vectors.hpp"
#include "segue/build.hpp"
#include "support/sanitized.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 32;

Vectors rows(std::size_t n, double decades = 0) {
  Random random(21);
  return decades > 0 ? wide_norm_vectors(random, n, kDim, decades) : gaussian_vectors(random, n, kDim);
}

std::string kind_for(std::size_t n, Metric metric, double decades = 0) {
  const Vectors x = rows(n, decades);
  const BuildPlan plan = plan_build(MatrixView(x, kDim), {.metric = metric}).value();
  EXPECT_EQ(plan.reasons.size(), 1u);
  EXPECT_NE(plan.reasons[0].find("items"), std::string::npos) << plan.reasons[0];
  return plan.kind;
}

TEST(BuildPlan, LooksAtSizeAndNorms) {
  EXPECT_EQ(kind_for(10000, Metric::kL2), "flat");
  EXPECT_EQ(kind_for(10001, Metric::kL2), "hnsw");
  EXPECT_EQ(kind_for(10001, Metric::kInnerProduct), "hnsw");
  EXPECT_EQ(kind_for(30000, Metric::kInnerProduct, 2), "flat");
  EXPECT_EQ(kind_for(30000, Metric::kCosine, 2), "hnsw");
  EXPECT_EQ(kind_for(30001, Metric::kInnerProduct, 2), "hnsw");
  EXPECT_EQ(kind_for(1, Metric::kInnerProduct), "flat");
}

TEST(BuildPlan, AllIsFlat) {
  const Vectors x = rows(40000);
  EXPECT_EQ(plan_build(MatrixView(x, kDim), {.recall = 1}).value().kind, "flat");
}

TEST(BuildPlan, FitsTheMemory) {
  const Vectors x = rows(kSanitized ? 11000 : 20000);
  const MatrixView view(x, kDim);
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    SCOPED_TRACE(std::string(to_string(metric)));
    std::size_t limit = 0;
    std::vector<std::string> kinds;
    for (int step = 0; step < 4; ++step) {
      const Result<BuildPlan> plan = plan_build(view, {.metric = metric, .max_memory = limit});
      if (!plan.ok()) break;
      const auto index = build(view, {}, {.metric = metric, .max_memory = limit}).value();
      EXPECT_EQ(index->kind(), plan->kind);
      EXPECT_LE(index->memory_usage(), plan->memory + plan->memory / 20) << plan->kind;
      EXPECT_GE(index->memory_usage(), plan->memory / 2) << plan->kind;
      kinds.push_back(plan->kind + std::string(to_string(index->storage())));
      limit = plan->memory - 1;
    }
    ASSERT_EQ(kinds.size(), 3u) << "graph, lists, codes alone";
    EXPECT_EQ(kinds[0].substr(0, 4), "hnsw");
    EXPECT_EQ(kinds[1], "ivfpca8");
    EXPECT_EQ(kinds[2], "ivfpca8");
    const Status refused = plan_build(view, {.metric = metric, .max_memory = limit}).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("the least of all kinds"), std::string::npos) << refused.message();
  }
}

TEST(BuildPlan, AKindThatWasNamedHasToFit) {
  const Vectors x = rows(2000);
  const MatrixView view(x, kDim);
  for (const std::string kind : {"flat", "hnsw", "ivf"}) {
    const BuildPlan plan = plan_build(view, {.kind = kind}).value();
    EXPECT_EQ(plan.kind, kind);
    const auto index = build(view, {}, {.kind = kind, .max_memory = plan.memory}).value();
    EXPECT_EQ(index->kind(), kind);
    EXPECT_LE(index->memory_usage(), plan.memory + plan.memory / 10) << kind;
    const Status refused = build(view, {}, {.kind = kind, .max_memory = plan.memory - 1}).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("max_memory"), std::string::npos) << refused.message();
  }
}

TEST(BuildPlan, RefusesWhatIsWrong) {
  const Vectors x = rows(10);
  EXPECT_EQ(plan_build(MatrixView(x, kDim), {.kind = "tree"}).status().code(), StatusCode::kInvalidArgument);
  for (const double recall : {0.0, -1.0, 1.5, std::nan("")}) {
    EXPECT_EQ(plan_build(MatrixView(x, kDim), {.recall = recall}).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(plan_build(MatrixView(nullptr, 0, 0), {}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace segue::test
