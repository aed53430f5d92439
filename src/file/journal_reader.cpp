#include "file/journal_reader.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "file/checksum.hpp"

namespace segue {
namespace {

using journal_layout::FileHeader;
using journal_layout::kAlignment;
using journal_layout::RecordHeader;

constexpr std::uint64_t kWindow = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostSums = 4;  // times the file's bytes, while looking for whole records after damage

bool all_zero(std::span<const std::uint8_t> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

}  // namespace

Result<JournalReader> JournalReader::open(const ByteSource& source) {
  if (source.size() < sizeof(FileHeader)) {
    return corrupt(source.name(), "truncated: " + std::to_string(source.size()) +
                                      " bytes, a segment of a journal has at least 64");
  }
  JournalReader reader(source);
  FileHeader& header = reader.header_;
  const auto bytes = std::as_writable_bytes(std::span<FileHeader, 1>(&header, 1));
  SEGUE_RETURN_IF_ERROR(source.read(0, bytes));
  if (std::memcmp(header.magic, journal_layout::kMagic, sizeof(header.magic)) != 0) {
    return corrupt(source.name(), "the first bytes are not those of a segment of a journal");
  }
  if (header.version != journal_layout::kVersion) {
    return corrupt(source.name(), "format version " + std::to_string(header.version) +
                                      "; this version of Segue reads version 1");
  }
  if (checksum_of(bytes.first(offsetof(FileHeader, checksum))) != header.checksum) {
    return corrupt(source.name(), "bytes 0 to 64, the header: the checksum does not match");
  }
  if (header.header_bytes != sizeof(FileHeader) || !all_zero(header.zero) || header.first_sequence == 0) {
    return corrupt(source.name(), "the header was not written by this library");
  }
  reader.due_ = header.first_sequence;
  return reader;
}

JournalReader JournalReader::assume(const ByteSource& source, std::uint64_t identity, std::uint64_t first_sequence) {
  JournalReader reader(source);
  reader.header_.identity = identity;
  reader.due_ = reader.header_.first_sequence = first_sequence;
  reader.offset_ = std::min<std::uint64_t>(reader.offset_, source.size() / kAlignment * kAlignment);
  return reader;
}

Result<std::span<const std::byte>> JournalReader::view(std::uint64_t offset, std::uint64_t bytes) {
  if (offset < window_at_ || offset + bytes > window_at_ + window_bytes_) {
    const std::uint64_t wanted = std::min(std::max(bytes, kWindow), source_->size() - offset);
    try {
      window_.resize(static_cast<std::size_t>((wanted + kAlignment - 1) / kAlignment));
    } catch (const std::bad_alloc&) {
      return out_of_memory(source_->name() + ": no memory for a record of " + std::to_string(bytes) + " bytes");
    }
    window_bytes_ = 0;
    const auto window = std::as_writable_bytes(std::span(window_)).first(static_cast<std::size_t>(wanted));
    SEGUE_RETURN_IF_ERROR(source_->read(offset, window));
    window_at_ = offset;
    window_bytes_ = wanted;
  }
  return std::as_bytes(std::span(window_))
      .subspan(static_cast<std::size_t>(offset - window_at_), static_cast<std::size_t>(bytes));
}

Result<bool> JournalReader::plausible(std::uint64_t offset, RecordHeader& header) {
  if (source_->size() - offset < sizeof(RecordHeader)) return false;
  const Result<std::span<const std::byte>> bytes = view(offset, sizeof(RecordHeader));
  if (!bytes.ok()) return bytes.status();
  std::memcpy(&header, bytes->data(), sizeof(header));
  return header.marker == journal_layout::kMarker && header.type >= journal_layout::kMark &&
         header.type <= journal_layout::kLastType && header.bytes % kAlignment == 0 &&
         header.bytes <= source_->size() - offset - sizeof(RecordHeader) && header.synced <= header.sequence;
}

Result<bool> JournalReader::whole(std::uint64_t offset, const RecordHeader& header) {
  const Result<std::span<const std::byte>> bytes = view(offset, sizeof(RecordHeader) + header.bytes);
  if (!bytes.ok()) return bytes.status();
  Checksum sum;
  sum.update(std::as_bytes(std::span<const std::uint64_t, 1>(&header_.identity, 1)));
  sum.update(bytes->first(offsetof(RecordHeader, checksum)));
  sum.update(bytes->subspan(sizeof(RecordHeader)));
  if (sum.digest() != header.checksum) return false;
  record_ = {header.type,
             header.sequence,
             header.synced,
             offset,
             offset + sizeof(RecordHeader) + header.bytes,
             bytes->subspan(sizeof(RecordHeader))};
  return true;
}

Result<JournalReader::Step> JournalReader::next() {
  if (offset_ == source_->size()) return Step::kEnd;
  RecordHeader header;
  Result<bool> good = plausible(offset_, header);
  if (good.ok() && *good) {
    const std::uint64_t due = header.type == journal_layout::kMark ? due_ - 1 : due_;
    if (header.sequence != due) return Step::kDamage;
    good = whole(offset_, header);
  }
  if (!good.ok()) return good.status();
  if (!*good) return Step::kDamage;
  due_ = record_.sequence + 1;
  offset_ = record_.end;
  return Step::kRecord;
}

Result<std::optional<JournalRecord>> JournalReader::find_whole(std::uint64_t synced_from, bool& gave_up) {
  gave_up = false;
  std::uint64_t left = kMostSums * source_->size();
  RecordHeader header;
  for (std::uint64_t at = offset_; at < source_->size() && source_->size() - at >= sizeof(RecordHeader);
       at += kAlignment) {
    const Result<bool> may_be = plausible(at, header);
    if (!may_be.ok()) return may_be.status();
    if (!*may_be || header.sequence + 1 < due_ || header.synced < synced_from) continue;
    const std::uint64_t bytes = sizeof(RecordHeader) + header.bytes;
    if (bytes > left) {
      gave_up = true;
      break;
    }
    left -= bytes;
    const Result<bool> is = whole(at, header);
    if (!is.ok()) return is.status();
    if (*is) return std::optional(record_);
  }
  return std::optional<JournalRecord>();
}

Result<bool> JournalReader::only_zeros() {
  for (std::uint64_t at = offset_; at < source_->size();) {
    const std::uint64_t bytes = std::min(kWindow, source_->size() - at);
    const Result<std::span<const std::byte>> piece = view(at, bytes);
    if (!piece.ok()) return piece.status();
    if (std::any_of(piece->begin(), piece->end(), [](std::byte b) { return b != std::byte{0}; })) return false;
    at += bytes;
  }
  return true;
}

void JournalReader::resume_at(const JournalRecord& record) noexcept {
  due_ = record.type == journal_layout::kMark ? record.sequence + 1 : record.sequence;
  offset_ = record.offset;
}

}  // namespace segue
