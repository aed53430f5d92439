#pragma once
// build(): from a matrix to an index in one call.
//
//   auto index = segue::build(vectors, {}, {.metric = segue::Metric::kL2, .kind = "hnsw"});

#include <memory>
#include <span>
#include <string>

#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/index.hpp"
#include "segue/ivf.hpp"

namespace segue {

struct BuildOptions {
  Metric metric = Metric::kInnerProduct;
  // "auto", "flat", "hnsw" or "ivf". "auto": flat up to 10,000 items, else hnsw.
  std::string kind = "auto";
  // Those of the kind that is made count.
  FlatOptions flat = {};
  HnswOptions hnsw = {};
  IvfOptions ivf = {};
  int threads = 0;
  Progress progress = {};
};

Result<std::unique_ptr<Index>> build(MatrixView vectors, std::span<const Id> ids = {},
                                     const BuildOptions& options = {});

}  // namespace segue
