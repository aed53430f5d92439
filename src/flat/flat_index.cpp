#include "flat/flat_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "file/file_writer.hpp"
#include "items/range_result.hpp"
#include "items/storages.hpp"
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
    : CheckedIndex(dim, metric), store_(kernels::active_kernels(), storage, dim) {}

ScanTarget FlatIndexBody::target() const noexcept {
  return {store_, score_metric(metric_), ids_.size(), max_norm_};
}

void FlatIndexBody::write_row(std::size_t slot, const float* x, std::vector<float>& memory) {
  memory.resize(dim_);
  if (metric_ == Metric::kCosine) {
    normalize(x, dim_, memory.data());
    x = memory.data();
  }
  store_.write(slot, x);
  store_.read(slot, memory.data());
  max_norm_ = std::max(max_norm_, norm(memory.data(), dim_));
}

Status FlatIndexBody::do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  if (options.progress && !options.progress(0, vectors.rows())) return cancelled("add was cancelled");
  const std::size_t before = ids_.slots();
  ids_.reserve(before + vectors.rows());
  store_.reserve(before + vectors.rows());
  store_.resize(before + vectors.rows());
  std::vector<float> memory(dim_);
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    write_row(before + i, vectors.row(i), memory);
    ids_.insert(ids[i], static_cast<std::uint32_t>(before + i));
  }
  if (options.progress) options.progress(vectors.rows(), vectors.rows());
  return {};
}

Status FlatIndexBody::do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  if (options.progress && !options.progress(0, vectors.rows())) return cancelled("upsert was cancelled");
  std::size_t fresh = 0;
  for (const Id id : ids) fresh += ids_.find(id) == kNoSlot;
  std::size_t next = ids_.slots();
  ids_.reserve(next + fresh);
  store_.reserve(next + fresh);
  store_.resize(next + fresh);
  std::vector<float> memory(dim_);
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    const std::uint32_t slot = ids_.find(ids[i]);
    if (slot != kNoSlot) {
      write_row(slot, vectors.row(i), memory);
    } else {
      write_row(next, vectors.row(i), memory);
      ids_.insert(ids[i], static_cast<std::uint32_t>(next++));
    }
  }
  if (options.progress) options.progress(vectors.rows(), vectors.rows());
  return {};
}

void FlatIndexBody::do_remove(std::span<const Id> ids) {
  for (const Id id : ids) {
    const std::uint32_t hole = ids_.find(id);
    const auto last = static_cast<std::uint32_t>(ids_.slots() - 1);
    const Id moved = ids_.id(last);
    ids_.erase(id);
    if (hole != last) {
      ids_.erase(moved);
      ids_.insert(moved, hole);
      store_.copy_row(last, hole);
    }
    ids_.truncate(last);
    store_.resize(last);
  }
}

const float* FlatIndexBody::prepare(const float* query, ScanMemory& memory) const {
  if (metric_ != Metric::kCosine) return query;
  memory.normalized.resize(std::max(memory.normalized.size(), dim_));
  normalize(query, dim_, memory.normalized.data());
  return memory.normalized.data();
}

void FlatIndexBody::emit(const ScanMemory& memory, std::size_t k, Id* ids, float* scores) const noexcept {
  const std::size_t found = std::min(k, memory.exact.size());
  for (std::size_t i = 0; i < found; ++i) {
    ids[i] = ids_.id(vertex_of(memory.exact[i]));
    scores[i] = score_of_cost(metric_, cost_of(memory.exact[i]));
  }
  std::fill(ids + found, ids + k, kMissingId);
  std::fill(scores + found, scores + k, missing_score(metric_));
}

void FlatIndexBody::do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                              float* scores) const {
  using Clock = Deadline::Clock;
  const auto microseconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  };
  const ScanTarget scan = target();

  // A set of few ids is cheaper to score by itself than to look up for every row that passes.
  std::vector<std::uint32_t> matches;
  const std::vector<std::uint32_t>* subset = nullptr;
  if (options.filter != nullptr && !options.filter->is_complement() && options.filter->listed() < ids_.size() / 4) {
    IdSetReader(*options.filter).for_each_listed([&](Id id) {
      const std::uint32_t slot = ids_.find(id);
      if (slot != kNoSlot) matches.push_back(slot);
    });
    subset = &matches;
  }

  const std::size_t n = queries.rows();
  const std::size_t scanned = subset == nullptr ? scan.rows : subset->size();
  const int threads = threads_for(n * scanned * store_.stride(), options.threads);
  const std::size_t workers = worker_count(n, threads, 1);
  const std::size_t block = std::clamp<std::size_t>((n + workers - 1) / std::max<std::size_t>(workers, 1), 1, kScanQueries);
  if (block >= kTileFrom && subset == nullptr && options.deadline_us == 0) {
    parallel_for((n + block - 1) / block, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
      ScratchPool<ScanMemory>::Lease memory(scratch_);
      for (std::size_t b = begin; b < end; ++b) {
        const auto start = Clock::now();
        const std::size_t first = b * block;
        const std::size_t count = std::min(block, n - first);
        memory->tile_excluded.resize(std::max(memory->tile_excluded.size(), count));
        std::vector<Gate> gates;
        gates.reserve(count);
        for (std::size_t q = 0; q < count; ++q) {
          gates.emplace_back(ids_, options, first + q, memory->tile_excluded[q]);
        }
        std::vector<float> normalized;
        const float* rows = queries.row(first);
        if (metric_ == Metric::kCosine) {
          normalized.resize(count * dim_);
          for (std::size_t q = 0; q < count; ++q) normalize(rows + q * dim_, dim_, normalized.data() + q * dim_);
          rows = normalized.data();
        }
        scan_tile(scan, rows, count, k, gates, ids_, *memory,
                  [&](std::size_t q) { emit(*memory, k, ids + (first + q) * k, scores + (first + q) * k); });
        if (options.stats.empty()) continue;
        const double each = microseconds_since(start) / static_cast<double>(count);
        for (std::size_t q = 0; q < count; ++q) options.stats[first + q] = {scan.rows, scan.rows, each, false};
      }
    });
    return;
  }

  parallel_for(n, threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<ScanMemory>::Lease memory(scratch_);
    for (std::size_t q = begin; q < end; ++q) {
      const auto start = options.stats.empty() ? Clock::time_point{} : Clock::now();
      const Deadline deadline(options.deadline_us);
      const Gate gate(ids_, options, q, memory->excluded);
      WalkStats stats;
      scan_one(scan, prepare(queries.row(q), *memory), k, gate, ids_, subset, deadline, *memory, stats);
      emit(*memory, k, ids + q * k, scores + q * k);
      if (options.stats.empty()) continue;
      options.stats[q] = {stats.distances, stats.visited, microseconds_since(start), stats.cut};
    }
  });
}

