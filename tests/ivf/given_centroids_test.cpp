// Lists around centres that the caller brings.

#include <gtest/gtest.h>

#include <limits>

#include "index/answers.hpp"
#include "index/vectors.hpp"
#include "ivf/centre_blocks.hpp"
#include "segue/file.hpp"
#include "segue/ivf.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 24;
constexpr std::size_t kRows = 3000;
constexpr std::size_t kLists = 50;

using Lists = std::unique_ptr<IvfIndex>;

Lists make(Metric metric, const IvfOptions& options = {}) { return IvfIndex::create(kDim, metric, options).value(); }

std::vector<Id> answers(const IvfIndex& index, MatrixView queries, std::size_t nprobe) {
  return index.search(queries, 10, {.nprobe = nprobe}).value().ids;
}

// Around the centres that k-means found for another, on the same sample: the same lists, the same codes.
TEST(GivenCentroids, AnIndexOfAnothersCentresAnswersAsTheOther) {
  Random random(21);
  const Vectors x = clustered_vectors(random, kRows, kDim, 30, 0.6f);
  const MatrixView rows(x, kDim);
  for (const Metric metric : kAllMetrics) {
    for (const Storage storage : {Storage::kF32, Storage::kSq8, Storage::kPca8, Storage::kRabitq4, Storage::kAuto}) {
      SCOPED_TRACE(std::string(to_string(metric)) + " " + std::string(to_string(storage)));
      const Lists one = make(metric, {.nlist = kLists, .storage = storage});
      const Lists other = make(metric, {.storage = storage});
      SEGUE_ASSERT_OK(one->train(rows));
      SEGUE_ASSERT_OK(one->add(rows));
      const std::vector<float> centres = one->centroids();
      ASSERT_EQ(centres.size(), kLists * kDim);
      SEGUE_ASSERT_OK(other->train(rows, MatrixView(centres, kDim)));
      EXPECT_EQ(other->nlist(), kLists);
      EXPECT_EQ(other->centroids(), centres);
      SEGUE_ASSERT_OK(other->add(rows));
      SEGUE_ASSERT_OK(other->validate());
      for (const std::size_t nprobe : {1u, 4u, 50u}) {
        ASSERT_EQ(answers(*other, rows.slice(0, 200), nprobe), answers(*one, rows.slice(0, 200), nprobe)) << nprobe;
      }
    }
  }
}

// Whatever the centres are, all lists together are exact.
TEST(GivenCentroids, AnyCentresWillDo) {
  Random random(22);
  const Vectors x = gaussian_vectors(random, kRows, kDim), q = gaussian_vectors(random, 20, kDim);
  Vectors far = gaussian_vectors(random, kLists, kDim), twice = far, zeros(kLists * kDim, 0.0f);
  for (float& v : far) v = v * 100 + 500;
  std::copy_n(twice.begin(), kDim, twice.end() - static_cast<std::ptrdiff_t>(kDim));
  for (const Metric metric : kAllMetrics) {
    for (const Vectors* centres : {&far, &twice, &zeros}) {
      for (const std::size_t sampled : {std::size_t{0}, kRows}) {
        SCOPED_TRACE(std::string(to_string(metric)) + " " + std::to_string(sampled));
        const Lists index = make(metric, {.storage = Storage::kF32});
        SEGUE_ASSERT_OK(index->train(MatrixView(x.data(), sampled, kDim), MatrixView(*centres, kDim)));
        SEGUE_ASSERT_OK(index->add(MatrixView(x, kDim)));
        SEGUE_ASSERT_OK(index->validate());
        Tally tally;
        check_search(*index, Reference::of(*index), MatrixView(q, kDim), 10, {.nprobe = kLists}, true, tally);
        EXPECT_EQ(tally.found, tally.wanted);
      }
    }
  }
}

TEST(GivenCentroids, ItemsThatAreThereAreDealtOutAnew) {
  Random random(23);
  const Vectors x = gaussian_vectors(random, kRows, kDim), centres = gaussian_vectors(random, kLists, kDim);
  const MatrixView rows(x, kDim);
  for (const Storage storage : {Storage::kF32, Storage::kAuto}) {
    const Lists before = make(Metric::kL2, {.storage = storage});
    SEGUE_ASSERT_OK(before->add(rows));
    SEGUE_ASSERT_OK(before->train(rows.slice(0, 500), MatrixView(centres, kDim)));
    SEGUE_ASSERT_OK(before->validate());
    EXPECT_EQ(before->nlist(), kLists);
    const Lists after = make(Metric::kL2, {.storage = storage});
    SEGUE_ASSERT_OK(after->train(rows.slice(0, 500), MatrixView(centres, kDim)));
    SEGUE_ASSERT_OK(after->add(rows));
    std::vector<Id> a = answers(*before, rows.slice(0, 200), 3), b = answers(*after, rows.slice(0, 200), 3);
    std::size_t same = 0;
    for (std::size_t q = 0; q < a.size(); q += 10) {
      for (std::size_t i = q; i < q + 10; ++i) same += std::count(b.begin() + q, b.begin() + q + 10, a[i]) == 1;
    }
    EXPECT_GE(same, a.size() - a.size() / 100);  // rows that were coded once before may change list
  }
  const Lists codes = make(Metric::kL2, {.storage = Storage::kPca8});
  SEGUE_ASSERT_OK(codes->add(rows));
  EXPECT_EQ(codes->train(rows, MatrixView(centres, kDim)).code(), StatusCode::kUnsupported);
}

