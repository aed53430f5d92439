// Rows appended, replaced, removed.

#include <algorithm>
#include <new>
#include <numeric>
#include <string>
#include <unordered_set>

#include "catalog/catalog_body.hpp"

namespace segue {
namespace {

// A row is a slot of 32 bits; the indexes hold no more items.
constexpr std::size_t kMaxRows = (std::size_t{1} << 31) - 1;

std::string at(std::size_t i) { return " at position " + std::to_string(i); }

Status check_lengths(std::span<const ColumnData> columns, const RowNames& names, std::size_t rows) {
  for (const ColumnData& data : columns) SEGUE_RETURN_IF_ERROR(check_column_data(data, rows));
  for (const auto& [size, what] : {std::pair{names.ids.size(), "ids"}, std::pair{names.keys.size(), "keys"}}) {
    if (size != 0 && size != rows) {
      return invalid_argument(std::to_string(rows) + " rows came with " + std::to_string(size) + " " + what +
                              ", expected one a row");
    }
  }
  return {};
}

Status check_columns(const Catalog::Body& body, std::span<const ColumnData> columns) {
  std::unordered_set<std::string_view> seen;
  for (const ColumnData& data : columns) {
    const Column* column = find_column(body.columns, data.name);
    if (column == nullptr) return no_such_column(body.columns, data.name);
    if (!seen.insert(data.name).second) return invalid_argument("column '" + data.name + "' came twice");
    if (column->type != data.type) {
      return invalid_argument("column '" + data.name + "' came as " + std::string(to_string(data.type)) + ", it is " +
                              std::string(to_string(column->type)));
    }
  }
  return {};
}

Status check_ids(std::span<const Id> ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0)
      return invalid_argument("id " + std::to_string(ids[i]) + at(i) + " is negative; ids are 0 or larger");
  }
  std::vector<Id> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) return invalid_argument("id " + std::to_string(*twice) + " came twice");
  return {};
}

Status check_keys(std::span<const std::string> keys) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!seen.insert(keys[i]).second) return invalid_argument("key '" + keys[i] + "'" + at(i) + " came twice");
  }
  return {};
}

// Which row each is for, and what new rows are called.
struct Targets {
  std::vector<std::uint32_t> rows;  // those at and after `first_new` are new, in order
  std::vector<Id> new_ids;
  std::vector<std::size_t> new_from;  // which of the batch
};

class Resolver {
 public:
  Resolver(const Catalog::Body& body, const RowNames& names, RowChange change)
      : body_(body), names_(names), change_(change), next_id_(body.next_id) {}

  Status resolve(std::size_t rows, Targets& targets) {
    for (std::size_t i = 0; i < rows; ++i) {
      std::uint32_t row = kNoSlot;
      SEGUE_RETURN_IF_ERROR(names_.keys.empty() ? by_id(i, row) : by_key(i, row));
      if (row == kNoSlot) {
        row = static_cast<std::uint32_t>(body_.rows() + targets.new_ids.size());
        if (names_.ids.empty() && next_id_ == std::numeric_limits<Id>::max()) {
          return invalid_argument("there is no free id after the largest; give ids");
        }
        targets.new_ids.push_back(names_.ids.empty() ? next_id_++ : names_.ids[i]);
        targets.new_from.push_back(i);
      }
      targets.rows.push_back(row);
    }
    return {};
  }

