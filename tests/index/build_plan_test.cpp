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
    for (int step = 0; step < 12; ++step) {
      const Result<BuildPlan> plan = plan_build(view, {.metric = metric, .max_memory = limit});
      if (!plan.ok()) break;
      limit = plan->memory - 1;
      const unsigned bits = rabitq_bits(plan->ivf.storage);
      if (plan->kind == "ivf") kinds.push_back("ivf " + std::string(to_string(plan->ivf.storage)));
      if (plan->kind != "ivf") kinds.push_back(plan->kind);
      if (bits != 0 && bits != 1 && (kSanitized || bits != 4)) continue;
      const auto index = build(view, {}, {.metric = metric, .max_memory = plan->memory}).value();
      EXPECT_EQ(index->kind(), plan->kind);
      EXPECT_TRUE(bits == 0 || index->storage() == plan->ivf.storage) << to_string(index->storage());
      EXPECT_LE(index->memory_usage(), plan->memory + plan->memory / 20) << kinds.back();
      EXPECT_GE(index->memory_usage(), plan->memory / 2) << kinds.back();
    }
    const std::vector<std::string> wanted = {"hnsw",        "ivf auto",    "ivf rabitq8", "ivf rabitq7", "ivf rabitq6",
                                             "ivf rabitq5", "ivf rabitq4", "ivf rabitq3", "ivf rabitq2", "ivf rabitq1"};
    EXPECT_EQ(kinds, wanted);
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
