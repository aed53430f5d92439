#pragma once
// All of a catalog: columns and keys by row, and which id a row is of.
//
// Rows are only ever appended; a removed one stays as a hole, missing everywhere, until holes outnumber rows and all
// are moved together. So rows ascend in the order of arrival, ids mostly ascend with them, and a selection comes out
// sorted. Where every id is its row (`ids.table()` is empty then) a chunk of bits is a chunk of the IdSet as it is.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "catalog/catalog_keeper.hpp"
#include "catalog/column.hpp"
#include "catalog/compile_filter.hpp"
#include "catalog/selection_cache.hpp"
#include "catalog/string_table.hpp"
#include "items/reader_mutex.hpp"
#include "segue/catalog.hpp"
#include "segue/core/id_map.hpp"

namespace segue {

struct Catalog::Body {
  std::size_t rows() const noexcept { return ids.slots(); }
  bool is_there(std::size_t row) const noexcept { return ids.id(static_cast<std::uint32_t>(row)) != kMissingId; }
  // kNoSlot if no row has it.
  std::uint32_t row_of(std::string_view key) const noexcept {
    const std::uint32_t row = keys.find(key);
    return row == kNoString || !is_there(row) ? kNoSlot : row;
  }
  Status validate() const;
  Status validate_keys() const;

  mutable ReaderMutex mutex;
  std::vector<Column> columns;
  IdMap ids;         // a row is a slot
  StringTable keys;  // by row, holes included; empty without keys
  bool has_keys = false;
  Id next_id = 0;
  std::uint64_t version = 1;
  std::size_t stale = 0;  // rows replaced or removed since all were moved together
  mutable SelectionCache cache;
  std::weak_ptr<CatalogKeeper> keeper;
};

// Codes, words, sets and dates of a column with so many rows.
Status validate_column(const Column& column, std::size_t rows);

// The lock is held, here and below. What change_rows() would say of it, and the ids that its rows would have.
Status check_rows(const Catalog::Body& body, std::span<const ColumnData> columns, const RowNames& names,
                  RowChange change, std::vector<Id>& ids);
// The lock is held alone. May throw std::bad_alloc; whatever fails has changed no row.
Status change_rows(Catalog::Body& body, std::span<const ColumnData> columns, const RowNames& names, RowChange change);
std::size_t remove_rows(Catalog::Body& body, std::span<const Id> ids);

// The ids of the rows that match a plan. The lock is held shared, here and below.
IdSet scan_rows(const Catalog::Body& body, const CompiledFilter& plan, std::size_t depth);
// `ids` matched before the rows of `changed` changed; what matches now.
IdSet mend(const Catalog::Body& body, const CompiledFilter& plan, const IdSet& ids, std::vector<Id> changed);
Result<IdSet> select_rows(const Catalog::Body& body, const Expression& expression);

}  // namespace segue