RangeResult FlatIndexBody::do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const {
  const ScanTarget scan = target();
  const float bound = larger_is_better(metric_) ? -threshold : threshold;
  std::vector<std::vector<Candidate>> found(queries.rows());
  parallel_for(queries.rows(), options.threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    ScratchPool<ScanMemory>::Lease memory(scratch_);
    for (std::size_t q = begin; q < end; ++q) {
      const auto start = Deadline::Clock::now();
      const Deadline deadline(options.deadline_us);
      const Gate gate(ids_, options, q, memory->excluded);
      WalkStats stats;
      scan_range(scan, prepare(queries.row(q), *memory), bound, gate, ids_, deadline, *memory, stats);
      found[q] = memory->exact;
      if (options.stats.empty()) continue;
      const double spent = std::chrono::duration<double, std::micro>(Deadline::Clock::now() - start).count();
      options.stats[q] = {stats.distances, stats.visited, spent, stats.cut};
    }
  });
  return make_range_result(found, ids_, metric_);
}

std::size_t FlatIndexBody::memory_usage() const {
  const std::shared_lock lock(mutex_);
  return ids_.memory_usage() + store_.memory_usage();
}

IndexStats FlatIndexBody::stats() const {
  const std::shared_lock lock(mutex_);
  return {{"items", static_cast<double>(ids_.size())},
          {"bytes a row", static_cast<double>(store_.stride())},
          {"largest norm", static_cast<double>(max_norm_)}};
}

Status FlatIndexBody::validate() const {
  const std::shared_lock lock(mutex_);
  SEGUE_RETURN_IF_ERROR(ids_.validate());
  if (ids_.size() != ids_.slots()) return corrupt_file("section 'ids': a flat index has no empty slots");
  if (store_.size() != ids_.slots()) return corrupt_file("section 'rows' does not fit section 'ids'");
  std::vector<float> row(dim_);
  for (std::size_t slot = 0; slot < ids_.slots(); ++slot) {
    if (ids_.id(static_cast<std::uint32_t>(slot)) >= next_id_) return corrupt_file("an id is not below the next free id");
    store_.read(slot, row.data());
    if (!(norm(row.data(), dim_) <= max_norm_)) return corrupt_file("row " + std::to_string(slot) + " is longer than the longest");
  }
  return {};
}

template <class Write>
auto FlatIndexBody::write_sections(const Write& write) const {
  const std::shared_lock lock(mutex_);
  const Fixed fixed{next_id_, max_norm_, 0};
  const SectionToWrite sections[] = {
      make_section<Fixed>("flat", {&fixed, 1}),
      make_section<Id>("ids", ids_.id_array().span()),
      make_section<std::uint32_t>("id_table", ids_.table().span()),
      make_section<unsigned char>("rows", store_.bytes().span()),
  };
  return write(FileIdentity{"flat", metric_, store_.storage(), Storage::kAuto, dim_, ids_.size()}, sections);
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
  const auto fixed = file.section<Fixed>("flat", 1);
  if (!fixed.ok()) return fixed.status();
  const auto ids = file.section<Id>("ids", identity.size);
  if (!ids.ok()) return ids.status();
  const auto table = file.section<std::uint32_t>("id_table");
  if (!table.ok()) return table.status();
  const auto rows = file.section<unsigned char>("rows", identity.size, index->store_.stride());
  if (!rows.ok()) return rows.status();
  if (identity.size > kMaxItems) return file.corrupt_section("ids", "there are more items than an index can hold");
  if (!table->empty() && !std::has_single_bit(table->size())) {
    return file.corrupt_section("id_table", "its size is not a power of two");
  }
  index->ids_ = IdMap(Buffer<Id>(*ids, file.memory()), Buffer<std::uint32_t>(*table, file.memory()), identity.size);
  index->store_.adopt(Buffer<unsigned char>(*rows, file.memory()));
  index->next_id_ = std::max<Id>(0, (*fixed)[0].next_id);
  index->max_norm_ = (*fixed)[0].max_norm;
  index->unchecked_ = !verify;
  if (verify) {
    const Status valid = index->validate();
    if (!valid.ok()) return corrupt_file(file.name() + ": " + valid.message());
  }
  return std::unique_ptr<Index>(std::move(index));
}

}  // namespace segue
