#include <algorithm>
#include <bit>
#include <string>

#include "catalog/catalog_body.hpp"
#include "catalog/scan_filter.hpp"
#include "id_set_builder.hpp"

namespace segue {
namespace {

static_assert(kChunkRows == kIdSetChunkIds && sizeof(ChunkBits) == kIdSetBitmapUnits * sizeof(std::uint16_t));

void drop_holes(const Catalog::Body& body, std::size_t first, std::size_t n, ChunkBits& bits) noexcept {
  for (std::size_t w = 0; w < (n + 63) / 64; ++w) {
    for (std::uint64_t rest = bits[w]; rest != 0; rest &= rest - 1) {
      const auto bit = static_cast<unsigned>(std::countr_zero(rest));
      if (!body.is_there(first + 64 * w + bit)) bits[w] &= ~(std::uint64_t{1} << bit);
    }
  }
}

void append_ids(const Catalog::Body& body, std::size_t first, std::size_t n, const ChunkBits& bits,
                std::vector<Id>& ids) {
  for (std::size_t w = 0; w < (n + 63) / 64; ++w) {
    for (std::uint64_t rest = bits[w]; rest != 0; rest &= rest - 1) {
      const std::size_t row = first + 64 * w + static_cast<unsigned>(std::countr_zero(rest));
      ids.push_back(body.ids.id(static_cast<std::uint32_t>(row)));
    }
  }
}

}  // namespace

IdSet scan_rows(const Catalog::Body& body, const CompiledFilter& plan, std::size_t depth) {
  FilterScan scan(plan, depth);
  const bool id_is_row = body.ids.table().empty();
  const bool has_holes = body.ids.size() != body.rows();
  IdSetBuilder builder;
  std::vector<Id> ids;
  ChunkBits bits;
  for (std::size_t first = 0; first < body.rows(); first += kChunkRows) {
    const std::size_t n = std::min(kChunkRows, body.rows() - first);
    if (n < kChunkRows) bits.fill(0);
    scan.scan(first, n, bits);
    if (has_holes) drop_holes(body, first, n, bits);
    if (id_is_row) {
      IdSetBitmap units;
      std::copy_n(reinterpret_cast<const unsigned char*>(bits.data()), sizeof(bits),
                  reinterpret_cast<unsigned char*>(units.data()));
      builder.append_bitmap(first / kChunkRows, units.data());
    } else {
      append_ids(body, first, n, bits, ids);
    }
  }
  if (id_is_row) return builder.finish_set();
  Result<IdSet> set = IdSet::from_ids(ids);
  if (!set.ok()) throw std::bad_alloc();  // ids of rows are no negative ones
  return std::move(set).value();
}

IdSet mend(const Catalog::Body& body, const CompiledFilter& plan, const IdSet& ids, std::vector<Id> changed) {
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  std::vector<Id> matching;
  for (const Id id : changed) {
    const std::uint32_t row = body.ids.find(id);
    if (row != kNoSlot && plan.matches(row)) matching.push_back(id);
  }
  const Result<IdSet> all = IdSet::from_ids(changed);
  const Result<IdSet> now = IdSet::from_ids(matching);
  if (!all.ok() || !now.ok()) throw std::bad_alloc();
  return (ids & ~*all) | *now;
}

Result<IdSet> select_rows(const Catalog::Body& body, const Expression& expression) {
  const std::size_t depth = expression.node().depth;
  if (depth > Expression::kMaxDepth) {
    return invalid_argument("the filter is " + std::to_string(depth) + " deep, at most " +
                            std::to_string(Expression::kMaxDepth) + " are taken");
  }
  const std::string text = expression.normal_text();
  const std::optional<SelectionCache::Selection> cached = body.cache.find(text);
  if (cached && cached->version == body.version) return cached->ids;
  const Result<CompiledFilter> plan = compile_filter(expression.node(), body.columns);
  if (!plan.ok()) return plan.status();
  std::optional<std::vector<Id>> changed;
  if (cached) changed = body.cache.changed_since(cached->version);
  IdSet ids = changed ? mend(body, *plan, cached->ids, std::move(*changed)) : scan_rows(body, *plan, depth);
  body.cache.keep(text, {ids, body.version});
  return ids;
}

}  // namespace segue
