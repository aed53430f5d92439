#pragma once
// build(): from a matrix to an index in one call; plan_build(): what kind "auto" would make, and why.
//
//   auto index = segue::build(vectors, {}, {.metric = segue::Metric::kL2, .kind = "hnsw"});
//   auto plan = segue::plan_build(vectors, {.max_memory = std::size_t{2} << 30});
//   for (const std::string& reason : plan->reasons) std::puts(reason.c_str());

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/index.hpp"
#include "segue/ivf.hpp"

namespace segue {

struct BuildOptions {
  Metric metric = Metric::kInnerProduct;
  // "flat", "hnsw", "ivf", or "auto": the kind that searches fastest at `recall` of those that fit `max_memory`.
  std::string kind = "auto";
  // Those of the kind that is made count.
  FlatOptions flat = {};
  HnswOptions hnsw = {};
  IvfOptions ivf = {};
  // The recall that searches will want, above 0 and at most 1; 1 means all, which a FlatIndex finds.
  double recall = 0.95;
  // Bytes that the index may take; 0: no limit. "auto" looks for a kind that fits; a kind that was named has to.
  std::size_t max_memory = 0;
  int threads = 0;
  Progress progress = {};
};

struct BuildPlan {
  std::string kind;  // "flat", "hnsw" or "ivf"
  FlatOptions flat;  // as they were given, or what "auto" chose instead
  HnswOptions hnsw;
  IvfOptions ivf;
  std::size_t memory = 0;            // bytes, about; at most, where the storage chooses by the data how much it needs
  std::vector<std::string> reasons;  // sentences for people
};

// Looks at the number of rows, their dimension and, under inner product, at the norms of some. O(dim).
// kInvalidArgument: an unknown kind, a recall out of its range, a max_memory that nothing fits (it says what would).
Result<BuildPlan> plan_build(MatrixView vectors, const BuildOptions& options = {});

// kInvalidArgument: as plan_build, the kind's create() and its add().
Result<std::unique_ptr<Index>> build(MatrixView vectors, std::span<const Id> ids = {},
                                     const BuildOptions& options = {});

}  // namespace segue
