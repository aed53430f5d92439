#include "segue/catalog.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <stdexcept>
#include <unordered_set>

#include "catalog/catalog_body.hpp"

namespace segue {
namespace {

// Runs what may run out of memory.
template <class F>
Status guarded(F&& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  return out_of_memory("not enough memory for this call");
}

// A Result of what `f` puts into its argument.
template <class T, class F>
Result<T> guarded_result(F&& f) {
  T value{};
  Status status = guarded([&] { return f(value); });
  if (!status.ok()) return status;
  return value;
}

Status check_new_columns(std::span<const ColumnData> columns) {
  std::unordered_set<std::string_view> seen;
  for (const ColumnData& data : columns) {
    if (data.name.empty()) return invalid_argument("a column has an empty name");
    if (static_cast<std::size_t>(data.type) > static_cast<std::size_t>(ColumnType::kDate)) {
      return invalid_argument("column '" + data.name + "' has a type that there is not");
    }
    if (!seen.insert(data.name).second) return invalid_argument("column '" + data.name + "' came twice");
  }
  return {};
}

std::shared_ptr<CatalogKeeper> keeper_of(const Catalog::Body& body) {
  const std::shared_lock lock(body.mutex);
  return body.keeper.lock();
}

Result<std::uint32_t> row_of(const Catalog::Body& body, Id id, std::size_t position) {
  const std::uint32_t row = body.ids.find(id);
  if (row != kNoSlot) return row;
  return not_found("id " + std::to_string(id) + " at position " + std::to_string(position) + " is not in the catalog");
}

}  // namespace

Catalog::Catalog(std::unique_ptr<Body> body) noexcept : body_(std::move(body)) {}
Catalog::~Catalog() = default;

Result<std::shared_ptr<Catalog>> Catalog::create(std::span<const ColumnData> columns, const RowNames& names) {
  return guarded_result<std::shared_ptr<Catalog>>([&](std::shared_ptr<Catalog>& made) -> Status {
    SEGUE_RETURN_IF_ERROR(check_new_columns(columns));
    auto body = std::make_unique<Body>();
    for (const ColumnData& data : columns) body->columns.emplace_back(data.name, data.type);
    SEGUE_RETURN_IF_ERROR(change_rows(*body, columns, names, RowChange::kAppend));
    made = std::make_shared<Catalog>(std::move(body));
    return {};
  });
}

std::size_t Catalog::size() const {
  const std::shared_lock lock(body_->mutex);
  return body_->ids.size();
}

bool Catalog::has_keys() const {
  const std::shared_lock lock(body_->mutex);
  return body_->has_keys;
}

std::vector<ColumnSpec> Catalog::columns() const {
  const std::shared_lock lock(body_->mutex);
  std::vector<ColumnSpec> all;
  for (const Column& column : body_->columns) all.push_back({column.name, column.type});
  return all;
}

bool Catalog::contains(Id id) const {
  const std::shared_lock lock(body_->mutex);
  return body_->ids.find(id) != kNoSlot;
}

std::vector<Id> Catalog::ids() const {
  const std::shared_lock lock(body_->mutex);
  std::vector<Id> all;
  all.reserve(body_->ids.size());
  for (const Id id : body_->ids.id_array()) {
    if (id != kMissingId) all.push_back(id);
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::uint64_t Catalog::version() const {
  const std::shared_lock lock(body_->mutex);
  return body_->version;
}

std::size_t Catalog::memory_usage() const {
  const std::shared_lock lock(body_->mutex);
  std::size_t bytes = body_->ids.memory_usage() + body_->keys.memory_usage() + body_->cache.memory_usage();
  for (const Column& column : body_->columns) bytes += column.memory_usage();
  return bytes;
}

Status Catalog::append(std::span<const ColumnData> columns, const RowNames& names) {
  if (const auto keeper = keeper_of(*body_)) return keeper->change_rows(*body_, columns, names, RowChange::kAppend);
  return apply_rows(*body_, columns, names, RowChange::kAppend);
}

Status Catalog::upsert(std::span<const ColumnData> columns, const RowNames& names) {
  if (const auto keeper = keeper_of(*body_)) return keeper->change_rows(*body_, columns, names, RowChange::kUpsert);
  return apply_rows(*body_, columns, names, RowChange::kUpsert);
}

Result<std::size_t> Catalog::remove(std::span<const Id> ids) {
  if (const auto keeper = keeper_of(*body_)) return keeper->remove_rows(*body_, ids);
  return apply_removal(*body_, ids);
}

void set_keeper(Catalog::Body& catalog, std::weak_ptr<CatalogKeeper> keeper) {
  const std::unique_lock lock(catalog.mutex);
  catalog.keeper = std::move(keeper);
}

Result<std::vector<Id>> plan_rows(const Catalog::Body& catalog, std::span<const ColumnData> columns,
                                  const RowNames& names, RowChange change) {
  return guarded_result<std::vector<Id>>([&](std::vector<Id>& ids) {
    const std::shared_lock lock(catalog.mutex);
    return check_rows(catalog, columns, names, change, ids);
  });
}

Status apply_rows(Catalog::Body& catalog, std::span<const ColumnData> columns, const RowNames& names,
                  RowChange change) {
  return guarded([&] {
    const std::unique_lock lock(catalog.mutex);
    return change_rows(catalog, columns, names, change);
  });
}

Result<std::size_t> apply_removal(Catalog::Body& catalog, std::span<const Id> ids) {
  return guarded_result<std::size_t>([&](std::size_t& removed) -> Status {
    const std::unique_lock lock(catalog.mutex);
    removed = remove_rows(catalog, ids);
    return {};
  });
}

Id Catalog::find(std::string_view key) const {
  const std::shared_lock lock(body_->mutex);
  const std::uint32_t row = body_->row_of(key);
  return row == kNoSlot ? kMissingId : body_->ids.id(row);
}

Result<std::vector<Id>> Catalog::find(std::span<const std::string> keys) const {
  return guarded_result<std::vector<Id>>([&](std::vector<Id>& ids) -> Status {
    const std::shared_lock lock(body_->mutex);
    ids.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::uint32_t row = body_->row_of(keys[i]);
      if (row == kNoSlot) {
        return not_found("key '" + keys[i] + "' at position " + std::to_string(i) + " is not in the catalog" +
                         (body_->has_keys ? "" : ", whose rows have no keys"));
      }
      ids.push_back(body_->ids.id(row));
    }
    return {};
  });
}

Result<std::vector<std::string>> Catalog::keys(std::span<const Id> ids) const {
  return guarded_result<std::vector<std::string>>([&](std::vector<std::string>& keys) -> Status {
    const std::shared_lock lock(body_->mutex);
    if (!body_->has_keys) return not_found("the rows of this catalog have no keys");
    keys.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Result<std::uint32_t> row = row_of(*body_, ids[i], i);
      if (!row.ok()) return row.status();
      keys.emplace_back(body_->keys[*row]);
    }
    return {};
  });
}

Result<ColumnData> Catalog::take(std::span<const Id> ids, std::string_view name) const {
  return guarded_result<ColumnData>([&](ColumnData& data) -> Status {
    const std::shared_lock lock(body_->mutex);
    const Column* column = find_column(body_->columns, name);
    if (column == nullptr) return no_such_column(body_->columns, name);
    std::vector<std::uint32_t> rows;
    rows.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Result<std::uint32_t> row = row_of(*body_, ids[i], i);
      if (!row.ok()) return row.status();
      rows.push_back(*row);
    }
    data = column->take(rows);
    return {};
  });
}

Result<IdSet> Catalog::select(const Expression& expression) const {
  return guarded_result<IdSet>([&](IdSet& ids) -> Status {
    const std::shared_lock lock(body_->mutex);
    Result<IdSet> selected = select_rows(*body_, expression);
    if (!selected.ok()) return selected.status();
    ids = std::move(selected).value();
    return {};
  });
}

Result<IdSet> Catalog::select(std::string_view text) const {
  const Result<Expression> expression = parse_expression(text);
  if (!expression.ok()) return expression.status();
  return select(*expression);
}

Status Catalog::validate() const {
  return guarded([&] {
    const std::shared_lock lock(body_->mutex);
    return body_->validate();
  });
}

}  // namespace segue
