#pragma once
// CatalogRows: values of a catalog's columns, item by item, while its lock is held shared.
//
// Columns are looked up by name once, when a generator is made: a catalog's never change. Nothing else of the catalog may
// be called while one of these lives, or a writer that waits in between would never come to an end.

#include <cstdint>
#include <shared_mutex>
#include <span>

#include "candidates/pool.hpp"
#include "catalog/catalog_body.hpp"
#include "segue/catalog.hpp"

namespace segue {

class CatalogRows {
 public:
  // Null: no item has a row.
  explicit CatalogRows(const Catalog* catalog) : body_(catalog == nullptr ? nullptr : &catalog->body()) {
    if (body_ != nullptr) lock_ = std::shared_lock(body_->mutex);
  }

  bool any() const noexcept { return body_ != nullptr; }
  // The row of each item; kNoSlot: there is none. Which are all over memory, so several are waited for at once.
  void look_up(std::span<PoolItem> items) const noexcept {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i + kAhead < items.size()) body_->ids.prefetch(items[i + kAhead].id);
      items[i].row = body_->ids.find(items[i].id);
    }
  }
  // Before values of these are asked for, in this order: of the one that comes kAhead later.
  void prefetch(std::size_t column, std::span<const PoolItem> items, std::size_t i) const noexcept {
    if (i + kAhead >= items.size()) return;
    const std::uint32_t row = items[i + kAhead].row;
    if (row != kNoSlot) body_->columns[column].values.prefetch(row);
  }
  // f(value) for each value of that row in a column that groups items; for none that is missing.
  template <class F>
  void for_each_group(std::size_t column, std::uint32_t row, F&& f) const {
    if (row == kNoSlot) return;
    const Column& c = body_->columns[column];
    const std::int64_t value = c.values.integer(row);
    if (c.has_codes() ? value == 0 : value == kMissingInteger) return;
    if (c.type != ColumnType::kSet) return f(value);
    for (const std::uint32_t word : c.set(static_cast<std::size_t>(value - 1))) f(std::int64_t{word});
  }
  // Of a date or an integer; kMissingInteger.
  std::int64_t integer(std::size_t column, std::uint32_t row) const noexcept {
    return row == kNoSlot ? kMissingInteger : body_->columns[column].values.integer(row);
  }
  // Of a number; NaN.
  double number(std::size_t column, std::uint32_t row) const noexcept {
    if (row == kNoSlot) return missing_of<double>();
    const Column& c = body_->columns[column];
    if (c.type == ColumnType::kFloat) return c.values.real(row);
    const std::int64_t value = c.values.integer(row);
    return value == kMissingInteger ? missing_of<double>() : static_cast<double>(value);
  }

 private:
  static constexpr std::size_t kAhead = 12;

  const Catalog::Body* body_;
  std::shared_lock<ReaderMutex> lock_;
};

}  // namespace segue
