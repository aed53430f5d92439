// Bad input: which code, what the message says (what came, what was expected), and that nothing has changed.

#include <gtest/gtest.h>

#include <limits>

#include "answers.hpp"
#include "segue/build.hpp"
#include "segue/isa.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 4;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

void expect_error(const Status& status, StatusCode code, const std::vector<std::string>& parts) {
  EXPECT_EQ(to_string(status.code()), to_string(code)) << status.message();
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos) << "no '" << part << "' in: " << status.message();
  }
}

void expect_invalid(const Status& status, const std::vector<std::string>& parts) {
  expect_error(status, StatusCode::kInvalidArgument, parts);
}

class BadInput : public testing::TestWithParam<IndexCase> {
 protected:
  void SetUp() override {
    index_ = make_index(GetParam(), kDim);
    Random random(81);
    const Vectors x = gaussian_vectors(random, 50, kDim);
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, kDim)));
    before_ = index_->to_bytes().value();
    good_ = gaussian_vectors(random, 10, kDim);
  }

  void TearDown() override {
    SEGUE_ASSERT_OK(index_->validate());
    EXPECT_TRUE(index_->to_bytes().value() == before_) << "a call that failed has changed the index";
  }

  Status add(const Vectors& x, const std::vector<Id>& ids = {}) { return index_->add(MatrixView(x, kDim), ids); }
  Status upsert(const Vectors& x, const std::vector<Id>& ids) { return index_->upsert(MatrixView(x, kDim), ids); }
  Status search(const Vectors& x, std::size_t k, const SearchOptions& options = {}) {
    return index_->search(MatrixView(x, kDim), k, options).status();
  }

  static std::vector<Id> ids_from(Id first, std::size_t n = 10) {
    std::vector<Id> ids;
    for (std::size_t i = 0; i < n; ++i) ids.push_back(first + static_cast<Id>(i));
    return ids;
  }

  std::unique_ptr<Index> index_;
  std::vector<unsigned char> before_;
  Vectors good_;
};

TEST_P(BadInput, WrongDimension) {
  const Vectors x(15, 1.0F);
  const MatrixView three(x, 3), five(x, 5);
  expect_invalid(index_->add(three), {"3", "4", "dim"});
  expect_invalid(index_->upsert(five, ids_from(0, 3)), {"5", "4", "dim"});
  expect_invalid(index_->search(three, 1).status(), {"3", "4", "dim"});
  expect_invalid(index_->range_search(five, 1).status(), {"5", "4", "dim"});
}

TEST_P(BadInput, NanAndInfinityAreNamedByRow) {
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (const std::size_t row : {0u, 6u, 9u}) {
      for (const std::size_t column : {0u, 3u}) {
        Vectors x = good_;
        x[row * kDim + column] = bad;
        const std::vector<std::string> parts = {"row " + std::to_string(row), "NaN"};
        expect_invalid(add(x), parts);
        expect_invalid(add(x, ids_from(100)), parts);
        expect_invalid(upsert(x, ids_from(45)), parts);
        expect_invalid(search(x, 3), parts);
        expect_invalid(index_->range_search(MatrixView(x, kDim), 0).status(), parts);
      }
    }
  }
  Vectors two = good_;
  two[3 * kDim] = kNan;
  two[8 * kDim] = kNan;
  expect_invalid(add(two), {"row 3"});
  expect_invalid(index_->range_search(MatrixView(good_, kDim), kNan).status(), {"threshold", "NaN"});
}

TEST_P(BadInput, ZeroVectorsUnderCosine) {
  Vectors x = good_;
  for (std::size_t j = 0; j < kDim; ++j) x[7 * kDim + j] = j % 2 == 0 ? 0.0F : -0.0F;
  if (GetParam().metric != Metric::kCosine) {
    SEGUE_ASSERT_OK(search(x, 1));
    return;
  }
  expect_invalid(add(x), {"row 7", "zero"});
  expect_invalid(upsert(x, ids_from(0)), {"row 7", "zero"});
  expect_invalid(search(x, 1), {"row 7", "zero"});
  expect_invalid(index_->range_search(MatrixView(x, kDim), 0).status(), {"row 7", "zero"});
}

