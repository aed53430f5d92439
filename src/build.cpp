#include "segue/build.hpp"

namespace segue {
namespace {

// A scan of this many items takes some tens of microseconds, about what a walk does.
constexpr std::size_t kFlatUpTo = 10000;

template <class Kind, class Options>
Result<std::unique_ptr<Index>> make(MatrixView vectors, Metric metric, const Options& options) {
  auto index = Kind::create(vectors.cols(), metric, options);
  if (!index.ok()) return index.status();
  return std::unique_ptr<Index>(std::move(index).value());
}

Result<std::unique_ptr<Index>> make_index(MatrixView vectors, const BuildOptions& options) {
  const bool automatic = options.kind == "auto";
  if (options.kind == "flat" || (automatic && vectors.rows() <= kFlatUpTo)) {
    return make<FlatIndex>(vectors, options.metric, options.flat);
  }
  if (options.kind == "hnsw" || automatic) return make<HnswIndex>(vectors, options.metric, options.hnsw);
  if (options.kind == "ivf") return make<IvfIndex>(vectors, options.metric, options.ivf);
  return invalid_argument("kind is '" + options.kind + "'; known are auto, flat, hnsw and ivf");
}

}  // namespace

Result<std::unique_ptr<Index>> build(MatrixView vectors, std::span<const Id> ids, const BuildOptions& options) {
  Result<std::unique_ptr<Index>> index = make_index(vectors, options);
  if (!index.ok()) return index;
  SEGUE_RETURN_IF_ERROR((*index)->add(vectors, ids, {options.threads, options.progress}));
  return index;
}

}  // namespace segue
