#pragma once
// CatalogKeeper: who changes a catalog's rows in its place, where others have to know first. A LiveIndex keeps the catalog
// of its index: append(), upsert() and remove() go to its journal before they go to the columns.

#include <cstddef>
#include <span>
#include <vector>

#include "segue/catalog.hpp"

namespace segue {

// What a change is to do with its rows.
enum class RowChange { kAppend, kUpsert };

class CatalogKeeper {
 public:
  virtual ~CatalogKeeper() = default;
  // Called without the catalog's lock.
  virtual Status change_rows(Catalog::Body& catalog, std::span<const ColumnData> columns, const RowNames& names,
                             RowChange change) = 0;
  virtual Result<std::size_t> remove_rows(Catalog::Body& catalog, std::span<const Id> ids) = 0;
};

// The keeper is asked for as long as it lives.
void set_keeper(Catalog::Body& catalog, std::weak_ptr<CatalogKeeper> keeper);

// For keepers: whether a change would be refused, and why; the ids that its rows have or would get. Memory aside,
// apply_rows() then does not fail unless something else changes first.
Result<std::vector<Id>> plan_rows(const Catalog::Body& catalog, std::span<const ColumnData> columns,
                                  const RowNames& names, RowChange change);
Status apply_rows(Catalog::Body& catalog, std::span<const ColumnData> columns, const RowNames& names,
                  RowChange change);
Result<std::size_t> apply_removal(Catalog::Body& catalog, std::span<const Id> ids);

}  // namespace segue