 private:
  Status by_id(std::size_t i, std::uint32_t& row) const {
    if (!names_.ids.empty()) row = body_.ids.find(names_.ids[i]);
    if (row == kNoSlot) {
      if (!body_.has_keys) return {};
      return invalid_argument(
          (names_.ids.empty() ? std::string("rows") : "id " + std::to_string(names_.ids[i]) + at(i)) +
          " came without a key; this catalog has keys, new rows need theirs");
    }
    if (change_ == RowChange::kUpsert) return {};
    return already_exists("id " + std::to_string(names_.ids[i]) + at(i) + " is in the catalog; upsert replaces");
  }
  Status by_key(std::size_t i, std::uint32_t& row) const {
    const std::string& key = names_.keys[i];
    row = body_.row_of(key);
    if (row != kNoSlot && change_ == RowChange::kAppend) {
      return already_exists("key '" + key + "'" + at(i) + " is in the catalog; upsert replaces");
    }
    if (names_.ids.empty()) return {};
    const Id id = names_.ids[i];
    if (row != kNoSlot && body_.ids.id(row) != id) {
      return invalid_argument("key '" + key + "'" + at(i) + " belongs to id " + std::to_string(body_.ids.id(row)) +
                              ", not to " + std::to_string(id));
    }
    const std::uint32_t other = row == kNoSlot ? body_.ids.find(id) : kNoSlot;
    if (other == kNoSlot) return {};
    if (change_ == RowChange::kAppend) {
      return already_exists("id " + std::to_string(id) + at(i) + " is in the catalog; upsert replaces");
    }
    return invalid_argument("id " + std::to_string(id) + at(i) + " has the key '" + std::string(body_.keys[other]) +
                            "', not '" + key + "'; remove it first");
  }

  const Catalog::Body& body_;
  const RowNames& names_;
  RowChange change_;
  Id next_id_;
};

// All that can be wrong with a change.
Status find_targets(const Catalog::Body& body, std::span<const ColumnData> columns, const RowNames& names,
                    RowChange change, Targets& targets) {
  const std::size_t rows = !columns.empty() ? columns[0].rows() : std::max(names.ids.size(), names.keys.size());
  SEGUE_RETURN_IF_ERROR(check_columns(body, columns));
  SEGUE_RETURN_IF_ERROR(check_lengths(columns, names, rows));
  SEGUE_RETURN_IF_ERROR(check_ids(names.ids));
  SEGUE_RETURN_IF_ERROR(check_keys(names.keys));
  if (rows == 0) return {};
  const bool first_keys = !body.has_keys && body.rows() == 0 && !names.keys.empty();
  if (!names.keys.empty() && !body.has_keys && !first_keys) {
    return invalid_argument("keys came for a catalog whose rows have none; make it with keys");
  }
  if (change == RowChange::kUpsert && names.ids.empty() && names.keys.empty()) {
    return invalid_argument("upsert needs ids or keys to know its rows by");
  }
  SEGUE_RETURN_IF_ERROR(Resolver(body, names, change).resolve(rows, targets));
  if (body.rows() + targets.new_ids.size() > kMaxRows) {
    return invalid_argument("a catalog has at most 2^31 - 1 rows");
  }
  return {};
}

// Ids and keys of the new rows; all or none.
void append_names(Catalog::Body& body, const Targets& targets, const RowNames& names) {
  const std::size_t before = body.rows();
  const bool had_keys = body.has_keys;
  std::size_t inserted = 0;
  try {
    if (before == 0 && !names.keys.empty()) body.has_keys = true;
    for (const std::size_t i : targets.new_from) {
      if (body.has_keys) body.keys.append(names.keys[i]);
    }
    body.ids.reserve(before + targets.new_ids.size());
    for (; inserted < targets.new_ids.size(); ++inserted) {
      body.ids.insert(targets.new_ids[inserted], static_cast<std::uint32_t>(before + inserted));
    }
  } catch (...) {
    for (std::size_t i = 0; i < inserted; ++i) body.ids.erase(targets.new_ids[i]);
    body.ids.truncate(before);
    body.keys.truncate(before);
    body.has_keys = had_keys;
    throw;
  }
}

void note_change(Catalog::Body& body, std::span<const Id> changed) {
  ++body.version;
  try {
    body.cache.note(body.version, changed);
  } catch (const std::bad_alloc&) {
    body.cache.forget_changes(body.version);
  }
}

