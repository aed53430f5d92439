// search(recall): what it says where it cannot be done, and what becomes of the curves that an index keeps.

#include <gtest/gtest.h>

#include <limits>

#include "index_cases.hpp"
#include "segue/file.hpp"
#include "segue/tune.hpp"
#include "support/temporary_folder.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 8;

void expect_says(const Status& status, StatusCode code, const std::vector<std::string>& words) {
  EXPECT_EQ(status.code(), code) << status.message();
  for (const std::string& word : words) {
    EXPECT_NE(status.message().find(word), std::string::npos) << "'" << word << "' is missing in: " << status.message();
  }
}

class RecallOption : public testing::Test {
 protected:
  void SetUp() override {
    Random random(9);
    x_ = gaussian_vectors(random, 1500, kDim);
    queries_ = gaussian_vectors(random, 200, kDim);
    graph_ = HnswIndex::create(kDim, Metric::kL2, {.m = 4, .ef_construction = 20}).value();
    flat_ = FlatIndex::create(kDim, Metric::kL2).value();
    SEGUE_ASSERT_OK(graph_->add(MatrixView(x_, kDim)));
    SEGUE_ASSERT_OK(flat_->add(MatrixView(x_, kDim)));
  }
  MatrixView queries() const { return MatrixView(queries_, kDim); }
  Status search(std::size_t k, const SearchOptions& options) const {
    return graph_->search(queries(), k, options).status();
  }

  Vectors x_, queries_;
  std::unique_ptr<Index> graph_, flat_;
};

TEST_F(RecallOption, NeedsACurve) {
  expect_says(search(10, {.recall = 0.95}), StatusCode::kInvalidArgument, {"recall 0.95", "tune", "ef"});
}

