#include "flat/flat_index.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <numeric>
#include <string>

#include "codes/codes_file.hpp"
#include "file/file_writer.hpp"
#include "items/next_id.hpp"
#include "items/storages.hpp"
#include "items/take_sections.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/isa.hpp"

namespace segue {

Result<std::unique_ptr<FlatIndex>> FlatIndex::create(std::size_t dim, Metric metric, const FlatOptions& options) {
  SEGUE_RETURN_IF_ERROR(isa::environment_status());
  SEGUE_RETURN_IF_ERROR(check_dim(dim));
  SEGUE_RETURN_IF_ERROR(check_metric(metric));
  SEGUE_RETURN_IF_ERROR(check_storage("storage", options.storage));
  if (options.storage == Storage::kPca8) {
    return invalid_argument("storage is pca8, which only HnswIndex keeps; it must be auto, f32, f16, bf16 or sq8");
  }
  const Storage storage = options.storage == Storage::kAuto ? Storage::kF32 : options.storage;
  return std::unique_ptr<FlatIndex>(std::make_unique<FlatIndexBody>(dim, metric, storage));
}

FlatIndexBody::FlatIndexBody(std::size_t dim, Metric metric, Storage storage)
    : CheckedIndex(dim, metric),
      store_(kernels::active_kernels(), storage, dim),
      codes_(kernels::active_kernels(), dim, score_metric(metric)) {}

void FlatIndexBody::write_rows(MatrixView vectors, std::size_t first, int threads, VectorStore& to) const {
  parallel_for(vectors.rows(), threads, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> normalized(dim_);
    for (std::size_t i = begin; i < end; ++i) {
      const float* x = vectors.row(i);
      if (metric_ == Metric::kCosine) {
        normalize(x, dim_, normalized.data());
        x = normalized.data();
      }
      to.write(first + i, x);
    }
  });
}

// Short of memory, the layout stays as it is: slower, not wrong.
void FlatIndexBody::lay_out_if_wanted(int threads) {
  if (!codes_.wants_rebuild()) return;
  try {
    std::vector<std::uint32_t> slots(ids_.slots());
    std::iota(slots.begin(), slots.end(), 0u);
    codes_.rebuild(store_, slots, threads);
  } catch (const std::bad_alloc&) {
  }
}

Status FlatIndexBody::do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  if (options.progress && !options.progress(0, vectors.rows())) return cancelled("add was cancelled");
  const std::size_t before = ids_.slots();
  const std::size_t after = before + vectors.rows();
  std::vector<std::uint32_t> slots(after);
  std::iota(slots.begin(), slots.end(), 0u);
  ids_.reserve(after);
  store_.reserve(after);
  store_.resize(after);
  try {
    write_rows(vectors, before, options.threads, store_);
    if (before == 0) {
      codes_.rebuild(store_, slots, options.threads);
    } else {
      const auto fresh = std::span(slots).subspan(before);
      codes_.put(store_, fresh, fresh, options.threads);
    }
  } catch (...) {
    store_.resize(before);
    throw;
  }
  for (std::size_t i = 0; i < vectors.rows(); ++i) ids_.insert(ids[i], slots[before + i]);
  lay_out_if_wanted(options.threads);
  if (options.progress) options.progress(vectors.rows(), vectors.rows());
  return {};
}

// The new rows are made beside the old ones and coded; what is left then cannot fail.
Status FlatIndexBody::do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  if (options.progress && !options.progress(0, vectors.rows())) return cancelled("upsert was cancelled");
  std::vector<std::uint32_t> from(vectors.rows());
  std::iota(from.begin(), from.end(), 0u);
  std::vector<std::uint32_t> to(vectors.rows());
  std::size_t next = ids_.slots();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::uint32_t slot = ids_.find(ids[i]);
    to[i] = slot != kNoSlot ? slot : static_cast<std::uint32_t>(next++);
  }
  ids_.reserve(next);
  store_.reserve(next);
  VectorStore rows(store_.table(), store_.storage(), dim_);
  rows.resize(vectors.rows());
  write_rows(vectors, 0, options.threads, rows);
  codes_.put(rows, from, to, options.threads);
  store_.resize(next);
  for (std::size_t i = 0; i < to.size(); ++i) {
    store_.copy_row_from(rows, i, to[i]);
    if (to[i] >= ids_.slots()) ids_.insert(ids[i], to[i]);
  }
  lay_out_if_wanted(options.threads);
  if (options.progress) options.progress(vectors.rows(), vectors.rows());
  return {};
}

