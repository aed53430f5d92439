// Recall is a test with a written table: recall_floors.csv.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

#include "answers.hpp"
#include "segue/recall.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kQueries = 200;
constexpr std::size_t kK = 10;

struct Row {
  std::string data;
  std::uint64_t seed = 0;
  std::size_t n = 0, dim = 0;
  Metric metric = Metric::kL2;
  HnswOptions options;
  std::size_t ef = 0;
  double floor = 0;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.data << " n " << row.n << " dim " << row.dim << " " << to_string(row.metric) << " "
       << to_string(row.options.storage) << " m " << row.options.m << " ef " << row.ef;
}

std::vector<Row> read_table() {
  std::ifstream in(std::string(SEGUE_TESTS_DIR) + "/index/recall_floors.csv");
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> cells;
    std::istringstream parts(line);
    for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell);
    if (cells.size() != 11) {
      ADD_FAILURE() << "a row of " << cells.size() << " cells: " << line;
      continue;
    }
    Row row;
    row.data = cells[0];
    row.seed = std::stoull(cells[1]);
    row.n = std::stoull(cells[2]);
    row.dim = std::stoull(cells[3]);
    row.metric = parse_metric(cells[4]).value();
    row.options.storage = parse_storage(cells[5]).value();
    if (cells[6] != "none") row.options.rerank = parse_storage(cells[6]).value();
    row.options.m = std::stoull(cells[7]);
    row.options.ef_construction = std::stoull(cells[8]);
    row.ef = std::stoull(cells[9]);
    row.floor = std::stod(cells[10]);
    rows.push_back(row);
  }
  return rows;
}

// The vectors of a row with its queries as the last ones, so that both come from the same clusters.
Vectors make_data(const Row& row) {
  Random random(row.seed);
  const std::size_t n = row.n + kQueries;
  if (row.data == "gaussian") return gaussian_vectors(random, n, row.dim);
  if (row.data == "wide_norms") return wide_norm_vectors(random, n, row.dim, 8);
  EXPECT_EQ(row.data, "clustered");
  const Vectors x = clustered_vectors(random, n, row.dim, 100, 0.5F);
  // Every so many, one query: clusters lie one after another.
  Vectors items, queries;
  const std::size_t step = n / kQueries;
  for (std::size_t i = 0; i < n; ++i) {
    Vectors& to = i % step == 0 && queries.size() < kQueries * row.dim ? queries : items;
    to.insert(to.end(), &x[i * row.dim], &x[i * row.dim] + row.dim);
  }
  items.insert(items.end(), queries.begin(), queries.end());
  return items;
}

// Rows that differ in ef alone share an index and a truth.
struct Prepared {
  std::unique_ptr<Index> index;
  Vectors data;
  std::vector<Id> truth;
};

const Prepared& prepare(const Row& row) {
  static std::map<std::string, Prepared> cache;
  std::ostringstream key;
  key << row.data << ' ' << row.seed << ' ' << row.n << ' ' << row.dim << ' ' << to_string(row.metric) << ' '
      << to_string(row.options.storage) << ' ' << to_string(row.options.rerank) << ' ' << row.options.m << ' '
      << row.options.ef_construction;
  Prepared& prepared = cache[key.str()];
  if (prepared.index != nullptr) return prepared;
  prepared.data = make_data(row);
  const MatrixView items(prepared.data.data(), row.n, row.dim);
  const MatrixView queries(prepared.data.data() + row.n * row.dim, kQueries, row.dim);
  const auto exact = FlatIndex::create(row.dim, row.metric).value();
  EXPECT_TRUE(exact->add(items).ok());
  prepared.truth = exact->search(queries, kK).value().ids;
  prepared.index = HnswIndex::create(row.dim, row.metric, row.options).value();
  EXPECT_TRUE(prepared.index->add(items).ok());
  const Status valid = prepared.index->validate();
  EXPECT_TRUE(valid.ok()) << valid.message();
  return prepared;
}

class RecallFloor : public testing::TestWithParam<Row> {};

TEST_P(RecallFloor, IsKept) {
  const Row& row = GetParam();
  const Prepared& prepared = prepare(row);
  const MatrixView queries(prepared.data.data() + row.n * row.dim, kQueries, row.dim);
  const SearchResult found = prepared.index->search(queries, kK, {.ef = row.ef}).value();
  const double measured = recall(found.ids, kK, prepared.truth, kK, kK).value();
  RecordProperty("recall", std::to_string(measured));
  EXPECT_GE(measured, row.floor);
}

TEST(RecallFloors, TheTableIsThere) { EXPECT_GE(read_table().size(), 10U); }

INSTANTIATE_TEST_SUITE_P(Table, RecallFloor, testing::ValuesIn(read_table()));

}  // namespace
}  // namespace segue::test