// However many there are: rows of own lists look for the nearest in groups of centres and miss it now and then, those of
// the caller's lists, which somebody else's queries may visit, do not.
TEST(GivenCentroids, RowsJoinTheNearestOfThousands) {
  constexpr std::size_t kMany = 2500;
  static_assert(kMany >= CentreBlocks::kLeastGrouped);
  Random random(26);
  const Vectors x = gaussian_vectors(random, 5 * kMany, kDim), centres = gaussian_vectors(random, kMany, kDim);
  const MatrixView rows(x, kDim);
  for (const bool before : {false, true}) {
    SCOPED_TRACE(before);
    const Lists index = make(Metric::kL2, {.storage = Storage::kF32});
    if (before) SEGUE_ASSERT_OK(index->add(rows));
    SEGUE_ASSERT_OK(index->train(rows.slice(0, 100), MatrixView(centres, kDim)));
    if (!before) SEGUE_ASSERT_OK(index->add(rows));
    EXPECT_EQ(index->nlist(), kMany);
    const std::vector<Id> found = index->search(rows, 1, {.nprobe = 1}).value().ids;
    std::size_t elsewhere = 0;
    for (std::size_t i = 0; i < found.size(); ++i) elsewhere += found[i] != static_cast<Id>(i);
    EXPECT_LE(elsewhere, 1u);  // two centres as near as can be told
  }
}

TEST(GivenCentroids, TheyStayWhateverComes) {
  Random random(24);
  const Vectors x = gaussian_vectors(random, kRows, kDim), centres = gaussian_vectors(random, 7, kDim);
  const MatrixView rows(x, kDim);
  const Lists index = make(Metric::kInnerProduct);
  SEGUE_ASSERT_OK(index->train(rows.slice(0, 100), MatrixView(centres, kDim)));
  SEGUE_ASSERT_OK(index->add(rows.slice(0, 100)));
  const std::unique_ptr<Index> opened = load_bytes(index->to_bytes().value()).value();
  for (Index* grown : {static_cast<Index*>(index.get()), opened.get()}) {
    SEGUE_ASSERT_OK(grown->add(rows.slice(100, kRows - 100)));
    EXPECT_EQ(static_cast<IvfIndex&>(*grown).centroids(), centres);
  }
  // Until it is asked to.
  SEGUE_ASSERT_OK(index->train(rows));
  EXPECT_GT(index->nlist(), 100u);
}

TEST(GivenCentroids, WhatIsRefusedChangesNothing) {
  Random random(25);
  const Vectors x = gaussian_vectors(random, 600, kDim);
  Vectors centres = gaussian_vectors(random, kLists, kDim);
  const MatrixView rows(x, kDim), given(centres, kDim);
  const Lists index = make(Metric::kCosine, {.nlist = 40});
  SEGUE_ASSERT_OK(index->add(rows));
  const std::vector<unsigned char> before = index->to_bytes().value();
  const auto refused = [&](MatrixView some, const std::string& part, StatusCode code = StatusCode::kInvalidArgument,
                           const AddOptions& options = {}) {
    const Status status = index->train(rows, some, options);
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
    EXPECT_EQ(index->to_bytes().value(), before);
  };
  refused(given, "50 centroids; give 40");
  refused(MatrixView(centres.data(), 0, kDim), "0 centroids");
  refused(MatrixView(centres.data(), 40, kDim - 1), "centroids: ");
  refused(given.slice(0, 40), "cancelled", StatusCode::kCancelled,
          {.progress = [](std::size_t done, std::size_t total) { return done == total; }});
  refused(given.slice(0, 40), "threads", StatusCode::kInvalidArgument, {.threads = -1});
  centres[kDim + 3] = std::numeric_limits<float>::infinity();
  refused(given.slice(0, 40), "row 1 ");
}

}  // namespace
}  // namespace segue::test
