// Whole index files, all kinds, with and without a catalog: loaded in every way, and what loads is then used in every
// way. The bits of the first byte: checksums are made right; verify; from a mapped file instead of memory.

#include <unistd.h>

#include <numeric>

#include "catalog/random_catalog.hpp"
#include "fuzz/index_file_body.hpp"
#include "fuzz/targets/fuzz_target.hpp"
#include "fuzz/targets/scratch_path.hpp"

namespace segue::test {
namespace {

constexpr unsigned char kFix = 1, kVerify = 2, kMapped = 4;

void use_catalog(Catalog& catalog) {
  EXPECT_TRUE(catalog.validate().ok()) << catalog.validate().message();
  const std::vector<Id> ids = catalog.ids();
  const std::vector<ColumnSpec> columns = catalog.columns();
  for (const ColumnSpec& column : columns) {
    expect_no_lack_of_memory(catalog.take(ids, column.name));
    expect_no_lack_of_memory(catalog.select(field(column.name).is_missing()));
    expect_no_lack_of_memory(catalog.select(field(column.name) == 1));
    expect_no_lack_of_memory(catalog.select(field(column.name).isin({"g1", "m1", 3})));
  }
  expect_no_lack_of_memory(catalog.remove(std::span<const Id>(ids).first(ids.size() / 2)));
  EXPECT_TRUE(catalog.validate().ok()) << catalog.validate().message();
}

void run(std::span<const unsigned char> input) {
  if (input.empty()) return;
  const unsigned char mode = input[0];
  Bytes file(input.begin() + 1, input.end());
  if ((mode & kFix) != 0) fix_checksums(file);
  const bool verified = (mode & kVerify) != 0;
  Result<std::unique_ptr<Index>> index =
      (mode & kMapped) != 0 ? load(scratch_path(file), {.mmap = true, .verify = verified}) : load_bytes(file, verified);
  if (!index.ok()) {
    EXPECT_EQ(index.status().code(), StatusCode::kCorruptFile) << index.status().message();
    return;
  }
  if (verified) {
    EXPECT_TRUE((*index)->validate().ok()) << (*index)->validate().message();
  }
  if (const std::shared_ptr<Catalog> catalog = (*index)->catalog(); catalog != nullptr) use_catalog(*catalog);
  use_index(**index);
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> seeds;
  for (const IndexCase& which : index_cases()) {
    const std::unique_ptr<Index> index = make_index(which, 20);
    if (seeds.size() % 3 == 0) {
      Random random(3);
      CatalogModel model{all_kinds_of_columns(), {}};
      std::vector<Id> ids(9);
      std::iota(ids.begin(), ids.end(), Id{3});
      index->set_catalog(Catalog::create(random_rows(random, model, model.columns, ids), {ids, {}}).value());
    }
    Bytes seed = index->to_bytes().value();
    seed.insert(seed.begin(), static_cast<unsigned char>(seeds.size() % 8));
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

// The table and the sections' contents, and now and then the way of loading.
Bytes mutate_file(const Bytes& input, Random& random) {
  if (input.size() < 2 || random.below(8) == 0) {
    Bytes changed = input;
    if (!changed.empty()) changed[0] = static_cast<unsigned char>(random.below(8));
    return changed;
  }
  Bytes changed = mutate({input.begin() + 1, input.end()}, random);
  changed.insert(changed.begin(), input[0]);
  return changed;
}

}  // namespace

const FuzzTarget& fuzz_target() {
  static const FuzzTarget target = {"index_file", run, seeds, mutate_file};
  return target;
}

}  // namespace segue::test
