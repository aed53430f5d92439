#include "file/parse.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "file/checksum.hpp"
#include "file/foreign.hpp"

namespace segue {
namespace {

using layout::Footer;
using layout::Header;
using layout::SectionEntry;

template <class T>
std::span<std::byte> bytes_of(T& value) noexcept {
  return std::as_writable_bytes(std::span<T, 1>(&value, 1));
}

bool all_zero(std::span<const std::uint8_t> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

// A name of a-z, 0-9 and _, at least one, then zeros.
std::optional<std::string> parse_name(const char (&field)[layout::kNameBytes]) {
  const std::string_view all(field, sizeof(field));
  const std::string_view name = all.substr(0, all.find('\0'));
  const bool padded = all.find_first_not_of('\0', name.size()) == std::string_view::npos;
  const bool clean = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
  if (name.empty() || !padded || !clean) return std::nullopt;
  return std::string(name);
}

Status read_header(const ByteSource& source, Header& header) {
  const std::uint64_t size = source.size();
  if (size == 0) return corrupt(source.name(), "the file is empty; save the index again");
  const std::size_t there = static_cast<std::size_t>(std::min<std::uint64_t>(size, sizeof(Header)));
  std::byte start[sizeof(Header)] = {};
  SEGUE_RETURN_IF_ERROR(source.read(0, std::span(start, there)));
  if (std::memcmp(start, layout::kMagic, std::min(there, sizeof(layout::kMagic))) != 0) {
    return corrupt(source.name(), "not a Segue file, but " + describe_foreign(std::span(start, there), size));
  }
  if (size < layout::kSmallestFile) {
    return corrupt(source.name(), "truncated: the file is " + std::to_string(size) + " bytes, the smallest has " +
                                      std::to_string(layout::kSmallestFile) + "; copy it again");
  }
  std::memcpy(&header, start, sizeof(header));
  return {};
}

Status check_header(const ByteSource& source, const Header& header) {
  // The version comes before the checksum, because a later format may put the checksum elsewhere.
  if (header.format_version != layout::kFormatVersion) {
    const std::string version = std::to_string(header.format_version);
    const std::string known = std::to_string(layout::kFormatVersion);
    if (header.format_version > layout::kFormatVersion) {
      return corrupt(source.name(), "header: format version " + version + "; this library reads version " + known +
                                        ": update it, or save the index with a version of the library as old as this");
    }
    return corrupt(source.name(), "header: format version " + version + ", which never existed; the file is damaged");
  }
  const auto covered = std::as_bytes(std::span<const Header, 1>(&header, 1)).first(offsetof(Header, checksum));
  if (checksum_of(covered) != header.checksum) {
    return corrupt(source.name(), "header: the checksum does not match; the file is damaged, copy it again");
  }
  if (header.file_bytes != source.size()) {
    const std::string lengths = "the file is " + std::to_string(source.size()) + " bytes, its header says " +
                                std::to_string(header.file_bytes);
    return corrupt(source.name(), (header.file_bytes > source.size() ? "truncated: " : "bytes after the end: ") +
                                      lengths + "; copy it again");
  }
  // From here on the checksum holds, so what is wrong was written so.
  const auto malformed = [&](std::string_view what) {
    return corrupt(source.name(), "header: " + std::string(what) + "; the file was not written by this library");
  };
  if (header.header_bytes != sizeof(Header)) return malformed("the header's size is not 128");
  if (header.section_entry_bytes != sizeof(SectionEntry)) return malformed("a table entry's size is not 64");
  if (header.section_count > layout::kMaxSections) {
    return malformed(std::to_string(header.section_count) + " sections, at most 256 are possible");
  }
  if (header.file_bytes - layout::kSmallestFile < header.section_count * sizeof(SectionEntry)) {
    return malformed("the section table is longer than the file");
  }
  if (!all_zero(header.zero_a) || !all_zero(header.zero_b)) return malformed("reserved bytes are not zero");
  if (!parse_name(header.kind)) return malformed("the kind is no name");
  if (header.metric > static_cast<std::uint8_t>(Metric::kCosine)) {
    return malformed("unknown metric " + std::to_string(header.metric));
  }
  if (header.storage == static_cast<std::uint8_t>(Storage::kAuto) ||
      header.storage > static_cast<std::uint8_t>(Storage::kRabitq8)) {
    return malformed("unknown storage " + std::to_string(header.storage));
  }
  if (header.rerank > static_cast<std::uint8_t>(Storage::kSq4)) {
    return malformed("unknown rerank storage " + std::to_string(header.rerank));
  }
  if (header.dim == 0 || header.dim > layout::kMaxDim) {
    return malformed("dimension " + std::to_string(header.dim) + ", possible are 1 to 65536");
  }
  // An item takes at least a byte. Later products of size and dimension then fit 64 bits.
  if (header.size > header.file_bytes) return malformed("more items than the file has bytes");
  return {};
}

Status check_footer(const ByteSource& source, const Header& header, std::span<const SectionEntry> table) {
  Footer footer;
  SEGUE_RETURN_IF_ERROR(source.read(header.file_bytes - sizeof(Footer), bytes_of(footer)));
  if (std::memcmp(footer.magic, layout::kFooterMagic, sizeof(footer.magic)) != 0) {
    return corrupt(source.name(), "footer: not where it should be; the file was cut off or overwritten, copy it again");
  }
  if (footer.file_bytes != header.file_bytes) {
    return corrupt(source.name(), "footer: it says " + std::to_string(footer.file_bytes) + " bytes, the header " +
                                      std::to_string(header.file_bytes) + "; the file is damaged");
  }
  Checksum sum;
  sum.update(std::as_bytes(std::span<const Header, 1>(&header, 1)));
  sum.update(std::as_bytes(table));
  if (sum.digest() != footer.checksum) {
    return corrupt(source.name(), "section table: the checksum does not match; the file is damaged, copy it again");
  }
  return {};
}

Status check_section(const ByteSource& source, const SectionEntry& entry, std::uint64_t previous_end,
                     std::uint64_t sections_end, ParsedFile& file) {
  const std::optional<std::string> name = parse_name(entry.name);
  if (!name) {
    return corrupt(source.name(), "section table: entry " + std::to_string(file.sections.size()) + " has no proper name");
  }
  const auto malformed = [&](std::string_view what) {
    return corrupt(source.name(), "section '" + *name + "': " + std::string(what));
  };
  for (const ParsedSection& other : file.sections) {
    if (other.name == *name) return malformed("occurs twice");
  }
  if (!all_zero(entry.zero)) return malformed("reserved bytes are not zero");
  if (entry.element_size == 0 || entry.bytes % entry.element_size != 0) {
    return malformed(std::to_string(entry.bytes) + " bytes are no whole number of elements of " +
                     std::to_string(entry.element_size));
  }
  if (entry.offset % layout::kAlignment != 0) return malformed("not aligned to 64 bytes");
  if (entry.offset < previous_end) return malformed("overlaps what lies before it");
  if (entry.offset - previous_end >= layout::kPage) return malformed("a gap before it");
  if (entry.offset > sections_end || entry.bytes > sections_end - entry.offset) {
    return malformed("reaches past the end of the file");
  }
  file.sections.push_back({*name, entry.offset, entry.bytes, entry.element_size, entry.checksum});
  return {};
}

}  // namespace

Status corrupt(std::string_view source_name, std::string_view what) {
  return corrupt_file(std::string(source_name) + ": " + std::string(what));
}

Result<ParsedFile> parse_file(const ByteSource& source) {
  Header header;
  SEGUE_RETURN_IF_ERROR(read_header(source, header));
  SEGUE_RETURN_IF_ERROR(check_header(source, header));

  std::vector<SectionEntry> table(header.section_count);
  SEGUE_RETURN_IF_ERROR(source.read(sizeof(Header), std::as_writable_bytes(std::span(table))));
  SEGUE_RETURN_IF_ERROR(check_footer(source, header, table));

  ParsedFile file;
  file.format_version = header.format_version;
  file.bytes = header.file_bytes;
  file.identity = {*parse_name(header.kind),
                   static_cast<Metric>(header.metric),
                   static_cast<Storage>(header.storage),
                   static_cast<Storage>(header.rerank),
                   header.dim,
                   header.size};
  file.sections.reserve(table.size());
  const std::uint64_t sections_end = header.file_bytes - sizeof(Footer);
  std::uint64_t end = sizeof(Header) + table.size() * sizeof(SectionEntry);
  for (const SectionEntry& entry : table) {
    SEGUE_RETURN_IF_ERROR(check_section(source, entry, end, sections_end, file));
    end = entry.offset + entry.bytes;
  }
  if (sections_end - end >= layout::kAlignment) {
    return corrupt(source.name(), "footer: a gap of " + std::to_string(sections_end - end) + " bytes before it");
  }
  return file;
}

}  // namespace segue