TEST_P(BadInput, Ids) {
  std::vector<Id> ids = ids_from(100);
  ids[4] = -5;
  expect_invalid(add(good_, ids), {"-5", "position 4", "negative"});
  expect_invalid(upsert(good_, ids), {"-5", "position 4", "negative"});
  ids[4] = 108;
  expect_invalid(add(good_, ids), {"108", "twice", "4", "8"});
  expect_invalid(upsert(good_, ids), {"108", "twice", "4", "8"});
  expect_invalid(add(good_, ids_from(100, 9)), {"9", "10"});
  expect_invalid(add(good_, ids_from(100, 11)), {"11", "10"});
  expect_invalid(upsert(good_, {}), {"0", "10"});
  ids = ids_from(100);
  ids[9] = 49;
  expect_error(add(good_, ids), StatusCode::kAlreadyExists, {"49", "position 9", "upsert"});
  expect_error(index_->get(std::vector<Id>{3, 50, 51}).status(), StatusCode::kNotFound, {"50"});
  expect_error(index_->get(std::vector<Id>{3, -1}).status(), StatusCode::kNotFound, {"-1"});
}

TEST_P(BadInput, K) {
  expect_invalid(search(good_, 0), {"k", "0", "1"});
  // No machine has memory for this answer; asking for it must not try.
  const std::size_t huge = std::numeric_limits<std::size_t>::max();
  for (const std::size_t k : {huge, huge / 2, huge / 10 + 1, std::size_t{1} << 40}) {
    expect_invalid(search(good_, k), {std::to_string(k)});
  }
}

TEST_P(BadInput, SearchOptions) {
  expect_invalid(search(good_, 1, {.deadline_us = -3}), {"deadline_us", "-3"});
  expect_invalid(search(good_, 1, {.threads = -2}), {"threads", "-2"});
  std::vector<QueryStats> stats(9);
  expect_invalid(search(good_, 1, {.stats = stats}), {"stats", "9", "10"});
  const std::vector<Id> ids = {1, 2, 3};
  const auto with = [&](const std::vector<std::size_t>& offsets) {
    return search(good_, 1, {.exclude = {ids, offsets}});
  };
  expect_invalid(with({0, 1, 3}), {"exclude", "2", "10"});
  expect_invalid(with({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}), {"exclude", "3"});
  expect_invalid(with({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3}), {"exclude"});
  expect_invalid(with({0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 3}), {"exclude"});
  expect_invalid(with({0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 3}), {"exclude"});
  expect_invalid(index_->add(MatrixView(good_, kDim), {}, {.threads = -1}), {"threads", "-1"});
  expect_invalid(index_->upsert(MatrixView(good_, kDim), ids_from(0), {.threads = -1}), {"threads", "-1"});
}

// A bad row in the middle of a large batch: the rows before it have left no trace (TearDown compares the bytes).
TEST_P(BadInput, AddsAllOrNothing) {
  Random random(82);
  Vectors x = gaussian_vectors(random, 5000, kDim);
  x[2500 * kDim + 1] = kNan;
  expect_invalid(add(x), {"row 2500"});
  std::vector<Id> ids = ids_from(1000, 5000);
  x[2500 * kDim + 1] = 1;
  ids[2500] = 17;
  expect_error(add(x, ids), StatusCode::kAlreadyExists, {"17"});
}

