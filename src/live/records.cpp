#include "live/records.hpp"

namespace segue {
namespace {

Status malformed(std::string_view what) { return corrupt_file("a record of " + std::string(what) + " is malformed"); }

void encode_column(ByteWriter& out, const ColumnData& column) {
  out.text(column.name);
  out.number(static_cast<std::uint64_t>(column.type));
  out.number(column.numbers.size());
  out.array(std::span<const std::int64_t>(column.numbers));
  out.number(column.reals.size());
  out.array(std::span<const double>(column.reals));
  out.number(column.offsets.size());
  for (const std::size_t offset : column.offsets) out.number(offset);
  out.number(column.missing.size());
  out.array(std::span<const std::uint8_t>(column.missing));
  out.number(column.words.size());
  for (const std::string& word : column.words) out.text(word);
}

template <class T>
void decode_array(ByteParser& in, std::vector<T>& out) {
  const std::span<const T> values = in.array<T>(in.number());
  out.assign(values.begin(), values.end());
}

// As many texts as a number says; each takes 8 bytes at least, so no number makes this allocate beyond what is there.
void decode_texts(ByteParser& in, std::vector<std::string>& out) {
  const std::uint64_t count = in.number();
  if (count > in.left() / sizeof(std::uint64_t)) return in.reject();
  for (std::uint64_t i = 0; i < count && in.good(); ++i) out.emplace_back(in.text());
}

ColumnData decode_column(ByteParser& in) {
  ColumnData column;
  column.name = in.text();
  const std::uint64_t type = in.number();
  if (type > static_cast<std::uint64_t>(ColumnType::kDate)) in.reject();
  column.type = static_cast<ColumnType>(type);
  decode_array(in, column.numbers);
  decode_array(in, column.reals);
  const std::span<const std::uint64_t> offsets = in.array<std::uint64_t>(in.number());
  column.offsets.assign(offsets.begin(), offsets.end());
  decode_array(in, column.missing);
  decode_texts(in, column.words);
  return column;
}

}  // namespace

ByteWriter encode_ids(std::span<const Id> ids) {
  ByteWriter out;
  out.number(ids.size());
  out.array(ids);
  return out;
}

Result<std::span<const Id>> decode_ids(std::span<const std::byte> payload) {
  ByteParser in(payload);
  const std::span<const Id> ids = in.array<Id>(in.number());
  if (!in.done()) return malformed("a removal");
  return ids;
}

Result<PutItems> decode_put(std::span<const std::byte> payload) {
  ByteParser in(payload);
  const std::uint64_t rows = in.number();
  const std::uint64_t dim = in.number();
  const std::span<const Id> ids = in.array<Id>(rows);
  // The product fits: there are as many bytes as rows, and a dimension is below 2^17.
  if (dim == 0 || dim > 65'536) in.reject();
  const std::span<const float> vectors = in.array<float>(in.good() ? rows * dim : 0);
  if (!in.done() || rows == 0) return malformed("vectors");
  return PutItems{MatrixView(vectors.data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(dim)), ids};
}

ByteWriter encode_rows(std::span<const ColumnData> columns, std::span<const Id> ids,
                       std::span<const std::string> keys) {
  ByteWriter out;
  out.number(ids.size());
  out.array(ids);
  out.number(keys.size());
  for (const std::string& key : keys) out.text(key);
  out.number(columns.size());
  for (const ColumnData& column : columns) encode_column(out, column);
  return out;
}

Result<PutRows> decode_rows(std::span<const std::byte> payload) {
  ByteParser in(payload);
  PutRows rows;
  rows.ids = in.array<Id>(in.number());
  decode_texts(in, rows.keys);
  const std::uint64_t columns = in.number();
  for (std::uint64_t i = 0; i < columns && in.good(); ++i) rows.columns.push_back(decode_column(in));
  if (!in.done()) return malformed("rows of the catalog");
  return rows;
}

ByteWriter encode_curve(const RecallCurve& curve) {
  ByteWriter out;
  for (const std::size_t number : {curve.k, curve.queries, curve.items, curve.changed, curve.points.size()}) {
    out.number(number);
  }
  for (const CurvePoint& point : curve.points) {
    out.number(point.effort);
    const double figures[] = {point.recall, point.recall_low, point.distances};
    out.array(std::span<const double>(figures));
  }
  return out;
}

Result<RecallCurve> decode_curve(std::span<const std::byte> payload) {
  ByteParser in(payload);
  RecallCurve curve;
  curve.k = in.number();
  curve.queries = in.number();
  curve.items = in.number();
  curve.changed = in.number();
  const std::uint64_t points = in.number();
  for (std::uint64_t i = 0; i < points && in.good(); ++i) {
    CurvePoint point;
    point.effort = in.number();
    const std::span<const double> figures = in.array<double>(3);
    if (!in.good()) break;
    point.recall = figures[0];
    point.recall_low = figures[1];
    point.distances = figures[2];
    curve.points.push_back(point);
  }
  if (!in.done()) return malformed("a curve");
  return curve;
}

}  // namespace segue
