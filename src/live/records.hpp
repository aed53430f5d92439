#pragma once
// What the records of a live index's journal say, and their bytes. docs/file_format.md has them in prose.
//
// Whatever is decoded is checked for its form here, and for its meaning by the index or the catalog that it is handed to,
// as if a caller had brought it. Vectors and ids stay in place.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "file/byte_parser.hpp"
#include "file/journal_layout.hpp"
#include "segue/catalog.hpp"
#include "segue/matrix_view.hpp"
#include "segue/recall_curve.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

enum class RecordType : std::uint32_t {
  kMark = journal_layout::kMark,
  kPut = journal_layout::kFirstType,  // vectors under ids, new or not
  kRemove,                            // ids
  kPutRows,                           // rows of the catalog under ids, new or not
  kRemoveRows,
  kCurve,
};

using Payload = std::span<const std::span<const std::byte>>;

// rows, dimension, ids, floats. Borrows ids and vectors.
class PutRecord {
 public:
  PutRecord(MatrixView vectors, std::span<const Id> ids)
      : head_{vectors.rows(), vectors.cols()},
        pieces_{std::as_bytes(std::span(head_)), std::as_bytes(ids),
                std::as_bytes(std::span(vectors.data(), vectors.rows() * vectors.cols())),
                std::span(kPadding).first(vectors.rows() * vectors.cols() % 2 * sizeof(float))} {}
  PutRecord(const PutRecord&) = delete;
  Payload payload() const noexcept { return pieces_; }

 private:
  static constexpr std::array<std::byte, 8> kPadding{};
  std::array<std::uint64_t, 2> head_;
  std::array<std::span<const std::byte>, 4> pieces_;
};

struct PutItems {
  MatrixView vectors;
  std::span<const Id> ids;
};
struct PutRows {
  std::vector<ColumnData> columns;
  std::vector<std::string> keys;
  std::span<const Id> ids;
};

ByteWriter encode_ids(std::span<const Id> ids);
ByteWriter encode_rows(std::span<const ColumnData> columns, std::span<const Id> ids, std::span<const std::string> keys);
ByteWriter encode_curve(const RecallCurve& curve);

// kCorruptFile without a name: the caller knows where it was. May throw std::bad_alloc, of no more than a few times what
// the payload has.
Result<PutItems> decode_put(std::span<const std::byte> payload);
Result<std::span<const Id>> decode_ids(std::span<const std::byte> payload);
Result<PutRows> decode_rows(std::span<const std::byte> payload);
Result<RecallCurve> decode_curve(std::span<const std::byte> payload);

}  // namespace segue