TEST_P(BadInput, CancelledCallsLeaveNoTrace) {
  Random random(83);
  const Vectors x = gaussian_vectors(random, 5000, kDim);
  // At the first call, or (a graph takes long enough to be asked again) at the second.
  for (std::size_t calls = 1; calls <= (GetParam().exact() ? 1U : 2U); ++calls) {
    std::size_t called = 0;
    const Progress stop = [&](std::size_t done, std::size_t total) {
      EXPECT_LE(done, total);
      return ++called < calls;
    };
    const Status added = index_->add(MatrixView(x, kDim), {}, {.progress = stop});
    expect_error(added, StatusCode::kCancelled, {});
    EXPECT_TRUE(index_->to_bytes().value() == before_);
    called = 0;
    expect_error(index_->upsert(MatrixView(x, kDim), ids_from(20, 5000), {.progress = stop}), StatusCode::kCancelled,
                 {});
    EXPECT_TRUE(index_->to_bytes().value() == before_);
    SEGUE_ASSERT_OK(index_->validate());
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadInput,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, kAllMetrics, {Storage::kF32, Storage::kSq8})),
                         CaseName());

TEST(BadOptions, Dimensions) {
  expect_invalid(FlatIndex::create(0).status(), {"dim", "0", "1"});
  expect_invalid(FlatIndex::create(65'537).status(), {"65537", "65536"});
  expect_invalid(HnswIndex::create(0).status(), {"dim", "0", "1"});
  expect_invalid(HnswIndex::create(65'537).status(), {"65537", "65536"});
  EXPECT_TRUE(FlatIndex::create(65'536).ok());
  EXPECT_TRUE(HnswIndex::create(65'536).ok());
}

TEST(BadOptions, GraphParameters) {
  const auto create = [](const HnswOptions& options) {
    return HnswIndex::create(8, Metric::kL2, options).status();
  };
  expect_invalid(create({.m = 0}), {"m", "0", "2", "256"});
  expect_invalid(create({.m = 1}), {"m", "1", "2", "256"});
  expect_invalid(create({.m = 257}), {"257", "256"});
  expect_invalid(create({.ef_construction = 0}), {"ef_construction", "0", "1"});
  expect_invalid(create({.ef_construction = 65'537}), {"ef_construction", "65537", "65536"});
  expect_invalid(create({.storage = Storage::kF16, .rerank = Storage::kSq8}), {"rerank", "sq8", "f16"});
  expect_invalid(create({.storage = Storage::kF32, .rerank = Storage::kF32}), {"rerank", "f32"});
  EXPECT_TRUE(create({.m = 2, .ef_construction = 1}).ok());
  EXPECT_TRUE(create({.m = 256}).ok());
  EXPECT_TRUE(create({.storage = Storage::kSq8, .rerank = Storage::kF32}).ok());
}

TEST(BadOptions, EnumsOutOfRange) {
  const auto metric = static_cast<Metric>(9);
  const auto storage = static_cast<Storage>(9);
  expect_invalid(FlatIndex::create(8, metric).status(), {"metric"});
  expect_invalid(HnswIndex::create(8, metric).status(), {"metric"});
  expect_invalid(FlatIndex::create(8, Metric::kL2, {.storage = storage}).status(), {"storage"});
  expect_invalid(HnswIndex::create(8, Metric::kL2, {.storage = storage}).status(), {"storage"});
  expect_invalid(HnswIndex::create(8, Metric::kL2, {.rerank = storage}).status(), {"rerank"});
}

TEST(BadOptions, InstructionSets) {
  expect_invalid(isa::use("mmx"), {"mmx", "scalar"});
  expect_invalid(isa::use(""), {"scalar"});
}

TEST(BadOptions, Build) {
  const Vectors x(12, 1.0F);
  expect_invalid(build(MatrixView(x, 3), {}, {.kind = "tree"}).status(), {"tree", "flat", "hnsw", "auto"});
  expect_invalid(build(MatrixView(x, 3), std::vector<Id>{1, 2}).status(), {"2", "4"});
  const Result<std::unique_ptr<Index>> made = build(MatrixView(x, 3), std::vector<Id>{4, 3, 2, 1});
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ((*made)->kind(), "flat");
  EXPECT_EQ((*made)->size(), 4U);
}

}  // namespace
}  // namespace segue::test
