#pragma once
// build(): from a matrix to an index in one call.
//
//   auto index = segue::build(vectors, {}, {.metric = segue::Metric::kL2, .kind = "hnsw"});

#include <memory>
#include <span>
#include <string>

#include "segue/hnsw.hpp"
#include "segue/index.hpp"

namespace segue {

struct BuildOptions {
  Metric metric = Metric::kInnerProduct;
  // "auto", "flat" or "hnsw". "auto": flat up to 10,000 items, else hnsw.
  std::string kind = "auto";
  HnswOptions hnsw = {};  // its storage also serves the flat index
  int threads = 0;
  Progress progress = {};
};

Result<std::unique_ptr<Index>> build(MatrixView vectors, std::span<const Id> ids = {},
                                     const BuildOptions& options = {});

}  // namespace segue
