#include "load.hpp"

#include "flat/flat_index.hpp"
#include "hnsw/hnsw_index.hpp"
#include "ivf/ivf_index.hpp"
#include "segue/file.hpp"
#include "segue/isa.hpp"

namespace segue {
namespace {

Result<std::unique_ptr<Index>> open_kind(const FileReader& file, bool verify) {
  SEGUE_RETURN_IF_ERROR(isa::environment_status());
  const FileIdentity& identity = file.identity();
  if (identity.dim < 1 || identity.dim > kMaxDim || identity.storage == Storage::kAuto) {
    return corrupt_file(file.name() + ": the header names a dimension or a storage that no index has");
  }
  if (identity.kind == "flat") return FlatIndexBody::open(file, verify);
  if (identity.kind == "hnsw") return HnswIndexBody::open(file, verify);
  if (identity.kind == "ivf") return IvfIndexBody::open(file, verify);
  return corrupt_file(file.name() + ": holds an index of kind '" + identity.kind +
                      "', which this version of Segue does not know; known are flat, hnsw and ivf");
}

Result<std::unique_ptr<Index>> open_result(const Result<FileReader>& file, bool verify) {
  if (!file.ok()) return file.status();
  return open_index(*file, verify);
}

}  // namespace

Result<std::unique_ptr<Index>> open_index(const FileReader& file, bool verify) {
  std::unique_ptr<Index> index;
  const Status status = guard_memory([&]() -> Status {
    Result<std::unique_ptr<Index>> opened = open_kind(file, verify);
    if (!opened.ok()) return opened.status();
    index = std::move(opened).value();
    return {};
  });
  if (!status.ok()) return status;
  return index;
}

Result<std::unique_ptr<Index>> load(const std::string& path, const LoadOptions& options) {
  return open_result(FileReader::open(path, options.mmap, options.verify), options.verify);
}

Result<std::unique_ptr<Index>> load_bytes(std::span<const unsigned char> bytes, bool verify) {
  return open_result(FileReader::from_bytes(bytes, verify), verify);
}

Status verify(const std::string& path) { return load(path, {.mmap = true, .verify = true}).status(); }

}  // namespace segue
