#include "segue/build.hpp"

#include "segue/flat.hpp"

namespace segue {
namespace {

// A scan of this many items takes some tens of microseconds, about what a walk does.
constexpr std::size_t kFlatUpTo = 10000;

Result<std::unique_ptr<Index>> make_index(std::size_t dim, bool flat, const BuildOptions& options) {
  if (flat) {
    auto index = FlatIndex::create(dim, options.metric, {.storage = options.hnsw.storage});
    if (!index.ok()) return index.status();
    return std::unique_ptr<Index>(std::move(index).value());
  }
  auto index = HnswIndex::create(dim, options.metric, options.hnsw);
  if (!index.ok()) return index.status();
  return std::unique_ptr<Index>(std::move(index).value());
}

}  // namespace

Result<std::unique_ptr<Index>> build(MatrixView vectors, std::span<const Id> ids, const BuildOptions& options) {
  if (options.kind != "auto" && options.kind != "flat" && options.kind != "hnsw") {
    return invalid_argument("kind is '" + options.kind + "'; known are auto, flat and hnsw");
  }
  const bool flat = options.kind == "flat" || (options.kind == "auto" && vectors.rows() <= kFlatUpTo);
  Result<std::unique_ptr<Index>> index = make_index(vectors.cols(), flat, options);
  if (!index.ok()) return index;
  SEGUE_RETURN_IF_ERROR((*index)->add(vectors, ids, {options.threads, options.progress}));
  return index;
}

}  // namespace segue
