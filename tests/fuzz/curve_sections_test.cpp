// Damaged recall curves: what is out of range is CorruptFile whatever `verify` says, what is in range is used safely.

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "damaged_sections.hpp"
#include "items/curve_sections.hpp"
#include "segue/tune.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 4021;

class CurveSectionsFile : public DamagedSections {
 protected:
  void SetUp() override {
    const std::unique_ptr<Index> index = make_index({"hnsw", Metric::kL2, Storage::kF32});
    for (const std::size_t k : {3u, 10u}) {
      const RecallCurve curve{k, 100, index->size(), 0, {{k, 0.7, 0.6, 20}, {20, 0.9, 0.8, 30}, {40, 1, 0.99, 50}}};
      ASSERT_TRUE(index->set_recall_curve(curve).ok());
    }
    const TemporaryFolder folder;
    ASSERT_TRUE(index->save(folder.file("tuned")).ok());
    file_ = read_bytes(folder.file("tuned"));
    const FileInfo info = inspect(folder.file("tuned")).value();
    for (const FileSection& section : info.sections) {
      if (section.name == "curves") curves_ = section;
      if (section.name == "curve_points") points_ = section;
    }
    ASSERT_EQ(curves_.bytes, 2 * sizeof(CurveSections::CurveRow));
    ASSERT_EQ(points_.bytes, 6 * sizeof(CurveSections::PointRow));
  }

  FileSection curves_, points_;
};

TEST_F(CurveSectionsFile, WhatIsOutOfRangeIsCorrupt) {
  using Curve = CurveSections::CurveRow;
  using Point = CurveSections::PointRow;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_corrupt(with(curves_, offsetof(Curve, k), std::uint64_t{0}), "curves");
  expect_corrupt(with(curves_, offsetof(Curve, k), std::uint64_t{10}), "curves");  // twice
  expect_corrupt(with(curves_, sizeof(Curve) + offsetof(Curve, k), std::uint64_t{1} << 40), "curve_points");
  expect_corrupt(with(curves_, offsetof(Curve, points), std::uint64_t{0}), "curve_points");
  expect_corrupt(with(curves_, offsetof(Curve, points), ~std::uint64_t{0}), "curve_points");
  expect_corrupt(with(points_, offsetof(Point, effort), std::uint64_t{0}), "curve_points");
  expect_corrupt(with(points_, offsetof(Point, effort), ~std::uint64_t{0}), "curve_points");
  for (const double value : {-0.5, 1.5, nan}) {
    expect_corrupt(with(points_, offsetof(Point, recall), value), "curve_points");
    expect_corrupt(with(points_, offsetof(Point, recall_low), value), "curve_points");
  }
  expect_corrupt(with(points_, offsetof(Point, distances), nan), "curve_points");
}

TEST_F(CurveSectionsFile, MutationsAreSafe) {
  Random random(kSeed);
  const std::vector<float> queries = index_rows(3, 5);
  int opened = 0;
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    Bytes damaged = file_;
    const FileSection& section = i % 2 == 0 ? curves_ : points_;
    for (std::size_t n = 1 + random.below(3); n > 0; --n) {
      damaged[section.offset + random.below(section.bytes)] ^= static_cast<unsigned char>(1 + random.below(255));
    }
    fix_checksums(damaged);
    Result<std::unique_ptr<Index>> index = load_bytes(damaged, i % 3 == 0);
    if (!index.ok()) {
      ASSERT_EQ(index.status().code(), StatusCode::kCorruptFile);
      continue;
    }
    ++opened;
    for (const std::size_t k : {1u, 3u, 10u, 100u}) {
      const Result<SearchResult> found =
          (*index)->search(MatrixView(queries, kIndexDim), k, {.recall = 0.5, .threads = 1});
      if (!found.ok()) {
        ASSERT_EQ(found.status().code(), StatusCode::kInvalidArgument) << found.status().message();
      }
    }
    (void)(*index)->stats();
    ASSERT_TRUE((*index)->to_bytes().ok());
    ASSERT_TRUE(tune(**index, {}, {.k = 3, .sample = 5, .threads = 1}).ok());
  }
  EXPECT_GT(opened, 100);
}

}  // namespace
}  // namespace segue::test
