#include "live/replay.hpp"

#include <algorithm>
#include <string>

#include "catalog/catalog_body.hpp"
#include "items/check_input.hpp"

namespace segue {
namespace {

// Enough for an insertion in parallel to pay, little enough that the copy does not matter.
constexpr std::size_t kMostRows = 1 << 16;
constexpr std::size_t kMostFloats = std::size_t{1} << 24;

Status no_catalog() { return corrupt_file("a record is about rows of a catalog, and the snapshot has none"); }

}  // namespace

Status Replay::add(const JournalRecord& record) {
  switch (static_cast<RecordType>(record.type)) {
    case RecordType::kMark:
      return {};
    case RecordType::kPut: {
      const Result<PutItems> items = decode_put(record.payload);
      return items.ok() ? put(*items) : items.status();
    }
    case RecordType::kRemove: {
      const Result<std::span<const Id>> ids = decode_ids(record.payload);
      return ids.ok() ? remove(*ids) : ids.status();
    }
    case RecordType::kPutRows: {
      const Result<PutRows> rows = decode_rows(record.payload);
      return rows.ok() ? put_rows(*rows) : rows.status();
    }
    case RecordType::kRemoveRows: {
      const Result<std::span<const Id>> ids = decode_ids(record.payload);
      if (!ids.ok()) return ids.status();
      return catalog_ == nullptr ? no_catalog() : apply_removal(catalog_->body(), *ids).status();
    }
    case RecordType::kCurve: {
      const Result<RecallCurve> curve = decode_curve(record.payload);
      if (!curve.ok()) return curve.status();
      SEGUE_RETURN_IF_ERROR(flush());  // a curve counts the changes after it
      return index_.set_recall_curve(*curve);
    }
  }
  return corrupt_file("a record is of type " + std::to_string(record.type) +
                      ", which this version of Segue does not know");
}

Status Replay::put(const PutItems& items) {
  const std::size_t dim = index_.dim();
  if (items.vectors.cols() != dim) {
    return corrupt_file("a record has vectors of dimension " + std::to_string(items.vectors.cols()) + ", the index " +
                        std::to_string(dim));
  }
  SEGUE_RETURN_IF_ERROR(check_vectors(items.vectors, dim, index_.metric()));
  SEGUE_RETURN_IF_ERROR(check_ids(items.ids, items.vectors.rows()));
  vectors_seen_ += items.ids.size();
  const bool removed = std::any_of(items.ids.begin(), items.ids.end(), [this](Id id) { return removed_.count(id) != 0; });
  if (removed || ids_.size() + items.ids.size() > kMostRows || vectors_.size() > kMostFloats) {
    SEGUE_RETURN_IF_ERROR(flush());
  }
  // By itself it needs no copy.
  if (items.ids.size() >= kMostRows) return index_.upsert(items.vectors, items.ids, {.threads = threads_, .progress = {}});
  for (std::size_t i = 0; i < items.ids.size(); ++i) {
    const auto [place, fresh] = row_of_.try_emplace(items.ids[i], ids_.size());
    const float* row = items.vectors.row(i);
    if (fresh) {
      ids_.push_back(items.ids[i]);
      vectors_.insert(vectors_.end(), row, row + dim);
    } else {
      std::copy(row, row + dim, vectors_.begin() + static_cast<std::ptrdiff_t>(place->second * dim));
    }
  }
  return {};
}

Status Replay::remove(std::span<const Id> ids) {
  if (std::any_of(ids.begin(), ids.end(), [this](Id id) { return row_of_.count(id) != 0; })) {
    SEGUE_RETURN_IF_ERROR(flush());
  }
  removed_.insert(ids.begin(), ids.end());
  return {};
}

Status Replay::put_rows(const PutRows& rows) {
  if (catalog_ == nullptr) return no_catalog();
  return apply_rows(catalog_->body(), rows.columns, {rows.ids, rows.keys}, RowChange::kUpsert);
}

Status Replay::flush() {
  if (!removed_.empty()) {
    std::vector<Id> ids(removed_.begin(), removed_.end());
    std::sort(ids.begin(), ids.end());
    SEGUE_RETURN_IF_ERROR(index_.remove(ids).status());
    removed_.clear();  // whatever happens to the rest
  }
  if (!ids_.empty()) {
    SEGUE_RETURN_IF_ERROR(
        index_.upsert(MatrixView(vectors_, index_.dim()), ids_, {.threads = threads_, .progress = {}}));
  }
  drop();
  return {};
}

void Replay::drop() {
  removed_.clear();
  ids_.clear();
  vectors_.clear();
  row_of_.clear();
}

}  // namespace segue