// Moves all rows together once what was replaced or removed outweighs what is there: holes, words that no row has.
void tidy(Catalog::Body& body) {
  constexpr std::size_t kSlack = 1024;
  if (body.stale <= body.ids.size() + kSlack) return;
  try {
    std::vector<std::uint32_t> rows;
    IdMap ids;
    StringTable keys;
    ids.reserve(body.ids.size());
    for (std::size_t row = 0; row < body.rows(); ++row) {
      if (!body.is_there(row)) continue;
      ids.insert(body.ids.id(static_cast<std::uint32_t>(row)), static_cast<std::uint32_t>(rows.size()));
      if (body.has_keys) keys.append(body.keys[row]);
      rows.push_back(static_cast<std::uint32_t>(row));
    }
    std::vector<Column> columns;
    for (const Column& column : body.columns) columns.push_back(column.gathered(rows));
    body.columns.swap(columns);
    std::swap(body.ids, ids);
    std::swap(body.keys, keys);
    body.stale = 0;
  } catch (const std::bad_alloc&) {  // the change itself is done; the next one tries again
  }
}

}  // namespace

Status check_rows(const Catalog::Body& body, std::span<const ColumnData> columns, const RowNames& names,
                  RowChange change, std::vector<Id>& ids) {
  Targets targets;
  SEGUE_RETURN_IF_ERROR(find_targets(body, columns, names, change, targets));
  ids.clear();
  for (const std::uint32_t row : targets.rows) {
    ids.push_back(row < body.rows() ? body.ids.id(row) : targets.new_ids[row - body.rows()]);
  }
  return {};
}

Status change_rows(Catalog::Body& body, std::span<const ColumnData> columns, const RowNames& names, RowChange change) {
  Targets targets;
  SEGUE_RETURN_IF_ERROR(find_targets(body, columns, names, change, targets));
  const std::size_t rows = targets.rows.size();
  if (rows == 0) return {};
  const std::size_t all = body.rows() + targets.new_ids.size();

  // From here on only memory can fail, and not after append_names.
  std::vector<Id> changed(rows);
  std::vector<PreparedValues> prepared(body.columns.size());
  std::vector<bool> given(body.columns.size(), false);
  for (const ColumnData& data : columns) {
    const auto c = static_cast<std::size_t>(find_column(body.columns, data.name) - body.columns.data());
    prepared[c] = body.columns[c].prepare(data, all);
    given[c] = true;
  }
  for (Column& column : body.columns) column.values.prepare(all, std::span<const double>());
  append_names(body, targets, names);
  for (std::size_t c = 0; c < body.columns.size(); ++c) {
    body.columns[c].values.resize(all);
    if (!given[c]) continue;
    for (std::size_t i = 0; i < rows; ++i) body.columns[c].write(targets.rows[i], prepared[c], i);
  }
  for (std::size_t i = 0; i < rows; ++i) changed[i] = body.ids.id(targets.rows[i]);
  for (const Id id : targets.new_ids)
    body.next_id = std::max(body.next_id, id == std::numeric_limits<Id>::max() ? id : id + 1);
  body.stale += rows - targets.new_ids.size();
  note_change(body, changed);
  tidy(body);
  return {};
}

std::size_t remove_rows(Catalog::Body& body, std::span<const Id> ids) {
  std::vector<Id> there;
  for (const Id id : ids) {
    if (body.ids.find(id) != kNoSlot) there.push_back(id);
  }
  std::sort(there.begin(), there.end());
  there.erase(std::unique(there.begin(), there.end()), there.end());
  if (there.empty()) return 0;
  for (const Id id : there) {
    const std::uint32_t row = body.ids.find(id);
    for (Column& column : body.columns) column.values.set_missing(row);
    body.ids.erase(id);
  }
  body.stale += there.size();
  note_change(body, there);
  tidy(body);
  return there.size();
}

}  // namespace segue