TEST_F(RecallOption, IsRefusedWhereItIsNoRecallOrEfCameToo) {
  for (const double recall : {-0.1, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    expect_says(search(10, {.recall = recall}), StatusCode::kInvalidArgument, {"recall", "at most 1"});
    EXPECT_FALSE(flat_->search(queries(), 10, {.recall = recall}).ok());
  }
  SEGUE_ASSERT_OK(tune(*graph_, queries()).status());
  expect_says(search(10, {.ef = 100, .recall = 0.9}), StatusCode::kInvalidArgument, {"recall", "ef", "one"});
  expect_says(search(10, {.nprobe = 3, .recall = 0.9}), StatusCode::kInvalidArgument, {"recall", "nprobe", "one"});
}

TEST_F(RecallOption, ServesNoLargerKAndNoHigherRecallThanMeasured) {
  const Tuning tuning = tune(*graph_, queries(), {.k = 5, .recall = 0.9}).value();
  SEGUE_ASSERT_OK(search(5, {.recall = 0.9}));
  SEGUE_ASSERT_OK(search(1, {.recall = 0.9}));
  SEGUE_ASSERT_OK(search(5, {.recall = tuning.curve.reachable()}));
  expect_says(search(6, {.recall = 0.9}), StatusCode::kInvalidArgument, {"k = 6", "up to 5", "tune"});
  expect_says(search(5, {.recall = 1}), StatusCode::kInvalidArgument,
              {"recall 1 ", "k = 5", "at least 0.9", "FlatIndex"});
}

TEST_F(RecallOption, KeepsTheCurvesOfSeveralK) {
  const std::size_t ef_of_20 = tune(*graph_, queries(), {.k = 20, .recall = 0.9})->effort;
  const std::size_t ef_of_5 = tune(*graph_, queries(), {.k = 5, .recall = 0.9})->effort;
  ASSERT_EQ(graph_->recall_curves().size(), 2u);
  EXPECT_EQ(graph_->recall_curves()[0].k, 5u);
  EXPECT_EQ(graph_->search(queries(), 5, {.recall = 0.9})->ids, graph_->search(queries(), 5, {.ef = ef_of_5})->ids);
  EXPECT_EQ(graph_->search(queries(), 10, {.recall = 0.9})->ids, graph_->search(queries(), 10, {.ef = ef_of_20})->ids);
  ASSERT_TRUE(tune(*graph_, queries(), {.k = 5, .recall = 0.8}).ok());
  EXPECT_EQ(graph_->recall_curves().size(), 2u);
}

TEST_F(RecallOption, IsAcceptedByAnExactIndex) {
  const SearchResult found = flat_->search(queries(), 10, {.recall = 0.5}).value();
  EXPECT_EQ(found.ids, flat_->search(queries(), 10)->ids);
  EXPECT_TRUE(flat_->range_search(queries(), 1.0f, {.recall = 0.5}).ok());
  const Tuning tuning = tune(*flat_, queries(), {.recall = 0.5}).value();
  EXPECT_TRUE(tuning.reached);
  EXPECT_EQ(tuning.effort, 0u);
  EXPECT_EQ(tuning.expected_recall, 1);
  EXPECT_TRUE(flat_->recall_curves().empty());
  EXPECT_EQ(flat_->set_recall_curve({.k = 1, .points = {{1, 1, 1, 1}}}).code(), StatusCode::kUnsupported);
}

TEST_F(RecallOption, IsNoOptionOfARangeSearchOnAGraph) {
  ASSERT_TRUE(tune(*graph_, queries()).ok());
  expect_says(graph_->range_search(queries(), 1.0f, {.recall = 0.9}).status(), StatusCode::kUnsupported,
              {"range_search", "ef"});
}

TEST_F(RecallOption, StatsSayHowMuchHasChangedSince) {
  ASSERT_TRUE(tune(*graph_, queries()).ok());
  const auto figure = [&](const std::string& name) {
    for (const auto& [key, value] : graph_->stats()) {
      if (key == name) return value;
    }
    return -1.0;
  };
  EXPECT_EQ(figure("tuned k=10: items then"), 1500);
  EXPECT_EQ(figure("tuned k=10: changed since"), 0);
  EXPECT_GT(figure("tuned k=10: reachable recall"), 0.9);
  SEGUE_ASSERT_OK(graph_->add(MatrixView(x_, kDim).slice(0, 100)));
  SEGUE_ASSERT_OK(graph_->upsert(MatrixView(x_, kDim).slice(0, 2), std::vector<Id>{7, 8}));
  ASSERT_EQ(graph_->remove(std::vector<Id>{1, 2, 3, 1'000'000}).value(), 3u);
  EXPECT_EQ(figure("tuned k=10: items then"), 1500);
  EXPECT_EQ(figure("tuned k=10: changed since"), 105);
  SEGUE_ASSERT_OK(search(10, {.recall = 0.9}));
  const auto copy = load_bytes(graph_->to_bytes().value());
  EXPECT_EQ((*copy)->stats(), graph_->stats());
  ASSERT_TRUE(tune(*graph_, queries()).ok());
  EXPECT_EQ(figure("tuned k=10: changed since"), 0);
}

TEST_F(RecallOption, SurvivesTheFile) {
  const TemporaryFolder folder;
  ASSERT_TRUE(tune(*graph_, queries(), {.k = 10}).ok());
  ASSERT_TRUE(tune(*graph_, queries(), {.k = 3}).ok());
  SEGUE_ASSERT_OK(graph_->save(folder.file("tuned.segue")));
  const FileInfo info = inspect(folder.file("tuned.segue")).value();
  std::size_t there = 0;
  for (const FileSection& section : info.sections) there += section.name == "curves" || section.name == "curve_points";
  EXPECT_EQ(there, 2u);
  for (const bool verify : {false, true}) {
    const auto index = load(folder.file("tuned.segue"), {.verify = verify});
    ASSERT_TRUE(index.ok()) << index.status().message();
    EXPECT_EQ((*index)->search(queries(), 10, {.recall = 0.9})->ids,
              graph_->search(queries(), 10, {.recall = 0.9})->ids);
    EXPECT_EQ((*index)->to_bytes().value(), graph_->to_bytes().value());
  }
}

TEST_F(RecallOption, TakesACurveMeasuredElsewhereIfItIsOne) {
  const RecallCurve good{.k = 10, .queries = 1, .items = 1, .points = {{10, 0.5, 0.4, 1}, {20, 0.9, 0.8, 1}}};
  SEGUE_ASSERT_OK(graph_->set_recall_curve(good));
  EXPECT_EQ(graph_->search(queries(), 10, {.recall = 0.8})->ids, graph_->search(queries(), 10, {.ef = 20})->ids);
  const auto refuse = [&](auto damage) {
    RecallCurve bad = good;
    damage(bad);
    EXPECT_EQ(graph_->set_recall_curve(bad).code(), StatusCode::kInvalidArgument);
  };
  refuse([](RecallCurve& c) { c.k = 0; });
  refuse([](RecallCurve& c) { c.points.clear(); });
  refuse([](RecallCurve& c) { c.points[1].effort = 10; });
  refuse([](RecallCurve& c) { c.points[0].effort = 0; });
  refuse([](RecallCurve& c) { c.points[1].recall = 0.4; });
  refuse([](RecallCurve& c) { c.points[1].recall = 1.1; });
  refuse([](RecallCurve& c) { c.points[1].recall_low = 0.95; });
  refuse([](RecallCurve& c) { c.points[0].recall_low = -0.1; });
  refuse([](RecallCurve& c) { c.points[1].recall_low = std::numeric_limits<double>::quiet_NaN(); });
  refuse([](RecallCurve& c) { c.points.resize(65, {100, 1, 1, 1}); });
  for (std::size_t k = 11; k < 74; ++k) {
    RecallCurve other = good;
    other.k = k;
    SEGUE_ASSERT_OK(graph_->set_recall_curve(other));
  }
  RecallCurve one_too_many = good;
  one_too_many.k = 74;
  expect_says(graph_->set_recall_curve(one_too_many), StatusCode::kInvalidArgument, {"64"});
}

TEST_F(RecallOption, TuneSaysWhatItWasGiven) {
  const auto says = [&](MatrixView with, const TuneOptions& options, const std::vector<std::string>& words) {
    expect_says(tune(*graph_, with, options).status(), StatusCode::kInvalidArgument, words);
  };
  says(queries(), {.k = 0}, {"k is 0"});
  for (const double recall : {0.0, 1.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    says(queries(), {.recall = recall}, {"recall", "below 1"});
  }
  says(queries(), {.threads = -1}, {"threads"});
  says({}, {.sample = 0}, {"sample"});
  const std::vector<Id> truth(200 * 9);
  says(queries(), {.truth = truth}, {"truth", "1800", "200", "k = 10"});
  says({}, {.truth = truth}, {"truth", "without queries"});
  says(MatrixView(queries_.data(), 10, kDim + 1), {}, {"dimension 9"});
  expect_says(tune(*HnswIndex::create(kDim).value(), queries()).status(), StatusCode::kInvalidArgument, {"empty"});
}

TEST_F(RecallOption, ACancelledTuneKeepsWhatWasThere) {
  ASSERT_TRUE(tune(*graph_, queries(), {.recall = 0.8}).ok());
  const std::vector<unsigned char> before = graph_->to_bytes().value();
  for (const std::size_t after : {0u, 1u, 2u, 5u}) {
    std::size_t calls = 0;
    const auto stop = [&](std::size_t, std::size_t) { return calls++ < after; };
    EXPECT_EQ(tune(*graph_, queries(), {.progress = stop}).status().code(), StatusCode::kCancelled);
    EXPECT_EQ(graph_->to_bytes().value(), before);
  }
  std::vector<std::size_t> seen;
  const auto watch = [&](std::size_t done, std::size_t total) {
    EXPECT_LE(done, total);
    seen.push_back(done);
    return true;
  };
  ASSERT_TRUE(tune(*graph_, queries(), {.progress = watch}).ok());
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), graph_->size());
}

TEST_F(RecallOption, SmallIndexesAreTunedToo) {
  for (const std::size_t items : {1u, 2u, 12u}) {
    auto index = HnswIndex::create(kDim, Metric::kL2).value();
    SEGUE_ASSERT_OK(index->add(MatrixView(x_, kDim).slice(0, items)));
    for (const MatrixView with : {MatrixView(), queries()}) {
      const Result<Tuning> tuning = tune(*index, with, {.k = 10, .recall = 0.5});
      ASSERT_TRUE(tuning.ok()) << tuning.status().message();
      EXPECT_EQ(tuning->expected_recall, 1) << items;
    }
  }
}

}  // namespace
}  // namespace segue::test
