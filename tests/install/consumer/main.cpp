// Builds an index of each kind, searches it, saves it, opens it again and expects the same answer.

#include <segue/segue.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kRows = 500;
constexpr std::size_t kDim = 8;

int fail(const char* what, const segue::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.message().c_str());
  return 1;
}

// Every vector is nearest to itself, before and after a trip through the file.
int check(segue::Index& index, segue::MatrixView vectors, const std::string& path) {
  if (const segue::Status added = index.add(vectors); !added.ok()) return fail("add", added);
  const auto before = index.search(vectors, 3);
  if (!before.ok()) return fail("search", before.status());
  for (std::size_t row = 0; row < kRows; ++row) {
    if (before->ids[row * 3] != static_cast<segue::Id>(row)) {
      std::fprintf(stderr, "row %zu found %lld\n", row, static_cast<long long>(before->ids[row * 3]));
      return 1;
    }
  }
  // A catalog goes along, whatever it is made with inside.
  const std::vector<std::int64_t> minutes(kRows, 30);
  const auto catalog = segue::Catalog::create(std::vector{segue::ColumnData::integers("minutes", minutes)});
  if (!catalog.ok()) return fail("create", catalog.status());
  index.set_catalog(*catalog);
  if (const segue::Status saved = index.save(path); !saved.ok()) return fail("save", saved);
  const auto opened = segue::load(path);
  if (!opened.ok()) return fail("load", opened.status());
  const auto selected = (*opened)->catalog()->select("minutes between 20 and 30");
  if (!selected.ok()) return fail("select", selected.status());
  if (selected->listed() != kRows) return 1;
  const auto after = (*opened)->search(vectors, 3);
  if (!after.ok()) return fail("search of the opened index", after.status());
  if (after->ids != before->ids || after->scores != before->scores) {
    std::fprintf(stderr, "the opened index answers otherwise\n");
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<float> values(kRows * kDim);
  unsigned state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
  }
  const segue::MatrixView vectors(values.data(), kRows, kDim);

  auto flat = segue::FlatIndex::create(kDim, segue::Metric::kL2);
  if (!flat.ok()) return fail("FlatIndex::create", flat.status());
  auto hnsw = segue::HnswIndex::create(kDim, segue::Metric::kL2);
  if (!hnsw.ok()) return fail("HnswIndex::create", hnsw.status());
  return check(**flat, vectors, argv[1]) + check(**hnsw, vectors, argv[1]);
}
