// Lists built in a file, piece by piece: the bytes are those that an index in memory saves, in whatever memory.

#include "segue/build_file.hpp"

#include <gtest/gtest.h>

#include <string>

#include "index/vectors.hpp"
#include "segue/file.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

// Bytes that save() writes after one add() of everything.
std::vector<unsigned char> in_memory(MatrixView x, std::span<const Id> ids, const BuildFileOptions& options) {
  auto index = IvfIndex::create(x.cols(), options.metric, options.ivf).value();
  const Status added = index->add(x, ids);
  EXPECT_TRUE(added.ok()) << added.message();
  return index->to_bytes().value();
}

// Of a matrix, in the least memory that will do, which the message about too little names.
BuildFileOptions with_least_memory(MatrixView x, std::span<const Id> ids, const std::string& path,
                                   BuildFileOptions options) {
  options.max_memory = 1;
  const Status refused = build_file(*source_of(x), ids, path, options);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  const std::string before = "at least ";
  const std::size_t at = refused.message().find(before);
  EXPECT_NE(at, std::string::npos) << refused.message();
  options.max_memory = static_cast<std::size_t>(std::stod(refused.message().substr(at + before.size())) * 1.001e6) + 1;
  return options;
}

void expect_same(MatrixView x, std::span<const Id> ids, const BuildFileOptions& options) {
  const TemporaryFolder folder;
  const std::string path = folder.file("built.segue");
  const std::vector<unsigned char> wanted = in_memory(x, ids, options);
  BuildFileOptions little = with_least_memory(x, ids, path, options);
  ASSERT_TRUE(folder.names().empty());
  for (const auto& [memory, threads] : {std::pair{little.max_memory, 1}, {little.max_memory + (1 << 20), 2}, {std::size_t{0}, 3}}) {
    little.max_memory = memory;
    little.threads = threads;
    const Status built = build_file(*source_of(x), ids, path, little);
    if (!built.ok() && threads > 1 && memory != 0) continue;  // one more worker takes more
    ASSERT_TRUE(built.ok()) << built.message();
    EXPECT_EQ(folder.names(), std::vector<std::string>{"built.segue"});
    ASSERT_TRUE(read_bytes(path) == wanted) << memory << " bytes, " << threads << " threads";
    ASSERT_TRUE(verify(path).ok());
  }
}

TEST(BuildFile, BytesAreThoseOfAnIndexInMemory) {
  Random random(21);
  const std::size_t dim = 40;
  const Vectors x = clustered_vectors(random, 1200, dim, 60, 0.5f);
  std::vector<Id> ids(1200);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>((i * 7919) % 1201 * 3);
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    for (const auto& [storage, rerank] :
         {std::pair{Storage::kAuto, Storage::kAuto}, {Storage::kPca8, Storage::kAuto}, {Storage::kRabitq3, Storage::kAuto}, {Storage::kRabitq2, Storage::kSq4}, {Storage::kF16, Storage::kAuto},
          {Storage::kSq8, Storage::kAuto}}) {
      if (storage != Storage::kAuto && metric == Metric::kCosine) continue;
      SCOPED_TRACE(std::string(to_string(metric)) + " " + std::string(to_string(storage)));
      const BuildFileOptions options{.metric = metric, .ivf = {.storage = storage, .rerank = rerank, .seed = 5}};
      expect_same(MatrixView(x, dim), {}, options);
      if (storage == Storage::kAuto) expect_same(MatrixView(x, dim), ids, options);
    }
  }
}

TEST(BuildFile, OddSizes) {
  Random random(22);
  for (const std::size_t dim : {1u, 17u, 100u}) {
    for (const std::size_t rows : {1u, 2u, 16u, 17u, 300u}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(dim));
      const Vectors x = gaussian_vectors(random, rows, dim);
      expect_same(MatrixView(x, dim), {}, {.metric = Metric::kL2});
      expect_same(MatrixView(x, dim), {}, {.metric = Metric::kInnerProduct, .ivf = {.nlist = rows}});
    }
  }
}

// A list that is larger than what is laid out at once, and lists of nothing.
TEST(BuildFile, AllRowsInOneList) {
  const std::size_t dim = 20;
  Vectors x(12000 * dim, 1.0f);
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
    expect_same(MatrixView(x, dim), {}, {.metric = metric, .ivf = {.nlist = 8}});
  }
  for (std::size_t i = 0; i < 500 * dim; ++i) x[i] = -2.0f;
  expect_same(MatrixView(x, dim), {}, {.metric = Metric::kCosine, .ivf = {.nlist = 3}});
}

// Laid out in many steps, put aside by ranges that straddle them.
TEST(BuildFile, ManyRowsInLittleMemory) {
  Random random(27);
  const Vectors x = gaussian_vectors(random, 60000, 4);
  for (const Storage storage : {Storage::kF32, Storage::kPca8}) {
    expect_same(MatrixView(x, 4), {}, {.metric = Metric::kL2, .ivf = {.nlist = 50, .storage = storage}});
  }
}

TEST(BuildFile, AnswersAndFiguresAreTheSame) {
  Random random(23);
  const std::size_t dim = 32;
  const Vectors x = wide_norm_vectors(random, 3000, dim, 3);
  const TemporaryFolder folder;
  const std::string path = folder.file("lists.segue");
  ASSERT_TRUE(build_file(*source_of(MatrixView(x, dim)), {}, path).ok());
  auto memory = IvfIndex::create(dim).value();
  ASSERT_TRUE(memory->add(MatrixView(x, dim)).ok());
  auto file = load(path, {.verify = false}).value();
  EXPECT_TRUE(file->validate().ok());
  EXPECT_EQ(file->stats(), memory->stats());
  const Vectors queries = gaussian_vectors(random, 100, dim);
  const SearchResult a = file->search(MatrixView(queries, dim), 10, {.nprobe = 9}).value();
  const SearchResult b = memory->search(MatrixView(queries, dim), 10, {.nprobe = 9}).value();
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.scores, b.scores);
  // And it is an index like any other.
  ASSERT_TRUE(file->add(MatrixView(queries, dim)).ok());
  ASSERT_TRUE(memory->add(MatrixView(queries, dim)).ok());
  EXPECT_EQ(file->to_bytes().value(), memory->to_bytes().value());
}

}  // namespace
}  // namespace segue::test
