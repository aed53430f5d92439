#include "segue/build.hpp"

namespace segue {
namespace {

template <class Kind, class Options>
Result<std::unique_ptr<Index>> make(MatrixView vectors, Metric metric, const Options& options) {
  auto index = Kind::create(vectors.cols(), metric, options);
  if (!index.ok()) return index.status();
  return std::unique_ptr<Index>(std::move(index).value());
}

Result<std::unique_ptr<Index>> make_index(MatrixView vectors, Metric metric, const BuildPlan& plan) {
  if (plan.kind == "flat") return make<FlatIndex>(vectors, metric, plan.flat);
  if (plan.kind == "ivf") return make<IvfIndex>(vectors, metric, plan.ivf);
  return make<HnswIndex>(vectors, metric, plan.hnsw);
}

}  // namespace

Result<std::unique_ptr<Index>> build(MatrixView vectors, std::span<const Id> ids, const BuildOptions& options) {
  const Result<BuildPlan> plan = plan_build(vectors, options);
  if (!plan.ok()) return plan.status();
  Result<std::unique_ptr<Index>> index = make_index(vectors, options.metric, *plan);
  if (!index.ok()) return index;
  SEGUE_RETURN_IF_ERROR((*index)->add(vectors, ids, {options.threads, options.progress}));
  return index;
}

}  // namespace segue
