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
  try {
    if (codes_.wants_tidying()) codes_.tidy(store_, threads, publish_);
    if (codes_.wants_rebuild()) lay_out(threads);
  } catch (const std::bad_alloc&) {
  }
}

void FlatIndexBody::lay_out(int threads) {
  std::vector<std::uint32_t> slots(ids_.slots());
  std::iota(slots.begin(), slots.end(), 0u);
  CodeBlocks fresh = codes_.laid_out(store_, slots, threads);
  publish_([&] { std::swap(codes_, fresh); });
}

// Nobody finds anything yet, so all of it is made beside what is there.
void FlatIndexBody::add_first(MatrixView vectors, std::span<const Id> ids, int threads) {
  VectorStore rows(store_.table(), store_.storage(), dim_);
  rows.resize(vectors.rows());
  write_rows(vectors, 0, threads, rows);
  std::vector<std::uint32_t> slots(vectors.rows());
  std::iota(slots.begin(), slots.end(), 0u);
  CodeBlocks codes = codes_.laid_out(rows, slots, threads);
  IdMap map;
  map.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) map.insert(ids[i], slots[i]);
  publish_([&] {
    std::swap(store_, rows);
    std::swap(codes_, codes);
    std::swap(ids_, map);
  });
}

Status FlatIndexBody::do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return change(vectors, ids, options);
}
Status FlatIndexBody::do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  return change(vectors, ids, options);
}

// Rows and codes are made beside what others search; what is left then cannot fail, and goes item by item.
Status FlatIndexBody::change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  constexpr std::size_t kPiece = 8;
  if (options.progress && !options.progress(0, vectors.rows())) return cancelled("the call was cancelled; the index is as it was");
  if (ids_.slots() == 0) {
    add_first(vectors, ids, options.threads);
  } else {
    std::vector<std::uint32_t> from(vectors.rows());
    std::iota(from.begin(), from.end(), 0u);
    std::vector<std::uint32_t> to;
    const std::size_t after = choose_slots(ids, to);
    make_room(ids, to, after);
    codes_.reserve_slots(after, publish_);
    VectorStore rows(store_.table(), store_.storage(), dim_);
    rows.resize(vectors.rows());
    write_rows(vectors, 0, options.threads, rows);
    std::vector<std::uint32_t> positions(ids.size());
    codes_.stage(rows, from, positions, options.threads, publish_);
    publish_.in_pieces(ids.size(), kPiece, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        take_row(rows, i, ids[i], to[i]);
        codes_.resize_slots(ids_.slots());
        codes_.place(to[i], positions[i]);
      }
    });
    lay_out_if_wanted(options.threads);
  }
  if (options.progress) options.progress(vectors.rows(), vectors.rows());
  return {};
}

void FlatIndexBody::do_remove(std::span<const Id> ids) {
  remove_rows(ids);
  lay_out_if_wanted(0);
}

void FlatIndexBody::scan(const CodeScan& wanted, ScanCodesMemory& memory, std::span<WalkStats> stats) const {
  const Allowed allowed{wanted.filter == nullptr ? nullptr : &wanted.filter->marks, wanted.accepts};
  scan_codes({codes_, &store_}, wanted.queries, {.k = wanted.k, .thresholds = wanted.thresholds}, allowed,
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

bool FlatIndexBody::pays(const FilterPlan& plan, std::size_t queries) const noexcept {
  constexpr std::size_t kCopiedAQuery = 256;
  return queries * kCopiedAQuery >= plan.marks.rows();
}

// Where most of a block matches as it is, reading the copy would save little; nor would it where a few rows are scored in the
// time in which a query is coded.
bool FlatIndexBody::improve(FilterPlan& plan) const {
  constexpr std::size_t kScored = 64;
  if (plan.coded != nullptr || plan.marks.rows() <= kScored || 2 * plan.marks.rows() > ids_.slots()) return false;
  plan.coded = std::make_shared<const CodedMatches>(codes_, plan.marks);
  return true;
}

std::shared_ptr<const CodedMatches> FlatIndexBody::update(const CodedMatches& old, const FilterMarks& marks,
                                                          std::span<const std::uint32_t> blocks) const {
  std::unique_ptr<CodedMatches> coded = old.without(blocks);
  if (coded != nullptr) coded->add(codes_, marks, blocks);
  return coded;
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
  const std::lock_guard still(changing_);
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
