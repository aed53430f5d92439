#pragma once
// The indexes that every test of tests/index runs over: kind x metric x storage.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"

namespace segue::test {

struct IndexCase {
  std::string kind = "flat";
  Metric metric = Metric::kL2;
  Storage storage = Storage::kF32;

  bool exact() const { return kind == "flat"; }
};

inline std::string name_of(const IndexCase& c) {
  return c.kind + "_" + std::string(to_string(c.metric)) + "_" + std::string(to_string(c.storage));
}

inline void PrintTo(const IndexCase& c, std::ostream* out) { *out << name_of(c); }

struct CaseName {
  std::string operator()(const testing::TestParamInfo<IndexCase>& info) const { return name_of(info.param); }
};

inline std::unique_ptr<Index> make_index(const IndexCase& c, std::size_t dim, std::uint64_t seed = 0) {
  if (c.kind == "flat") {
    auto index = FlatIndex::create(dim, c.metric, {.storage = c.storage});
    if (!index.ok()) ADD_FAILURE() << index.status().message();
    return index.ok() ? std::move(index).value() : nullptr;
  }
  if (c.kind == "ivf") {
    const bool codes = c.storage == Storage::kPca8 || rabitq_bits(c.storage) != 0;
    const Storage rerank = codes ? Storage::kSq8 : Storage::kAuto;
    auto index = IvfIndex::create(dim, c.metric, {.storage = c.storage, .rerank = rerank, .seed = seed});
    if (!index.ok()) ADD_FAILURE() << index.status().message();
    return index.ok() ? std::move(index).value() : nullptr;
  }
  auto index =
      HnswIndex::create(dim, c.metric, {.m = 12, .ef_construction = 100, .storage = c.storage, .seed = seed});
  if (!index.ok()) ADD_FAILURE() << index.status().message();
  return index.ok() ? std::move(index).value() : nullptr;
}

inline std::vector<IndexCase> cases(const std::vector<std::string>& kinds, const std::vector<Metric>& metrics,
                                    const std::vector<Storage>& storages) {
  std::vector<IndexCase> out;
  for (const std::string& kind : kinds) {
    for (const Metric metric : metrics) {
      for (const Storage storage : storages) {
        const bool graph_of_products = kind == "hnsw" && metric == Metric::kInnerProduct;
        if (storage == Storage::kPca8 && (kind == "flat" || graph_of_products)) continue;
        if (rabitq_bits(storage) != 0 && kind != "ivf") continue;
        out.push_back({kind, metric, storage});
      }
    }
  }
  return out;
}

inline const std::vector<Metric> kAllMetrics = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

inline std::vector<IndexCase> all_cases() {
  return cases({"flat", "hnsw", "ivf"}, kAllMetrics, {Storage::kF32, Storage::kF16, Storage::kBf16, Storage::kSq8, Storage::kSq4, Storage::kPca8,
                                               Storage::kRabitq3});
}

inline std::vector<IndexCase> f32_cases() { return cases({"flat", "hnsw", "ivf"}, kAllMetrics, {Storage::kF32}); }

#define SEGUE_ASSERT_OK(expression)                                              \
  do {                                                                           \
    const ::segue::Status status_of_test = (expression);                         \
    ASSERT_TRUE(status_of_test.ok()) << #expression << ": " << status_of_test.message(); \
  } while (false)

}  // namespace segue::test
