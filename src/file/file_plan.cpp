#include "file/file_plan.hpp"

#include <cassert>
#include <cstring>
#include <span>
#include <string>

#include "file/checksum.hpp"

namespace segue {
namespace {

using layout::Footer;
using layout::Header;
using layout::SectionEntry;

bool set_name(char (&field)[layout::kNameBytes], std::string_view name) noexcept {
  if (name.empty() || name.size() > sizeof(field)) return false;
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos) return false;
  std::memcpy(field, name.data(), name.size());
  return true;
}

std::string_view name_of(const SectionEntry& entry) noexcept {
  return {entry.name, ::strnlen(entry.name, sizeof(entry.name))};
}

}  // namespace

Status FilePlan::start(const FileIdentity& identity, std::size_t sections) {
  if (sections > layout::kMaxSections) {
    return invalid_argument(std::to_string(sections) + " sections, at most 256 are possible");
  }
  std::memcpy(header.magic, layout::kMagic, sizeof(header.magic));
  header.format_version = layout::kFormatVersion;
  header.header_bytes = sizeof(Header);
  header.section_entry_bytes = sizeof(SectionEntry);
  header.section_count = static_cast<std::uint32_t>(sections);
  if (!set_name(header.kind, identity.kind)) return invalid_argument("'" + identity.kind + "' is no kind of a file");
  if (identity.storage == Storage::kAuto) return invalid_argument("a file's storage cannot be 'auto'");
  if (identity.dim == 0 || identity.dim > layout::kMaxDim) {
    return invalid_argument("dimension " + std::to_string(identity.dim) + ", possible are 1 to 65536");
  }
  header.metric = static_cast<std::uint8_t>(identity.metric);
  header.storage = static_cast<std::uint8_t>(identity.storage);
  header.rerank = static_cast<std::uint8_t>(identity.rerank);
  header.dim = identity.dim;
  header.size = identity.size;
  table.reserve(sections);
  return {};
}

Status FilePlan::add_section(std::string_view name, std::size_t element_size, std::uint64_t bytes) {
  const auto refused = [&](std::string_view what) {
    return invalid_argument("section '" + std::string(name) + "': " + std::string(what));
  };
  SectionEntry entry = {};
  if (!set_name(entry.name, name)) return refused("a name is 1 to 16 of a-z, 0-9 and _");
  for (const SectionEntry& other : table) {
    if (name_of(other) == name) return invalid_argument("section '" + std::string(name) + "' occurs twice");
  }
  if (element_size == 0 || bytes % element_size != 0) {
    return refused(std::to_string(bytes) + " bytes are no whole number of elements of " + std::to_string(element_size));
  }
  const std::uint64_t end = table.empty() ? sizeof(Header) + header.section_count * sizeof(SectionEntry)
                                          : table.back().offset + table.back().bytes;
  entry.bytes = bytes;
  entry.element_size = element_size;
  if (!layout::align_up(end, layout::alignment_of(bytes), entry.offset) || bytes > ~entry.offset) {
    return refused("too large");
  }
  table.push_back(entry);
  return {};
}

Status FilePlan::finish() {
  assert(table.size() == header.section_count);
  const std::uint64_t end = table.empty() ? sizeof(Header) : table.back().offset + table.back().bytes;
  std::uint64_t at = 0;
  if (!layout::align_up(end, layout::kAlignment, at)) return invalid_argument("the sections are too large");
  header.file_bytes = at + sizeof(Footer);
  if (header.size > header.file_bytes) return invalid_argument("more items than the file has bytes");
  const auto header_bytes = std::as_bytes(std::span<const Header, 1>(&header, 1));
  header.checksum = checksum_of(header_bytes.first(offsetof(Header, checksum)));
  std::memcpy(footer.magic, layout::kFooterMagic, sizeof(footer.magic));
  footer.file_bytes = header.file_bytes;
  Checksum sum;
  sum.update(header_bytes);
  sum.update(std::as_bytes(std::span(table)));
  footer.checksum = sum.digest();
  return {};
}

}  // namespace segue