void FlatIndexBody::do_remove(std::span<const Id> ids) {
  for (const Id id : ids) {
    const std::uint32_t hole = ids_.find(id);
    if (hole == kNoSlot) continue;  // only in a damaged file
    const auto last = static_cast<std::uint32_t>(ids_.slots() - 1);
    const Id moved = ids_.id(last);
    ids_.erase(id);
    codes_.remove(hole);
    if (hole != last) {
      ids_.erase(moved);
      ids_.insert(moved, hole);
      store_.copy_row(last, hole);
      codes_.rename(last, hole);
    }
    ids_.truncate(last);
    store_.resize(last);
    codes_.resize_slots(last);
  }
  lay_out_if_wanted(0);
}

std::size_t FlatIndexBody::memory_usage() const {
  const std::shared_lock lock(mutex_);
  return ids_.memory_usage() + store_.memory_usage() + codes_.memory_usage();
}

IndexStats FlatIndexBody::stats() const {
  const std::shared_lock lock(mutex_);
  return {{"items", static_cast<double>(ids_.size())},
          {"bytes a row", static_cast<double>(store_.stride())},
          {"coded directions", static_cast<double>(codes_.head())},
          {"largest norm", static_cast<double>(codes_.fixed().max_norm)}};
}

Status FlatIndexBody::validate() const {
  const std::shared_lock lock(mutex_);
  SEGUE_RETURN_IF_ERROR(ids_.validate());
  if (ids_.size() != ids_.slots()) return corrupt_file("section 'ids': a flat index has no empty slots");
  if (store_.size() != ids_.slots()) return corrupt_file("section 'rows' does not fit section 'ids'");
  for (std::size_t slot = 0; slot < ids_.slots(); ++slot) {
    if (!id_fits(ids_.id(static_cast<std::uint32_t>(slot)), next_id_)) {
      return corrupt_file("an id is not below the next free id");
    }
  }
  return codes_.validate(store_, ids_.size());
}

template <class Write>
auto FlatIndexBody::write_sections(const Write& write) const {
  const std::shared_lock lock(mutex_);
  const Fixed fixed{next_id_};
  std::vector<SectionToWrite> sections = {
      make_section<Fixed>("flat", {&fixed, 1}),
      make_section<Id>("ids", ids_.id_array().span()),
      make_section<std::uint32_t>("id_table", ids_.table().span()),
      make_section<unsigned char>("rows", store_.bytes().span()),
  };
  add_code_sections(codes_, sections);
  return write(FileIdentity{"flat", metric_, store_.storage(), Storage::kAuto, dim_, ids_.size()},
               std::span<const SectionToWrite>(sections));
}

Status FlatIndexBody::save(const std::string& path) const {
  return guard_memory([&] {
    return write_sections([&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
      return write_file(path, identity, sections);
    });
  });
}

Result<std::vector<unsigned char>> FlatIndexBody::to_bytes() const {
  return write_sections([](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
    return write_bytes(identity, sections);
  });
}

Result<std::unique_ptr<Index>> FlatIndexBody::open(const FileReader& file, bool verify) {
  const FileIdentity& identity = file.identity();
  auto index = std::make_unique<FlatIndexBody>(identity.dim, identity.metric, identity.storage);
  TakeSections sections(file);
  const Buffer<Fixed> fixed = sections.take<Fixed>("flat", 1);
  Buffer<Id> ids = sections.take<Id>("ids", identity.size);
  Buffer<std::uint32_t> table = sections.take<std::uint32_t>("id_table");
  Buffer<unsigned char> rows = sections.take<unsigned char>("rows", identity.size, index->store_.stride());
  take_code_sections(sections, identity.size, index->codes_);
  if (identity.size > kMaxItems) sections.fail("ids", "there are more items than an index can hold");
  if (!table.empty() && !std::has_single_bit(table.size())) sections.fail("id_table", "its size is not a power of two");
  SEGUE_RETURN_IF_ERROR(sections.status());
  index->ids_ = IdMap(std::move(ids), std::move(table), identity.size);
  index->store_.adopt(std::move(rows));
  index->next_id_ = std::max<Id>(0, fixed[0].next_id);
  index->unchecked_ = !verify;
  if (verify) {
    const Status valid = index->validate();
    if (!valid.ok()) return corrupt_file(file.name() + ": " + valid.message());
  }
  return std::unique_ptr<Index>(std::move(index));
}

}  // namespace segue
