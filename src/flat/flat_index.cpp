#include "flat/flat_index.hpp"

#include <algorithm>
#include <new>
#include <numeric>

#include "codes/codes_file.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/isa.hpp"

namespace segue {

Result<std::unique_ptr<FlatIndex>> FlatIndex::create(std::size_t dim, Metric metric, const FlatOptions& options) {
  SEGUE_RETURN_IF_ERROR(isa::environment_status());
  SEGUE_RETURN_IF_ERROR(FlatIndexBody::check_options(dim, metric, options));
  return std::unique_ptr<FlatIndex>(std::make_unique<FlatIndexBody>(dim, metric, options.storage));
}

FlatIndexBody::FlatIndexBody(std::size_t dim, Metric metric, Storage storage)
    : CodedIndex(dim, metric, storage), codes_(kernels::active_kernels(), dim, score_metric(metric)) {}

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
  std::vector<std::uint32_t> to;
  const std::size_t after = choose_slots(ids, to);
  ids_.reserve(after);
  store_.reserve(after);
  VectorStore rows(store_.table(), store_.storage(), dim_);
  rows.resize(vectors.rows());
  write_rows(vectors, 0, options.threads, rows);
  codes_.put(rows, from, to, options.threads);
  take_rows(rows, ids, to, after);
  lay_out_if_wanted(options.threads);
  if (options.progress) options.progress(vectors.rows(), vectors.rows());
  return {};
}

void FlatIndexBody::do_remove(std::span<const Id> ids) {
  remove_rows(ids);
  lay_out_if_wanted(0);
}

void FlatIndexBody::scan(const CodeScan& wanted, ScanCodesMemory& memory, std::span<WalkStats> stats) const {
  const Allowed allowed{wanted.filter == nullptr ? nullptr : &wanted.filter->marks, wanted.accepts};
  scan_codes({codes_, store_}, wanted.queries, {.k = wanted.k, .thresholds = wanted.thresholds}, allowed,
             wanted.deadline, memory, stats);
}

std::size_t FlatIndexBody::scanned_bytes(const SearchOptions&) const noexcept {
  return codes_.positions() * codes_.head();
}

// Some share each piece of codes in the first-level cache, all of them what comes from memory.
std::size_t FlatIndexBody::group_size() const noexcept { return 64; }

std::size_t FlatIndexBody::few_rows() const noexcept {
  // Codes are so much cheaper than rows that only a set of that small a part is scored by itself.
  constexpr std::size_t kPart = 32;
  return ids_.slots() / kPart;
}

std::size_t FlatIndexBody::memory_usage() const {
  const std::shared_lock lock(mutex_);
  return ids_.memory_usage() + store_.memory_usage() + codes_.memory_usage() + plans_.memory_usage();
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
  SEGUE_RETURN_IF_ERROR(validate_rows());
  return codes_.validate(store_, ids_.size());
}

void FlatIndexBody::do_write(const WriteSections& write) const {
  const Fixed fixed{next_id_};
  std::vector<SectionToWrite> sections = {make_section<Fixed>("flat", {&fixed, 1})};
  add_row_sections(sections);
  add_code_sections(codes_, sections);
  write(identity(), sections);
}

Result<std::unique_ptr<Index>> FlatIndexBody::open(const FileReader& file, bool verify) {
  const FileIdentity& identity = file.identity();
  auto index = std::make_unique<FlatIndexBody>(identity.dim, identity.metric, identity.storage);
  TakeSections sections(file);
  const Buffer<Fixed> fixed = sections.take<Fixed>("flat", 1);
  index->open_rows(sections, fixed.empty() ? 0 : fixed[0].next_id);
  take_code_sections(sections, identity.size, index->codes_);
  SEGUE_RETURN_IF_ERROR(sections.status());
  return finish_open(std::move(index), file, verify);
}

}  // namespace segue
