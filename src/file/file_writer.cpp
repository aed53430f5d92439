#include "file/file_writer.hpp"

#include <cstring>
#include <exception>

#include "file/atomic_file.hpp"
#include "file/checksum.hpp"

namespace segue {
namespace {

using layout::Footer;
using layout::Header;
using layout::SectionEntry;

// Header, table and footer of a file to be.
struct Plan {
  Header header = {};
  std::vector<SectionEntry> table;
  Footer footer = {};
};

bool set_name(char (&field)[layout::kNameBytes], std::string_view name) noexcept {
  if (name.empty() || name.size() > sizeof(field)) return false;
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos) return false;
  std::memcpy(field, name.data(), name.size());
  return true;
}

template <class Use>
Status for_each_piece(const SectionToWrite& section, Use use) {
  SEGUE_RETURN_IF_ERROR(use(section.bytes));
  for (const std::span<const std::byte> piece : section.pieces) SEGUE_RETURN_IF_ERROR(use(piece));
  return {};
}

Status plan_header(const FileIdentity& identity, Header& header) {
  std::memcpy(header.magic, layout::kMagic, sizeof(header.magic));
  header.format_version = layout::kFormatVersion;
  header.header_bytes = sizeof(Header);
  header.section_entry_bytes = sizeof(SectionEntry);
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
  return {};
}

Status plan_section(const SectionToWrite& section, std::uint64_t end, SectionEntry& entry) {
  const auto refused = [&](std::string_view what) {
    return invalid_argument("section '" + std::string(section.name) + "': " + std::string(what));
  };
  if (!set_name(entry.name, section.name)) return refused("a name is 1 to 16 of a-z, 0-9 and _");
  Checksum sum;
  SEGUE_RETURN_IF_ERROR(for_each_piece(section, [&](std::span<const std::byte> piece) {
    sum.update(piece);
    entry.bytes += piece.size();
    return Status();
  }));
  if (section.element_size == 0 || entry.bytes % section.element_size != 0) {
    return refused(std::to_string(entry.bytes) + " bytes are no whole number of elements of " +
                   std::to_string(section.element_size));
  }
  entry.offset = end;
  if (!layout::align_up(end, layout::alignment_of(entry.bytes), entry.offset)) return refused("too large");
  entry.element_size = section.element_size;
  entry.checksum = sum.digest();
  return {};
}

Status plan_file(const FileIdentity& identity, std::span<const SectionToWrite> sections, Plan& plan) {
  if (sections.size() > layout::kMaxSections) {
    return invalid_argument(std::to_string(sections.size()) + " sections, at most 256 are possible");
  }
  SEGUE_RETURN_IF_ERROR(plan_header(identity, plan.header));
  plan.table.resize(sections.size());
  std::uint64_t end = sizeof(Header) + sections.size() * sizeof(SectionEntry);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (sections[j].name == sections[i].name) {
        return invalid_argument("section '" + std::string(sections[i].name) + "' occurs twice");
      }
    }
    SEGUE_RETURN_IF_ERROR(plan_section(sections[i], end, plan.table[i]));
    end = plan.table[i].offset + plan.table[i].bytes;
  }
  std::uint64_t footer = 0;
  if (!layout::align_up(end, layout::kAlignment, footer)) return invalid_argument("the sections are too large");

  Header& header = plan.header;
  header.file_bytes = footer + sizeof(Footer);
  header.section_count = static_cast<std::uint32_t>(sections.size());
  if (identity.size > header.file_bytes) return invalid_argument("more items than the file has bytes");
  const auto header_bytes = std::as_bytes(std::span<const Header, 1>(&header, 1));
  header.checksum = checksum_of(header_bytes.first(offsetof(Header, checksum)));

  std::memcpy(plan.footer.magic, layout::kFooterMagic, sizeof(plan.footer.magic));
  plan.footer.file_bytes = header.file_bytes;
  Checksum sum;
  sum.update(header_bytes);
  sum.update(std::as_bytes(std::span(plan.table)));
  plan.footer.checksum = sum.digest();
  return {};
}

// Hands the whole file to `append`, from the first byte to the last.
template <class Append>
Status emit(const Plan& plan, std::span<const SectionToWrite> sections, Append append) {
  static constexpr std::byte kZeros[layout::kPage] = {};
  SEGUE_RETURN_IF_ERROR(append(std::as_bytes(std::span<const Header, 1>(&plan.header, 1))));
  SEGUE_RETURN_IF_ERROR(append(std::as_bytes(std::span(plan.table))));
  std::uint64_t end = sizeof(Header) + plan.table.size() * sizeof(SectionEntry);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    SEGUE_RETURN_IF_ERROR(append(std::span(kZeros, static_cast<std::size_t>(plan.table[i].offset - end))));
    SEGUE_RETURN_IF_ERROR(for_each_piece(sections[i], append));
    end = plan.table[i].offset + plan.table[i].bytes;
  }
  const std::uint64_t footer = plan.header.file_bytes - sizeof(Footer);
  SEGUE_RETURN_IF_ERROR(append(std::span(kZeros, static_cast<std::size_t>(footer - end))));
  return append(std::as_bytes(std::span<const Footer, 1>(&plan.footer, 1)));
}

}  // namespace

Status write_file(const std::string& path, const FileIdentity& identity, std::span<const SectionToWrite> sections) {
  Plan plan;
  SEGUE_RETURN_IF_ERROR(plan_file(identity, sections, plan));
  Result<AtomicFile> file = AtomicFile::create(path, plan.header.file_bytes);
  if (!file.ok()) return file.status();
  SEGUE_RETURN_IF_ERROR(
      emit(plan, sections, [&](std::span<const std::byte> bytes) { return file->append(bytes); }));
  return file->commit();
}

Result<std::vector<unsigned char>> write_bytes(const FileIdentity& identity,
                                               std::span<const SectionToWrite> sections) {
  Plan plan;
  SEGUE_RETURN_IF_ERROR(plan_file(identity, sections, plan));
  std::vector<unsigned char> out;
  try {
    out.reserve(static_cast<std::size_t>(plan.header.file_bytes));
  } catch (const std::exception&) {
    return out_of_memory("no memory for a copy of " + std::to_string(plan.header.file_bytes) + " bytes");
  }
  SEGUE_RETURN_IF_ERROR(emit(plan, sections, [&](std::span<const std::byte> bytes) {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    out.insert(out.end(), data, data + bytes.size());
    return Status();
  }));
  return out;
}

}  // namespace segue
