#include "ivf/row_spill.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace segue {

RowSpill::RowSpill(ScratchFile file, std::size_t lists, std::size_t ranges, std::size_t row_bytes,
                   std::size_t buffer_bytes)
    : file_(std::move(file)),
      lists_(lists),
      entry_bytes_(sizeof(std::uint32_t) + row_bytes),
      buffer_bytes_(std::max<std::size_t>(1, buffer_bytes / entry_bytes_) * entry_bytes_),
      ranges_(ranges) {}

Result<RowSpill> RowSpill::create(const std::string& beside, std::size_t lists, std::size_t ranges,
                                  std::size_t row_bytes, std::size_t buffer_bytes) {
  Result<ScratchFile> file = ScratchFile::create(beside);
  if (!file.ok()) return file.status();
  return RowSpill(std::move(file).value(), lists, ranges, row_bytes, buffer_bytes);
}

Result<unsigned char*> RowSpill::add(std::uint32_t list) {
  Range& range = ranges_[list * ranges() / lists_];
  if (range.buffer.empty()) range.buffer.resize(buffer_bytes_);
  if (range.used == buffer_bytes_) SEGUE_RETURN_IF_ERROR(flush(range));
  unsigned char* entry = range.buffer.data() + range.used;
  std::memcpy(entry, &list, sizeof(list));
  range.used += entry_bytes_;
  return entry + sizeof(list);
}

Status RowSpill::flush(Range& range) {
  range.pieces.push_back(file_.size());
  range.last_bytes = range.used;
  range.used = 0;
  return file_.append(std::as_bytes(std::span(range.buffer).first(range.last_bytes)));
}

Status RowSpill::end() {
  for (Range& range : ranges_) {
    if (range.used != 0) SEGUE_RETURN_IF_ERROR(flush(range));
    range.buffer = {};
  }
  return {};
}

Status RowSpill::read(std::size_t which, const Take& take) {
  const Range& range = ranges_[which];
  std::vector<unsigned char> buffer(range.pieces.empty() ? 0 : buffer_bytes_);
  for (const std::uint64_t& piece : range.pieces) {
    const std::size_t bytes = &piece == &range.pieces.back() ? range.last_bytes : buffer_bytes_;
    SEGUE_RETURN_IF_ERROR(file_.read(piece, std::as_writable_bytes(std::span(buffer).first(bytes))));
    for (std::size_t at = 0; at < bytes; at += entry_bytes_) {
      std::uint32_t list = 0;
      std::memcpy(&list, buffer.data() + at, sizeof(list));
      take(list, buffer.data() + at + sizeof(list));
    }
  }
  return {};
}

}  // namespace segue
