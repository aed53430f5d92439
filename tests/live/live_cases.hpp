#pragma once
// What the tests of live indexes share: vectors that follow from their ids, and a directory for them.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "segue/catalog.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"
#include "segue/live/live_index.hpp"
#include "support/file_mutations.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {

inline constexpr std::size_t kLiveDim = 12;

// The vector that an id has in its `version`; all differ.
inline std::vector<float> live_vector(Id id, std::uint64_t version = 0, std::size_t dim = kLiveDim) {
  Random random(static_cast<std::uint64_t>(id) * 1'000'003 + version * 7'919 + 1);
  std::vector<float> x(dim);
  for (float& value : x) value = static_cast<float>(random.next() >> 40) * 0x1p-24f - 0.5f;
  return x;
}

inline std::vector<float> live_vectors(const std::vector<Id>& ids, std::uint64_t version = 0,
                                       std::size_t dim = kLiveDim) {
  std::vector<float> all;
  for (const Id id : ids) {
    const std::vector<float> x = live_vector(id, version, dim);
    all.insert(all.end(), x.begin(), x.end());
  }
  return all;
}

inline std::vector<Id> id_range(Id first, std::size_t count) {
  std::vector<Id> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

inline std::unique_ptr<Index> make_live_index(const std::string& kind, std::size_t dim = kLiveDim) {
  if (kind == "hnsw") return HnswIndex::create(dim, Metric::kL2, {.m = 8, .ef_construction = 40}).value();
  if (kind == "ivf") return IvfIndex::create(dim, Metric::kL2).value();
  return FlatIndex::create(dim, Metric::kL2, {.storage = Storage::kF32}).value();
}

inline std::unique_ptr<LiveIndex> open_live(const std::string& directory, const LiveOptions& options = {}) {
  Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(directory, options);
  EXPECT_TRUE(live.ok()) << live.status().message();
  return live.ok() ? std::move(live).value() : nullptr;
}

// Everything that an index holds is what the map says (id -> version), and its structure is whole.
inline void expect_items(const Index& index, const std::map<Id, std::uint64_t>& expected) {
  std::vector<Id> ids;
  for (const auto& [id, version] : expected) ids.push_back(id);
  ASSERT_EQ(index.ids(), ids);
  const Result<std::vector<float>> rows = index.get(ids);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::vector<float> x = live_vector(ids[i], expected.at(ids[i]), index.dim());
    const std::vector<float> row(rows->begin() + static_cast<std::ptrdiff_t>(i * index.dim()),
                                 rows->begin() + static_cast<std::ptrdiff_t>((i + 1) * index.dim()));
    ASSERT_EQ(row, x) << "id " << ids[i];
  }
  const Status valid = index.validate();
  EXPECT_TRUE(valid.ok()) << valid.message();
}

inline std::map<Id, std::uint64_t> versions(const std::vector<Id>& ids, std::uint64_t version = 0) {
  std::map<Id, std::uint64_t> all;
  for (const Id id : ids) all[id] = version;
  return all;
}

}  // namespace segue::test
