#pragma once
// Catalog: typed columns beside the vectors, and which ids an expression over them selects.
//
//   const std::vector columns = {ColumnData::integers("minutes", minutes), ColumnData::sets("market", markets)};
//   Result<std::shared_ptr<Catalog>> catalog = Catalog::create(columns);
//   Result<IdSet> allowed = (*catalog)->select("minutes <= 30 and market has 'SE'");
//   index->search(queries, 100, {.filter = &*allowed});
//   index->set_catalog(*catalog);  // saved in the index's file from now on
//
// A row is an id's values; any of them may be missing. Rows may also have keys, the outside world's names for them
// ("spotify:track:..."): all rows or none, each another. A row may be there without its vector and the reverse: what
// the index does not hold is not found, and an id without a row is in no selection, whatever the expression.
//
// Choose a category for what has few values for its rows or groups them (artist, discipline), a set for tags and
// markets, an integer for what is counted. Integers, dates and codes are kept in 1, 2, 4 or 8 bytes a row, as their
// range asks for; floats in 4 where every value survives it; texts once each; equal sets once. A key takes its bytes
// and about 14 more.
//
// select() scans the columns: 0.2 to 0.6 ns a row and comparison, the cheaper the narrower, and about 5 where hardly two
// rows have the same set (docs/decisions/0013-catalog.md has figures). Selections are cached by what they say: the same
// filter again costs a microsecond, in whatever order it is written; after changes to few rows only these are looked at.
//
// Thread-safety: any number of threads may read and select; a change waits for them, and later ones wait for it.
// Errors: a call that fails has changed nothing.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "segue/column.hpp"
#include "segue/expression.hpp"
#include "segue/filter.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

// What a batch of rows is called. Either may be empty. No ids: those of the keys that are there; the next free ones,
// one past the largest ever used, for the rest.
struct RowNames {
  std::span<const Id> ids = {};
  std::span<const std::string> keys = {};
};

class Catalog {
 public:
  struct Body;

  // All columns have as many rows. kInvalidArgument says which name, length, type or value is wrong. No columns: as
  // many rows as names; more cannot be added later.
  static Result<std::shared_ptr<Catalog>> create(std::span<const ColumnData> columns, const RowNames& names = {});
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;
  ~Catalog();

  std::size_t size() const;
  bool has_keys() const;
  // In the order of create().
  std::vector<ColumnSpec> columns() const;
  bool contains(Id id) const;
  // All ids, ascending.
  std::vector<Id> ids() const;
  // Grows with every change.
  std::uint64_t version() const;
  // Bytes held, cached selections included.
  std::size_t memory_usage() const;

  // New rows. A column that is left out is missing there; one that the catalog does not have is an error that lists
  // those it has. kAlreadyExists: an id or a key is there. O(rows).
  Status append(std::span<const ColumnData> columns, const RowNames& names = {});
  // Replaces in rows that are there what the columns say, and leaves their other columns; the rest is appended.
  // kInvalidArgument: a key that belongs to another id.
  Status upsert(std::span<const ColumnData> columns, const RowNames& names);
  // Removes those that are there; how many there were.
  Result<std::size_t> remove(std::span<const Id> ids);

  // The id of a key; kMissingId if there is none.
  Id find(std::string_view key) const;
  // kNotFound names the first key, or id, that is not there.
  Result<std::vector<Id>> find(std::span<const std::string> keys) const;
  Result<std::vector<std::string>> keys(std::span<const Id> ids) const;
  // The values of some rows. kNotFound: an id without a row, a column that is not there.
  Result<ColumnData> take(std::span<const Id> ids, std::string_view column) const;

  // The ids of the rows that match. kInvalidArgument: a column that is not there, or a comparison that its type does
  // not have; the message lists what there is.
  Result<IdSet> select(const Expression& expression) const;
  Result<IdSet> select(std::string_view text) const;

  // Checks every invariant. O(size). For tests.
  Status validate() const;

  // For what lies in the library beside it.
  const Body& body() const noexcept { return *body_; }
  Body& body() noexcept { return *body_; }
  explicit Catalog(std::unique_ptr<Body> body) noexcept;

 private:
  std::unique_ptr<Body> body_;
};

}  // namespace segue
